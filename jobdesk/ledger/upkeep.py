"""Moves that nobody asked for by name: what falls due, what expires, what a dead consumer held."""

import json
from collections.abc import Collection, Sequence

from jobdesk.core.events import Kind
from jobdesk.core.job import Job, JobError
from jobdesk.core.retry import RetryPolicy
from jobdesk.ledger import claiming, follow, moves
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.rows import JOB, to_job

BATCH = 500
"""Rows a transaction at the most, so that a claim never waits long for upkeep."""


CLOCK_STEP_S = 5.0
"""Less is how clocks drift and are corrected."""
POISON = 3
"""Workers that a job may kill."""


def stage(tx: Tx) -> int:
    """Make due jobs pending (scheduled, retrying, and blocked ones that wait only for their time); how many."""
    due = tx.rows(
        "SELECT seq FROM job WHERE state IN ('scheduled', 'retrying', 'blocked') AND run_at <= ? "
        "AND (state <> 'blocked' OR waits_for = 0) ORDER BY run_at LIMIT ?",
        (tx.now, BATCH),
    )
    tx.many("UPDATE job SET state = 'pending', ready_at = ? WHERE seq = ?", [(tx.now, seq) for (seq,) in due])
    tx.wakes = tx.wakes or bool(due)
    return len(due)


def next_due(ledger: Ledger) -> float | None:
    """When the next job falls due or expires, epoch seconds; None if none will."""
    row = ledger.row(
        "SELECT (SELECT min(run_at) FROM job WHERE state IN ('scheduled', 'retrying', 'blocked') "
        "AND (state <> 'blocked' OR waits_for = 0)), "
        "(SELECT min(expires_at) FROM job WHERE expires_at IS NOT NULL "
        "AND state IN ('scheduled', 'pending', 'retrying'))"
    )
    return min((float(at) for at in row or () if at is not None), default=None)


def expire(tx: Tx) -> int:
    """Expire jobs that did not start in time; how many."""
    late = tx.rows(
        "SELECT seq, queue FROM job WHERE expires_at <= ? AND state IN ('scheduled', 'pending', 'retrying') LIMIT ?",
        (tx.now, BATCH),
    )
    for seq, queue in late:
        tx.run(
            "UPDATE job SET state = 'expired', finished_at = ?, error_type = 'Expired', "
            "error_message = 'its time to start passed while it waited', error_retryable = 1, "
            "error_fingerprint = 'expired' WHERE seq = ?",
            (tx.now, seq),
        )
        tx.event(Kind.JOB_EXPIRED, seq, queue)
        follow.ended_badly(tx, seq)
    return len(late)


def rescue(tx: Tx, consumer: str, why: str, apart: Collection[str] = ()) -> int:
    """Give back what a dead consumer held; its children must be dead already. How many jobs.

    The attempt counts, and a job that has killed `POISON` workers goes to the dead letters whatever attempts are left.

    Args:
        apart: types whose jobs run in children of their own: the death of a consumer is none of their doing.
    """
    held = _held_by(tx, consumer)
    for job in held:
        if (job.worker or "").endswith(f"/{claiming.AHEAD}"):  # claimed ahead; if it had begun, then just now
            _back_to_pending(tx, job.seq, job.fence, attempts=1)
            if job.cancel_requested_at is not None:
                moves.cancel(tx, job.id, f"cancelled; {why}")
            continue
        if job.cancel_requested_at is not None:
            moves.stop(tx, job, f"cancelled; {why}")
            continue
        error = JobError("Stalled", why, None, "stalled", retryable=True)
        tx.event(Kind.JOB_STALLED, job.seq, job.queue, attempt=job.attempt, message=why)
        if job.type not in apart and (poison := poisonous(tx, job, "stalled", why)) is not None:
            moves.fail(tx, job, poison, None, outcome="stalled")
        elif job.attempt >= job.max_attempts:
            moves.fail(tx, job, error, None, outcome="stalled")
        else:
            _back_to_pending(tx, job.seq, job.fence)
            moves.record_attempt(tx, job, "stalled", error=error)
    tx.wakes = tx.wakes or bool(held)
    return len(held)


def poisonous(tx: Tx, job: Job, outcome: str, why: str) -> JobError | None:
    """The error of a job whose worker died with it once more, if that makes `POISON` times since a retry by hand.

    Args:
        outcome: of such attempts: "stalled" where the worker was a consumer, "crashed" where it was a child.
    """
    count, following = 1, job.attempt
    for number, ended in tx.rows("SELECT number, outcome FROM attempt WHERE job = ? ORDER BY fence DESC", (job.seq,)):
        if number > following:  # numbers rise until somebody retries the job
            break
        count, following = count + (ended == outcome), number
    if count < POISON:
        return None
    return JobError("Poison", f"it has killed its worker {count} times: {why}", None, "poison", retryable=False)


def give_back(tx: Tx, consumer: str, why: str) -> int:
    """Give back what a consumer that ends in order still held, with the attempt. How many jobs."""
    held = _held_by(tx, consumer)
    for job in held:
        moves.release(tx, job, why)
    return len(held)


def orphans(ledger: Ledger) -> list[str]:
    """Consumers that hold jobs and are not running: a claim that is nobody's would wait for ever."""
    rows = ledger.rows(
        "SELECT DISTINCT substr(j.worker, 1, instr(j.worker, '/') - 1) FROM job j WHERE j.state = 'processing' "
        "AND NOT EXISTS (SELECT 1 FROM consumer c WHERE c.stopped_at IS NULL "
        "AND c.id = substr(j.worker, 1, instr(j.worker, '/') - 1))"
    )
    return [str(consumer) for (consumer,) in rows]


