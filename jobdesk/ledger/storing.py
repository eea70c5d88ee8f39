"""Storing new jobs: many of the usual kind in few statements, those with ties to others one by one."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jobdesk.core.events import Kind
from jobdesk.core.job import NewJob, State
from jobdesk.ledger import counters, follow, lanes, room, unique
from jobdesk.ledger.database import Tx
from jobdesk.ledger.inserting import insert
from jobdesk.ledger.said import Said

_CREATED = Kind.JOB_CREATED.value
_PLAIN = (
    "seq", "id", "type", "queue", "state", "priority", "max_attempts", "created_at", "run_at", "ready_at",
    "expires_at", "parent", "schedule", "source", "user", "timeout_s", "retry", "data", "aging", "counted",
)  # fmt: skip
_EVENT = ("at", "kind", "job", "queue", "data")
_INSERT = (
    "INSERT INTO job (id, type, queue, state, priority, max_attempts, waits_for, created_at, run_at, ready_at, "
    "expires_at, flow, step, optional, parent, schedule, source, user, unique_key, unique_loose, "
    "concurrency_key, timeout_s, retry, data, label, held, aging) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    f"coalesce(?, {lanes.AGING})) RETURNING seq"
)


def submit(tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
    """Store jobs, all or none; their ids in order. A unique key that is taken gives the id of who has it.

    Raises:
        NotFound: a job in `after` does not exist.
        Refused: a job in `after` ended without completing, and the new one does not ignore that.
        QueueFull: a queue has no room for them; the transaction must be undone.
    """
    stored: dict[str, str] = {}
    plain: list[NewJob] = []
    for job in jobs:
        if _is_plain(job):
            plain.append(job)
            stored[job.id] = job.id
            continue
        _store_plain(tx, plain)
        plain = []
        if job.after:  # what comes after a job that exists already, by its unique key, comes after that one
            job = replace(job, after=[stored.get(id_, id_) for id_ in job.after])  # noqa: PLW2901
        stored[job.id] = _store_one(tx, job)
    _store_plain(tx, plain)
    room.check(tx, [job for job in jobs if stored[job.id] == job.id])
    return list(stored.values())


def _is_plain(job: NewJob) -> bool:
    """Whether it has no ties (no job before it, no flow, no key), nor anything else that few jobs have."""
    return (
        not (job.after or job.bindings or job.hold or job.immediate)
        and job.flow is job.unique is job.concurrency_key is job.label is None
    )


def _store_plain(tx: Tx, jobs: Sequence[NewJob]) -> None:
    if not jobs:
        return
    aging = tx.row(f"SELECT {lanes.AGING}, coalesce((SELECT max(seq) FROM job), 0)")
    assert aging is not None
    rows: list[Any] = []
    events: list[Any] = []
    kinds: dict[tuple[str, str, str], int] = {}
    said = Said("type", "state")
    now, priority_a_second = tx.now, aging[0]
    for seq, job in enumerate(jobs, aging[1] + 1):
        type_, queue, run_at = job.type, job.queue, job.run_at
        waits = run_at is not None and run_at > now
        state = "scheduled" if waits else "pending"
        rows += (
            seq, job.id, type_, queue, state, job.priority, job.max_attempts, now, now if run_at is None else run_at,
            None if waits else now, job.expires_at, job.parent, job.schedule, job.source, job.user, job.timeout_s,
            job.retry.text, job.data, priority_a_second, 1,
        )  # fmt: skip
        events += (now, _CREATED, seq, queue, said[type_, state])
        kind = queue, type_, state
        kinds[kind] = kinds.get(kind, 0) + 1
    insert(tx, "job", _PLAIN, rows)
    insert(tx, "event", _EVENT, events)
    states = Counter[tuple[str, str]]()
    for (queue, _, state), n in kinds.items():
        states[queue, state] += n
    counters.added(tx, states)
    counters.entered_lanes(tx, {(queue, type_): n for (queue, type_, state), n in kinds.items() if state == "pending"})
    tx.wakes = True


def _store_one(tx: Tx, job: NewJob) -> str:
    taken = unique.holder(tx, job)
    if taken is not None:
        return taken
    ignores, run_at = job.on_parent_failure == "ignore", tx.now if job.run_at is None else job.run_at
    parents = follow.parents(tx, job.after, ignores)
    open_parents = sum(follow.is_open(state, ignores) for _, state in parents)
    if open_parents:
        state = State.BLOCKED
    else:
        state = State.SCHEDULED if run_at > tx.now else State.PENDING
    if job.flow is not None:
        tx.run(
            "INSERT INTO flow (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (job.flow, job.type, tx.now),
        )
    found = tx.row(
        _INSERT,
        (
            job.id, job.type, job.queue, state, job.priority, job.max_attempts, open_parents, tx.now, run_at,
            tx.now if state is State.PENDING else None, job.expires_at, job.flow, job.step, job.optional,
            job.parent, job.schedule, job.source, job.user, job.unique, unique.is_loose(job), job.concurrency_key,
            job.timeout_s, job.retry.text, job.data, job.label, job.hold, lanes.FIRST if job.immediate else None,
        ),
    )  # fmt: skip
    assert found is not None
    seq = int(found[0])
    unique.remember(tx, seq, job)
    if parents:
        tx.many(
            "INSERT INTO dependency (parent, job, ignores) VALUES (?, ?, ?)",
            [(parent, seq, ignores) for parent, _ in parents],
        )
    if job.bindings:
        tx.run("INSERT INTO binding (job, bindings) VALUES (?, ?)", (seq, json.dumps(list(job.bindings))))
    tx.event(Kind.JOB_CREATED, seq, job.queue, type=job.type, state=state)
    tx.wakes = True
    return job.id
