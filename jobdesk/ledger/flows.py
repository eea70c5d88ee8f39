"""Flows as a whole: begun, read, cancelled and resumed. What one job's end sets in motion is in `follow`."""

import json
from collections.abc import Mapping
from typing import Any

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.flow import Flow, FlowState
from jobdesk.core.job import State
from jobdesk.core.subject import subject_of_text
from jobdesk.flows.templates import Binding
from jobdesk.ledger import follow, moves, reads
from jobdesk.ledger.database import Ledger, Row, Tx
from jobdesk.ledger.search import HEAD
from jobdesk.ledger.shortened import the_one

# ── reads ──

_LOST = "j.flow = f.id AND NOT j.optional AND j.state"
_FLOW = (
    "SELECT f.id, f.name, f.created_at, f.finished_at, f.total, f.input, CASE "
    "WHEN f.open > 0 THEN 'running' WHEN f.failed = 0 THEN 'completed' "
    f"WHEN EXISTS (SELECT 1 FROM job j WHERE {_LOST} IN ('failed', 'expired')) THEN 'failed' "
    f"WHEN EXISTS (SELECT 1 FROM job j WHERE {_LOST} = 'cancelled' AND j.error_type <> 'ParentFailed') "
    "THEN 'cancelled' ELSE 'failed' END, "
    "(SELECT count(*) FROM job j WHERE j.flow = f.id AND j.state = 'completed'), "
    f"(SELECT substr(data, 1, {HEAD}) FROM job j WHERE j.flow = f.id ORDER BY seq LIMIT 1) FROM flow f "
)


def newest(ledger: Ledger, limit: int) -> list[Flow]:
    """Flows without their jobs, newest first."""
    return [_to_flow(row) for row in ledger.rows(_FLOW + "WHERE f.total > 0 ORDER BY f.id DESC LIMIT ?", (limit,))]


def flow(ledger: Ledger, id_: str) -> Flow:
    """A flow with its jobs, by its full id.

    Raises:
        NotFound: there is none.
    """
    row = ledger.row(_FLOW + "WHERE f.id = ?", (id_,))
    if row is None:
        raise NotFound(f"there is no flow {id_}")
    return _to_flow(row, jobs=reads.flow_jobs(ledger, id_))


def full_id(ledger: Ledger, prefix: str) -> str:
    """The one flow id that starts with `prefix` (which may lack `flow_`, in any case).

    Raises:
        NotFound: none does.
        UsageError: several do.
    """
    start = "flow_" + prefix.strip().lower().removeprefix("flow_").upper()
    return the_one(ledger, "flow", start, prefix, ": see `jobdesk flows list`")


def is_open(ledger: Ledger, id_: str) -> bool:
    """Whether one of its jobs has not ended."""
    row = ledger.row("SELECT open FROM flow WHERE id = ?", (id_,))
    return row is not None and row[0] > 0


def bindings(ledger: Ledger, seq: int) -> list[Binding]:
    """The values of a job's data that are put in when it runs."""
    row = ledger.row("SELECT bindings FROM binding WHERE job = ?", (seq,))
    return [] if row is None else [Binding.from_json(one) for one in json.loads(row[0])]


def steps(ledger: Ledger, id_: str) -> dict[str, dict[str, Any]]:
    """What templates may name of each step that the flow was started with; `result` only where it completed."""
    rows = ledger.rows(
        "SELECT step, id, state, error_type, error_message, result FROM job "
        "WHERE flow = ? AND step IS NOT NULL AND parent IS NULL",
        (id_,),
    )
    found: dict[str, dict[str, Any]] = {}
    for step, job, state, error, message, result in rows:
        found[step] = {"job": job, "state": state, "error": f"{error}: {message}" if error else None}
        if state == State.COMPLETED:
            found[step] |= {"result": json.loads(result)}
    return found


def _to_flow(row: Row, **more: Any) -> Flow:
    id_, name, created_at, finished_at, total, given, state, done, head = row
    return Flow(
        id=id_,
        name=name,
        state=FlowState(state),
        created_at=created_at,
        finished_at=finished_at,
        done=done,
        total=total,
        input=None if given is None else json.loads(given),
        about=subject_of_text(head or ""),
        **more,
    )


# ── moves ──


def begin(tx: Tx, id_: str, name: str, given: Mapping[str, Any]) -> None:
    """Write down a flow whose jobs are stored next, in the same transaction."""
    tx.run(
        "INSERT INTO flow (id, name, created_at, input) VALUES (?, ?, ?, ?)",
        (id_, name, tx.now, json.dumps(dict(given), ensure_ascii=False)),
    )


def cancel(tx: Tx, id_: str, why: str) -> int:
    """Cancel all that has not ended, at once if it waits, by request if it runs; how many jobs.

    What runs may add no more jobs. The flow's on_failure job still runs.

    Raises:
        Refused: all of it has ended.
    """
    hook = _hook(tx, id_)
    # the latest first: what waits is then cancelled itself, and nothing that ignores failures is let go instead
    waiting = tx.rows(
        "SELECT id, state FROM job WHERE flow = ? AND finished_at IS NULL AND id IS NOT ? ORDER BY seq DESC",
        (id_, hook),
    )
    if not waiting:
        raise Refused(f"flow {id_} has ended: there is nothing left to cancel")
    tx.run("UPDATE flow SET cancelled_at = ? WHERE id = ?", (tx.now, id_))
    tx.run("UPDATE job SET error_type = 'Cancelled' WHERE flow = ? AND error_type = 'ParentFailed'", (id_,))
    for job, _ in sorted(waiting, key=lambda row: row[1] == State.PROCESSING):
        moves.cancel(tx, job, why)
    return len(waiting)


def cancel_latecomers(tx: Tx, id_: str, jobs: list[str]) -> None:
    """Cancel jobs that were added to a flow which somebody had cancelled; does nothing to any other flow."""
    row = tx.row("SELECT 1 FROM flow WHERE id = ? AND cancelled_at IS NOT NULL", (id_,))
    if row is not None:
        for job in reversed(jobs):
            moves.cancel(tx, job, "its flow was cancelled")


def resume(tx: Tx, id_: str) -> list[str]:
    """Retry what failed, expired or was cancelled; the ids of the jobs that run at once. The rest follows.

    Nothing that completed runs again.

    Raises:
        Refused: nothing in it needs to run again, or an equal unique job is in flight.
    """
    hook = _hook(tx, id_)
    lost = tx.rows(
        "SELECT seq, id FROM job WHERE flow = ? AND state IN ('failed', 'expired', 'cancelled') AND id IS NOT ? "
        "ORDER BY seq",
        (id_, hook),
    )
    retried = []
    for seq, job in lost:
        if follow.open_parent(tx, seq) is None:
            moves.retry(tx, job)
            retried.append(job)
        else:  # goes on by itself when what it waits for has ended
            tx.run("UPDATE job SET error_type = 'ParentFailed' WHERE seq = ? AND error_type <> 'ParentFailed'", (seq,))
    if not retried:
        raise Refused(f"flow {id_} has nothing to resume: none of its jobs failed or was cancelled")
    return retried


def _hook(tx: Tx, id_: str) -> str | None:
    """The on_failure job that was added to a flow."""
    row = tx.row("SELECT failure_job FROM flow WHERE id = ?", (id_,))
    if row is None:
        raise NotFound(f"there is no flow {id_}")
    return None if row[0] is None else str(row[0])