def follow_clock(tx: Tx, monotonic: float) -> float:
    """Notice that the machine's clock was set back, whoever looks first: what waits for a retry waits no longer for it.

    Set forward it makes retries due, and what falls due at a time of day goes by the clock anyway.

    Args:
        monotonic: seconds of the machine's monotonic clock, which all its processes share.

    Returns:
        By how many seconds it was set back since somebody looked last.
    """
    row = tx.row("SELECT CAST(value AS REAL) FROM meta WHERE key = 'clock'")
    ahead = tx.now - monotonic
    by = 0.0 if row is None else float(row[0]) - ahead
    if row is not None and abs(by) < CLOCK_STEP_S:
        return 0.0
    tx.run("INSERT INTO meta VALUES ('clock', ?) ON CONFLICT DO UPDATE SET value = excluded.value", (repr(ahead),))
    if by < CLOCK_STEP_S:
        return 0.0
    tx.run("UPDATE job SET run_at = run_at - ? WHERE state = 'retrying'", (by,))
    tx.wakes = True
    return by


def types_held(ledger: Ledger, consumer: str) -> list[str]:
    """The types of the jobs that a consumer holds."""
    rows = ledger.rows(
        "SELECT DISTINCT type FROM job WHERE state = 'processing' AND worker >= ? AND worker < ?",
        (consumer + "/", consumer + "0"),
    )
    return [str(type_) for (type_,) in rows]


def _held_by(tx: Tx, consumer: str) -> list[Job]:
    rows = tx.rows(
        f"SELECT {JOB} FROM job j WHERE j.state = 'processing' AND j.worker >= ? AND j.worker < ?",
        (consumer + "/", consumer + "0"),
    )
    return [to_job(row) for row in rows]


def _back_to_pending(tx: Tx, seq: int, fence: int, attempts: int = 0) -> None:
    tx.run(
        "UPDATE job SET state = 'pending', ready_at = ?, attempt = attempt - ? "
        "WHERE seq = ? AND state = 'processing' AND fence = ?",
        (tx.now, attempts, seq, fence),
    )


def retry_policy(tx: Tx, seq: int) -> RetryPolicy:
    """How the job wants to be retried, as it was stored."""
    row = tx.row("SELECT retry FROM job WHERE seq = ?", (seq,))
    assert row is not None
    return RetryPolicy.from_text(row[0])


def any_expired(ledger: Ledger, now: float) -> bool:
    """Whether a waiting job's time to start has passed."""
    row = ledger.row(
        "SELECT 1 FROM job WHERE expires_at IS NOT NULL AND expires_at <= ? "
        "AND state IN ('scheduled', 'pending', 'retrying') LIMIT 1",
        (now,),
    )
    return row is not None


def cancel_requests(ledger: Ledger, seqs: Sequence[int]) -> list[int]:
    """Which of these running jobs somebody wants cancelled."""
    rows = ledger.rows(
        "SELECT seq FROM job WHERE seq IN (SELECT value FROM json_each(?)) AND cancel_requested_at IS NOT NULL "
        "AND state = 'processing'",
        (json.dumps(list(seqs)),),
    )
    return [int(seq) for (seq,) in rows]


def is_unwanted(ledger: Ledger, seqs: Sequence[int]) -> bool:
    """Whether one of these jobs is to be cancelled, or its queue is paused."""
    row = ledger.row(
        "SELECT 1 FROM job j JOIN queue q ON q.name = j.queue WHERE j.seq IN (SELECT value FROM json_each(?)) "
        "AND (j.cancel_requested_at IS NOT NULL OR q.paused_at IS NOT NULL) LIMIT 1",
        (json.dumps(list(seqs)),),
    )
    return row is not None


def claims(ledger: Ledger) -> list[tuple[str, int]]:
    """Id and fence of every job that runs."""
    return [
        (str(id_), int(fence)) for id_, fence in ledger.rows("SELECT id, fence FROM job WHERE state = 'processing'")
    ]


def anything_to_do(ledger: Ledger, queues: Sequence[str] | None, due_before: float, shut: Collection[str] = ()) -> bool:
    """Whether a job runs anywhere, or is ready or falls due before then in a queue (of these) that is not paused.

    Args:
        shut: types of which none starts until then, ready or not.
    """
    row = ledger.row(
        "SELECT 1 FROM tally WHERE state = 'processing' AND n > 0 UNION ALL "
        "SELECT 1 FROM queue q WHERE q.paused_at IS NULL "
        "AND (:queues IS NULL OR q.name IN (SELECT value FROM json_each(:queues))) AND ("
        "EXISTS (SELECT 1 FROM lane WHERE queue = q.name AND ready > 0 "
        "AND type NOT IN (SELECT value FROM json_each(:shut))) OR "
        "EXISTS (SELECT 1 FROM job WHERE state IN ('scheduled', 'retrying', 'blocked') AND run_at < :due_before "
        "AND queue = q.name AND NOT held AND (state <> 'blocked' OR waits_for = 0))) LIMIT 1",
        {
            "queues": None if queues is None else json.dumps(list(queues)),
            "due_before": due_before,
            "shut": json.dumps(list(shut)),
        },
    )
    return row is not None
