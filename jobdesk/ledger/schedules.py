"""Schedules: their definitions, and the record of each time that was dealt with.

A time makes its job in the transaction that records it. (schedule, fire_at) is unique there, so
processes that see the same time due, and a clock that was set back, make it once.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.errors import NotFound
from jobdesk.core.events import Kind
from jobdesk.core.nearest import nearest
from jobdesk.core.schedule import Missed, Origin, Overlap, Reason, Schedule, ScheduleSpec
from jobdesk.core.text import clean
from jobdesk.ledger.database import Ledger, Row, Tx

RUNS_KEPT = 500
"""Times remembered of each schedule."""
MISSED_KEPT = 50
"""Times remembered of those that one gap made pass."""
_SELECT = (
    "SELECT s.name, s.type, s.cron, s.at, s.timezone, s.data, s.queue, s.priority, s.missed, s.overlap, s.origin, "
    "s.user, s.created_at, s.changed_at, s.cursor_at, s.next_at, s.paused_at, s.paused_by, s.last_at, s.last_job, "
    "j.state, s.fired, s.missed_count, s.problem, s.source FROM schedule s LEFT JOIN job j ON j.id = s.last_job"
)


# ── reads ──


def every(ledger: Ledger | Tx) -> list[Schedule]:
    """Every schedule, by name."""
    return [_to_schedule(row) for row in ledger.rows(f"{_SELECT} ORDER BY s.name")]


def find(ledger: Ledger | Tx, name: str) -> Schedule | None:
    """A schedule; None if there is none of this name."""
    row = ledger.row(f"{_SELECT} WHERE s.name = ?", (clean(name),))
    return None if row is None else _to_schedule(row)


def get(ledger: Ledger | Tx, name: str) -> Schedule:
    """A schedule.

    Raises:
        NotFound: there is none; the message names the nearest.
    """
    found = find(ledger, name)
    if found is None:
        names = [str(row[0]) for row in ledger.rows("SELECT name FROM schedule")]
        raise NotFound(f"there is no schedule {name}{nearest(name, names)}")
    return found


def runs(ledger: Ledger, name: str, limit: int = 50) -> list[dict[str, Any]]:
    """What became of the latest times of a schedule, newest first: `fire_at`, `at`, `job`, `state`, `reason`."""
    rows = ledger.rows(
        "SELECT r.fire_at, r.at, r.job, j.state, r.reason FROM schedule_run r LEFT JOIN job j ON j.id = r.job "
        "WHERE r.schedule = ? ORDER BY r.fire_at DESC LIMIT ?",
        (name, limit),
    )
    return [
        {"fire_at": iso(fire_at), "at": iso(at), "job": job, "state": state, "reason": reason}
        for fire_at, at, job, state, reason in rows
    ]


def missed_since(ledger: Ledger, at: float) -> dict[str, int]:
    """How many times of each schedule were found, since an instant, to have passed while nobody worked."""
    rows = ledger.rows(
        "SELECT schedule, count(*) FROM schedule_run WHERE at >= ? AND reason = ? GROUP BY schedule",
        (at, Reason.DOWNTIME),
    )
    return {name: int(count) for name, count in rows}


def horizon(ledger: Ledger) -> tuple[float | None, float | None]:
    """When the first time of any schedule comes that is not paused, and up to when the furthest has been dealt with."""
    row = ledger.row(
        "SELECT (SELECT min(next_at) FROM schedule WHERE next_at IS NOT NULL AND paused_at IS NULL), "
        "(SELECT max(cursor_at) FROM schedule)"
    )
    assert row is not None
    return row[0], row[1]


def due(ledger: Ledger, now: float) -> list[str]:
    """Names of schedules with a time that has come, the longest waiting first."""
    rows = ledger.rows(
        "SELECT name FROM schedule WHERE next_at <= ? AND paused_at IS NULL AND next_at IS NOT NULL ORDER BY next_at",
        (now,),
    )
    return [name for (name,) in rows]


def in_flight(tx: Tx, name: str) -> str | None:
    """Id of a job of this schedule that has not ended."""
    row = tx.row("SELECT id FROM job WHERE schedule = ? AND finished_at IS NULL LIMIT 1", (name,))
    return None if row is None else str(row[0])


# ── definitions ──


def define(
    tx: Tx, spec: ScheduleSpec, origin: Origin, user: str | None, cursor_at: float, next_at: float | None
) -> None:
    """Write a definition, over one of the same name if there is one; its pause and history stay."""
    tx.run(
        "INSERT INTO schedule (name, origin, type, cron, at, timezone, data, queue, priority, missed, overlap, user, "
        "created_at, changed_at, cursor_at, next_at, source) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET origin = excluded.origin, type = excluded.type, cron = excluded.cron, "
        "at = excluded.at, timezone = excluded.timezone, data = excluded.data, queue = excluded.queue, "
        "priority = excluded.priority, missed = excluded.missed, overlap = excluded.overlap, user = excluded.user, "
        "source = excluded.source, "
        "changed_at = excluded.changed_at, cursor_at = excluded.cursor_at, next_at = excluded.next_at, problem = NULL",
        (
            spec.name, origin, spec.type, spec.cron, spec.at, spec.timezone,
            json.dumps(dict(spec.data), ensure_ascii=False), spec.queue, spec.priority, spec.missed, spec.overlap,
            user, tx.now, tx.now, cursor_at, next_at, spec.source,
        ),
    )  # fmt: skip
    tx.wakes = True


def remove(tx: Tx, name: str) -> bool:
    """Forget a schedule. Its jobs stay, and the record of its times: a new one of this name respects it."""
    done = tx.run("DELETE FROM schedule WHERE name = ?", (name,))
    tx.wakes = True
    return bool(done)


def remove_others(tx: Tx, origin: Origin, kept: Collection[str]) -> int:
    """Forget the schedules of this origin that are not among `kept`; how many."""
    return tx.run(
        "DELETE FROM schedule WHERE origin = ? AND name NOT IN (SELECT value FROM json_each(?))",
        (origin, json.dumps(sorted(kept))),
    )


def pause(tx: Tx, name: str, who: str) -> bool:
    """Make no more jobs by themselves. False: it was paused already."""
    tx.wakes = True
    return bool(
        tx.run(
            "UPDATE schedule SET paused_at = ?, paused_by = ? WHERE name = ? AND paused_at IS NULL", (tx.now, who, name)
        )
    )


def resume(tx: Tx, name: str, cursor_at: float, next_at: float | None) -> bool:
    """Make jobs again, from `next_at` on. False: it was not paused."""
    tx.wakes = True
    return bool(
        tx.run(
            "UPDATE schedule SET paused_at = NULL, paused_by = NULL, cursor_at = ?, next_at = ? "
            "WHERE name = ? AND paused_at IS NOT NULL",
            (cursor_at, next_at, name),
        )
    )


def advance(tx: Tx, name: str, cursor_at: float, next_at: float | None) -> None:
    """Every time up to `cursor_at` has been dealt with; the next comes at `next_at`."""
    tx.run("UPDATE schedule SET cursor_at = ?, next_at = ? WHERE name = ?", (cursor_at, next_at, name))


# ── times ──


def taken(tx: Tx, name: str, fire_at: float) -> bool:
    """Whether this time was dealt with before."""
    return tx.row("SELECT 1 FROM schedule_run WHERE schedule = ? AND fire_at = ?", (name, fire_at)) is not None


def fired(tx: Tx, name: str, job: str, fire_at: float | None, by: str | None = None) -> None:
    """A time, or with `by` a person, made this job; it must be stored in the same transaction."""
    if fire_at is not None:
        _record(tx, name, fire_at, job, None)
    tx.run(
        "UPDATE schedule SET last_at = ?, last_job = ?, fired = fired + 1, problem = NULL WHERE name = ?",
        (tx.now, job, name),
    )
    found = tx.row("SELECT seq, queue FROM job WHERE id = ?", (job,))
    seq, queue = found if found else (None, None)
    said: dict[str, Any] = {"fire_at": iso(fire_at)} if by is None else {"triggered_by": by}
    tx.event(Kind.SCHEDULE_FIRED, seq, queue, schedule=name, **said)


def missed(
    tx: Tx, name: str, times: Sequence[float], reason: Reason, message: str, *, run: Collection[float] = ()
) -> None:
    """Say once that these times passed.

    Args:
        times: in order; never empty.
        run: those of them that make their jobs all the same, late.
    """
    left = [at for at in times if at not in run]
    for at in left[-MISSED_KEPT:]:
        _record(tx, name, at, None, reason)
    tx.run("UPDATE schedule SET missed_count = missed_count + ? WHERE name = ?", (len(left), name))
    if reason is Reason.PROBLEM:
        tx.run("UPDATE schedule SET problem = ? WHERE name = ?", (message, name))
    tx.event(
        Kind.SCHEDULE_MISSED,
        schedule=name,
        reason=reason.value,
        message=message,
        count=len(times),
        run=len(times) - len(left),
        first=iso(times[0]),
        last=iso(times[-1]),
    )


def stuck(tx: Tx, name: str, problem: str) -> None:
    """Its next time cannot be told any more; it rests until it is changed or a consumer starts."""
    tx.run("UPDATE schedule SET next_at = NULL, problem = ? WHERE name = ?", (problem, name))
    tx.event(Kind.SCHEDULE_MISSED, schedule=name, reason=Reason.PROBLEM.value, message=problem, count=0, run=0)


def _record(tx: Tx, name: str, fire_at: float, job: str | None, reason: Reason | None) -> None:
    tx.run(
        "INSERT INTO schedule_run (schedule, fire_at, at, job, reason) VALUES (?, ?, ?, ?, ?)",
        (name, fire_at, tx.now, job, reason),
    )
    tx.run(
        "DELETE FROM schedule_run WHERE schedule = ?1 AND fire_at <= (SELECT fire_at FROM schedule_run "
        "WHERE schedule = ?1 ORDER BY fire_at DESC LIMIT 1 OFFSET ?2)",
        (name, RUNS_KEPT),
    )


def _to_schedule(row: Row) -> Schedule:
    (name, type_, cron, at, timezone, data, queue, priority, missed_, overlap, origin, user, created_at, changed_at,
     cursor_at, next_at, paused_at, paused_by, last_at, last_job, last_state, fired_, missed_count,
     problem, source) = row  # fmt: skip
    spec = ScheduleSpec(
        name=name,
        type=type_,
        cron=cron,
        at=at,
        timezone=timezone,
        data=json.loads(data),
        queue=queue,
        priority=priority,
        missed=Missed(missed_),
        overlap=Overlap(overlap),
        source=source or "schedule",
    )
    return Schedule(
        spec=spec,
        origin=Origin(origin),
        user=user,
        created_at=created_at,
        changed_at=changed_at,
        cursor_at=cursor_at,
        next_at=next_at,
        paused_at=paused_at,
        paused_by=paused_by,
        last_at=last_at,
        last_job=last_job,
        last_state=last_state,
        fired=fired_,
        missed=missed_count,
        problem=problem,
    )


def any_due(ledger: Ledger, now: float, soon: float) -> bool:
    """Whether a schedule is due now, or one of a single time before `soon`; paused ones are not."""
    row = ledger.row(
        "SELECT 1 FROM schedule WHERE paused_at IS NULL AND next_at < CASE WHEN cron IS NULL THEN ? ELSE ? END LIMIT 1",
        (soon, now),
    )
    return row is not None
