"""What the end of one job sets in motion: those that wait for it, and its flow."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.events import Kind
from jobdesk.core.ids import ids
from jobdesk.core.job import FINAL, Job, NewJob, State
from jobdesk.core.retry import RetryPolicy
from jobdesk.core.text import to_json
from jobdesk.flows.templates import Binding, finish
from jobdesk.ledger import lanes
from jobdesk.ledger.database import Tx
from jobdesk.ledger.unique import IN_FLIGHT_WORDS

_HOPELESS = (State.FAILED, State.CANCELLED, State.EXPIRED)


_SATISFIED = "(p.state = 'completed' OR d.ignores AND p.finished_at IS NOT NULL)"


def parents(tx: Tx, after: Sequence[str], ignores: bool = False) -> list[tuple[int, State]]:
    """Seq and state of the jobs in `after`.

    Args:
        ignores: they need only end, in any way.

    Raises:
        NotFound: one does not exist.
        Refused: one ended without completing, so the new job could never run.
    """
    found = []
    for id_ in dict.fromkeys(after):
        row = tx.row("SELECT seq, state FROM job WHERE id = ?", (id_,))
        if row is None:
            raise NotFound(f"there is no job {id_} to come after")
        if row[1] in _HOPELESS and not ignores:
            raise Refused(f"job {id_} is {row[1]}: nothing can come after it until it is retried")
        found.append((int(row[0]), State(row[1])))
    return found


def is_open(state: State, ignores: bool) -> bool:
    """Whether a job that comes after one in this state must wait for it."""
    return state not in FINAL if ignores else state is not State.COMPLETED


def completed(tx: Tx, seq: int) -> None:
    """Let go on what waited for this job, also what was cancelled only because it had failed before."""
    for row in tx.rows(
        "SELECT j.seq, j.state, j.error_type, j.run_at, j.queue FROM dependency d JOIN job j ON j.seq = d.job "
        "WHERE d.parent = ?",
        (seq,),
    ):
        let_go(tx, *row)


def let_go(tx: Tx, child: int, state: str, error_type: str | None, run_at: float, queue: str) -> None:
    """One that a job waited for has ended well enough: it goes on, unless it waits for others or its time."""
    if state != State.BLOCKED and error_type != "ParentFailed":
        return
    if state != State.BLOCKED and (state not in _HOPELESS or key_holder(tx, child) is not None):
        return
    waits_for = _waits_for(tx, child)
    if waits_for or (run_at > tx.now and state == State.BLOCKED):
        tx.run("UPDATE job SET waits_for = ? WHERE seq = ?", (waits_for, child))
        return
    if state == State.BLOCKED:
        tx.run(
            "UPDATE job SET state = 'pending', waits_for = 0, ready_at = ?1, "
            "expires_at = ?1 + (expires_at - run_at) WHERE seq = ?2",  # its time to start counts from now
            (tx.now, child),
        )
    else:
        _revive(tx, child, queue, run_at)
    tx.wakes = True


def _revive(tx: Tx, seq: int, queue: str, run_at: float) -> None:
    """A job that was cancelled because one before it had failed goes on after all.

    From `cancelled` a job may only become pending. If its own time still lies ahead it is pending without having
    become ready (`ready_at` is NULL), and whoever claims it puts it off until then.
    """
    tx.run(
        "UPDATE job SET state = 'pending', waits_for = 0, attempt = 0, finished_at = NULL, cancel_requested_at = NULL, "
        "ready_at = iif(run_at > ?1, NULL, ?1), expires_at = max(run_at, ?1) + (expires_at - run_at), "
        "error_type = NULL, error_message = NULL, error_fingerprint = NULL, error_retryable = NULL, "
        f"error_traceback = NULL, aging = {lanes.AGING} WHERE seq = ?2",
        (tx.now, seq),
    )
    delay_s = max(0.0, run_at - tx.now)
    tx.event(Kind.JOB_RETRY, seq, queue, attempt=0, delay_s=delay_s, message="what it waited for ended")


def key_holder(tx: Tx, seq: int) -> str | None:
    """Id of another job in flight that has the unique key of this one."""
    row = tx.row(
        "SELECT other.id FROM job me JOIN job other ON other.unique_key = me.unique_key AND other.seq <> me.seq "
        f"AND other.state IN ({IN_FLIGHT_WORDS}) WHERE me.seq = ?",
        (seq,),
    )
    return None if row is None else str(row[0])


def open_parent(tx: Tx, seq: int) -> tuple[str, State] | None:
    """Id and state of a job that this one comes after and must wait for; None if there is none."""
    row = tx.row(
        "SELECT p.id, p.state FROM dependency d JOIN job p ON p.seq = d.parent "
        f"WHERE d.job = ? AND NOT {_SATISFIED} ORDER BY p.seq LIMIT 1",
        (seq,),
    )
    return None if row is None else (str(row[0]), State(row[1]))


def _waits_for(tx: Tx, seq: int) -> int:
    row = tx.row(
        f"SELECT count(*) FROM dependency d JOIN job p ON p.seq = d.parent WHERE d.job = ? AND NOT {_SATISFIED}",
        (seq,),
    )
    return int(row[0]) if row else 0


def ended_badly(tx: Tx, seq: int) -> None:
    """A job failed, expired or was cancelled: cancel what waits for it and does not ignore that; tell its flow once."""
    _tell_flow(tx, seq)
    waiting = [seq]
    while waiting:
        parent = waiting.pop()
        row = tx.row("SELECT id, type, state FROM job WHERE seq = ?", (parent,))
        assert row is not None
        why = f"{row[1]} ({row[0]}), which it waited for, is {row[2]}"
        for child, state, error_type, run_at, queue, ignores in tx.rows(
            "SELECT j.seq, j.state, j.error_type, j.run_at, j.queue, d.ignores FROM dependency d "
            "JOIN job j ON j.seq = d.job WHERE d.parent = ? AND j.state <> 'completed'",
            (parent,),
        ):
            if ignores:
                let_go(tx, child, state, error_type, run_at, queue)
                continue
            if state != State.BLOCKED:
                continue
            tx.run(
                "UPDATE job SET state = 'cancelled', finished_at = ?, error_type = 'ParentFailed', "
                "error_message = ?, error_retryable = 1 WHERE seq = ?",
                (tx.now, why, child),
            )
            tx.event(Kind.JOB_CANCELLED, child, queue, message=why)
            _tell_flow(tx, child)  # it may be of another flow, or what it waited for was optional
            waiting.append(child)


def reopen(tx: Tx, seq: int) -> None:
    """A job of a flow is retried: its flow may fail, and tell so, once more, and is no longer cancelled."""
    tx.run(
        "UPDATE flow SET failure_job = NULL, cancelled_at = NULL WHERE id = (SELECT flow FROM job WHERE seq = ?)",
        (seq,),
    )


def is_stored(tx: Tx, id_: str) -> bool:
    """Whether there is a job with this id."""
    return tx.row("SELECT 1 FROM job WHERE id = ?", (id_,)) is not None


def flow_of(root: str) -> str:
    """The id of the flow that begins with this job."""
    return "flow_" + root.removeprefix("job_")


def join_flow(tx: Tx, job: Job) -> str:
    """The flow of a running job; if it has none, one begins with it."""
    if job.flow is not None:
        return job.flow
    flow = flow_of(job.id)
    made = tx.run(
        "INSERT INTO flow (id, name, created_at, total, open) VALUES (?, ?, ?, 1, 1) ON CONFLICT DO NOTHING",
        (flow, job.type, job.created_at),
    )
    if made:
        tx.run("UPDATE job SET flow = ? WHERE seq = ?", (flow, job.seq))
    return flow


def set_on_failure(tx: Tx, flow: str, job: NewJob, takes_failed: bool = True) -> None:
    """Say which job to add, once, when one of the flow fails.

    Args:
        takes_failed: its data gets the key `failed`.
    """
    hook = to_json(asdict(job) | {"data": json.loads(job.data), "takes_failed": takes_failed})
    tx.run("UPDATE flow SET on_failure = ? WHERE id = ?", (hook, flow))


def _tell_flow(tx: Tx, seq: int) -> None:
    row = tx.row(
        "SELECT f.id, f.on_failure, j.id, j.type, j.step, j.state, j.error_type, j.error_message FROM job j "
        "JOIN flow f ON f.id = j.flow WHERE j.seq = ? AND NOT j.optional "
        "AND f.on_failure IS NOT NULL AND f.failure_job IS NULL",
        (seq,),
    )
    if row is None:
        return
    flow, on_failure, id_, type_, step, state, error_type, error_message = row
    new = json.loads(on_failure)
    failed = {
        "job": id_,
        "type": type_,
        "step": step,
        "error": error_type or str(state),
        "message": error_message or f"it is {state}",
    }
    data = finish(new["data"], [Binding.from_json(one) for one in new.get("bindings", ())], {"failed": failed})
    if new.get("takes_failed", True):
        data["failed"] = failed
    added = ids.new("job", tx.now)
    tx.run(
        "INSERT INTO job (id, type, queue, state, priority, max_attempts, created_at, run_at, ready_at, flow, step, "
        "optional, parent, source, user, timeout_s, retry, data, aging) "
        f"VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, {lanes.AGING})",
        (
            added, new["type"], new["queue"], new["priority"], new["max_attempts"], tx.now, tx.now, tx.now, flow,
            new.get("step"), id_, new.get("source"), new.get("user"), new["timeout_s"],
            RetryPolicy(**new["retry"]).text, to_json(data),
        ),
    )  # fmt: skip
    created = tx.row("SELECT seq FROM job WHERE id = ?", (added,))
    tx.event(
        Kind.JOB_CREATED, int(created[0]) if created else None, new["queue"], type=new["type"], state=State.PENDING
    )
    tx.run("UPDATE flow SET failure_job = ? WHERE id = ?", (added, flow))
    tx.wakes = True
