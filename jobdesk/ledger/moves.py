"""Every move of a job: one named function, one guarded UPDATE with its event, in the caller's transaction.

A function that ends a claim takes the job *as claimed*; its `fence` must still fit, so a late writer
(a worker whose job was rescued meanwhile) changes nothing and learns it from the answer False.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import FINAL, Job, JobError, State
from jobdesk.core.moves import MOVES
from jobdesk.core.text import to_json
from jobdesk.ledger import follow, lanes
from jobdesk.ledger.database import Tx
from jobdesk.ledger.prune import HISTORY


@dataclass(frozen=True, slots=True)
class Usage:
    """What an attempt used, as far as it was measured."""

    cpu_ms: int | None = None
    max_rss_bytes: int | None = None


def complete(tx: Tx, job: Job, result: Any, usage: Usage = Usage()) -> bool:
    """The claimed job is done; what waited for it may go on. False: somebody else has it by now."""
    done = tx.run(
        "UPDATE job SET state = 'completed', result = ?, finished_at = ?, cpu_ms = ?, max_rss_bytes = ?, "
        "error_type = NULL, error_message = NULL, error_fingerprint = NULL, error_retryable = NULL, "
        "error_traceback = NULL WHERE seq = ? AND state = 'processing' AND fence = ?",
        (to_json(result), tx.now, usage.cpu_ms, usage.max_rss_bytes, job.seq, job.fence),
    )
    if not done:
        return False
    record_attempt(tx, job, "completed", usage)
    _free_key(tx, job)
    tx.event(Kind.JOB_COMPLETED, job.seq, job.queue, attempt=job.attempt, type=job.type)
    follow.completed(tx, job.seq)
    return True


def fail(
    tx: Tx,
    job: Job,
    error: JobError,
    retry_in_s: float | None,
    usage: Usage = Usage(),
    result: Any = None,
    *,
    outcome: str = "failed",
) -> bool:
    """The claimed attempt failed: `retrying` if another is allowed, else `failed`. False: too late.

    Args:
        retry_in_s: seconds until the next attempt, or None for no more.
        result: what it answered although it failed.
        outcome: how the attempt's row says that it ended.
    """
    again = retry_in_s is not None and error.retryable and job.attempt < job.max_attempts
    state = State.RETRYING if again else State.FAILED
    run_at = tx.now + (retry_in_s or 0) if again else job.run_at
    done = tx.run(
        "UPDATE job SET state = ?, finished_at = ?, run_at = ?, cpu_ms = ?, max_rss_bytes = ?, error_type = ?, "
        "error_message = ?, error_fingerprint = ?, error_retryable = ?, error_traceback = ?, result = ? "
        "WHERE seq = ? AND state = 'processing' AND fence = ?",
        (
            state, None if again else tx.now, run_at, usage.cpu_ms, usage.max_rss_bytes, error.type, error.message,
            error.fingerprint, error.retryable, error.traceback,
            None if result is None else to_json(result), job.seq, job.fence,
        ),
    )  # fmt: skip
    if not done:
        return False
    record_attempt(tx, job, outcome, usage, error)
    _free_key(tx, job)
    said = {"attempt": job.attempt, "type": job.type, "error": error.type, "message": error.message}
    if again:
        tx.event(Kind.JOB_RETRY, job.seq, job.queue, delay_s=retry_in_s, **said)
        tx.wakes = True
    else:
        tx.event(Kind.JOB_FAILED, job.seq, job.queue, **said)
        follow.ended_badly(tx, job.seq)
    return True


def snooze(tx: Tx, job: Job, delay_s: float, why: str, usage: Usage = Usage()) -> bool:
    """The claimed job wants to come back later; the attempt is given back. False: too late."""
    done = tx.run(
        "UPDATE job SET state = 'scheduled', attempt = attempt - 1, run_at = ? "
        "WHERE seq = ? AND state = 'processing' AND fence = ?",
        (tx.now + delay_s, job.seq, job.fence),
    )
    if done:
        record_attempt(tx, job, "snoozed", usage, JobError("Snooze", why))
        tx.event(Kind.JOB_RETRY, job.seq, job.queue, attempt=job.attempt, delay_s=delay_s, message=why, snoozed=True)
        tx.wakes = True
    return bool(done)


def release(tx: Tx, job: Job, why: str) -> bool:
    """A stopping consumer gives the claimed job back; the attempt is given back too. False: too late."""
    done = tx.run(
        "UPDATE job SET state = 'pending', attempt = attempt - 1, ready_at = ? "
        "WHERE seq = ? AND state = 'processing' AND fence = ?",
        (tx.now, job.seq, job.fence),
    )
    if done:
        record_attempt(tx, job, "released", error=JobError("Released", why))
        tx.event(Kind.JOB_RETRY, job.seq, job.queue, attempt=job.attempt, delay_s=0, message=why, released=True)
        tx.wakes = True
    return bool(done)


def stop(tx: Tx, job: Job, why: str, usage: Usage = Usage()) -> bool:
    """The claimed job was cancelled while it ran and has stopped. False: too late."""
    done = tx.run(
        "UPDATE job SET state = 'cancelled', finished_at = ?, cpu_ms = ?, max_rss_bytes = ?, "
        "error_type = 'Cancelled', error_message = ?, error_retryable = 1 "
        "WHERE seq = ? AND state = 'processing' AND fence = ?",
        (tx.now, usage.cpu_ms, usage.max_rss_bytes, why, job.seq, job.fence),
    )
    if done:
        record_attempt(tx, job, "cancelled", usage, JobError("Cancelled", why))
        _free_key(tx, job)
        tx.event(Kind.JOB_CANCELLED, job.seq, job.queue, message=why)
        follow.ended_badly(tx, job.seq)
    return bool(done)


def cancel(tx: Tx, id_: str, why: str) -> State:
    """Stop a job: at once if it waits, by request if it runs. The state it is in afterwards.

    Raises:
        NotFound: there is no such job.
        Refused: it has ended already.
    """
    seq, queue, state = find(tx, id_)
    if state is State.PROCESSING:
        tx.run("UPDATE job SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE seq = ?", (tx.now, seq))
        tx.wakes = True
        return state
    if State.CANCELLED not in MOVES[state]:
        raise Refused(f"job {id_} is {state}: only a job that has not ended can be cancelled")
    tx.run(
        "UPDATE job SET state = 'cancelled', finished_at = ?, error_type = 'Cancelled', error_message = ?, "
        "error_retryable = 1 WHERE seq = ? AND state = ?",
        (tx.now, why, seq, state),
    )
    tx.event(Kind.JOB_CANCELLED, seq, queue, message=why)
    follow.ended_badly(tx, seq)
    return State.CANCELLED


def retry(tx: Tx, id_: str, data: Mapping[str, Any] | None = None, source: str | None = None) -> None:
    """Run an ended job again, with a fresh set of attempts; `data` replaces its payload, `source` where it came from.

    Raises:
        NotFound: there is no such job.
        Refused: it has not ended, a job it comes after has not completed, or an equal unique job is in flight.
    """
    seq, queue, state = find(tx, id_)
    if state not in FINAL:
        raise Refused(f"job {id_} is {state}: only an ended job can be retried")
    parent = follow.open_parent(tx, seq)
    if parent is not None:
        raise Refused(f"job {id_} comes after {parent[0]}, which is {parent[1]}: retry that one, and this one follows")
    taken = follow.key_holder(tx, seq)
    if taken is not None:
        raise Refused(f"job {id_} cannot run again yet: {taken} has its unique key and is in flight")
    follow.reopen(tx, seq)
    tx.run(
        "UPDATE job SET state = 'pending', attempt = 0, run_at = ?, ready_at = ?, finished_at = NULL, "
        "expires_at = NULL, cancel_requested_at = NULL, held = 0, data = coalesce(?, data), "
        f"source = coalesce(?, source), aging = {lanes.AGING} WHERE seq = ? AND state = ?",
        (tx.now, tx.now, None if data is None else to_json(dict(data)), source, seq, state),
    )
    tx.event(Kind.JOB_RETRY, seq, queue, attempt=0, delay_s=0, message="retried by hand", by_hand=True)
    tx.wakes = True


def run_now(tx: Tx, id_: str) -> None:
    """Let a job that waits for its time, or for its next attempt, wait no longer; its attempts count on.

    Raises:
        NotFound: there is no such job.
        Refused: it does not wait for a time.
    """
    seq, queue, state = find(tx, id_)
    done = state in (State.SCHEDULED, State.RETRYING) and tx.run(
        "UPDATE job SET state = 'pending', held = 0, run_at = ?1, ready_at = ?1 WHERE seq = ?2 AND state = ?3",
        (tx.now, seq, state),
    )
    if not done:
        raise Refused(f"job {id_} is {state}: only a scheduled or retrying job can be run now")
    tx.event(Kind.JOB_RETRY, seq, queue, delay_s=0, message="run now by hand", by_hand=True, early=True)
    tx.wakes = True


def delete(tx: Tx, id_: str) -> None:
    """Remove a job that is not running, with its history; what waits for it is cancelled.

    Raises:
        NotFound: there is no such job.
        Refused: it is running.
    """
    seq, queue, state = find(tx, id_)
    if state is State.PROCESSING:
        raise Refused(f"job {id_} is running: cancel it first")
    if state not in FINAL:
        cancel(tx, id_, "deleted")
    tx.run("DELETE FROM job WHERE seq = ?", (seq,))  # first: its events say whether its end is in the rollups
    for table in HISTORY:
        tx.run(f"DELETE FROM {table} WHERE job = ?", (seq,))
    tx.run("DELETE FROM dependency WHERE parent = ?", (seq,))
    tx.event(Kind.JOB_DELETED, None, queue, job_id=id_)


def _free_key(tx: Tx, job: Job) -> None:
    """What waited for its concurrency key stands in the lanes by now: others may take it."""
    tx.wakes = tx.wakes or job.concurrency_key is not None


def find(tx: Tx, id_: str, *more: str) -> tuple[Any, ...]:
    """Seq, queue and state of a job, and `more` of its columns.

    Raises:
        NotFound: there is no such job.
    """
    found = tx.row(f"SELECT {', '.join(('seq', 'queue', 'state', *more))} FROM job WHERE id = ?", (id_,))
    if found is None:
        raise NotFound(f"there is no job {id_}")
    seq, queue, state, *rest = found
    return seq, queue, State(state), *rest


def record_attempt(tx: Tx, job: Job, outcome: str, usage: Usage = Usage(), error: JobError | None = None) -> None:
    """Write how an attempt ended; each attempt has one row, written when it is over."""
    tx.run(
        "INSERT INTO attempt (job, fence, number, outcome, worker, started_at, finished_at, cpu_ms, max_rss_bytes, "
        "error_type, error_message, error_traceback) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.seq, job.fence, job.attempt, outcome, job.worker, job.started_at, tx.now, usage.cpu_ms,
            usage.max_rss_bytes, error and error.type, error and error.message, error and error.traceback,
        ),
    )  # fmt: skip
