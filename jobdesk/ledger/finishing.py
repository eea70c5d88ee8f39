"""Completing many jobs in one transaction: those of which there is nothing more to say than their result."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.events import Kind
from jobdesk.core.job import Job, State
from jobdesk.ledger import counters, follow
from jobdesk.ledger.database import Tx


@dataclass(slots=True)
class Completion:
    """One job that is done. `result` is JSON; `at` epoch seconds."""

    job: Job
    result: str
    at: float
    cpu_ms: int | None = None
    max_rss_bytes: int | None = None


def fits(job: Job) -> bool:
    """Whether a job may be completed here: it has no flow, no concurrency key and no former error."""
    return job.flow is None and job.concurrency_key is None and job.error is None


def complete_many(tx: Tx, done: Sequence[Completion]) -> None:
    """Write that these jobs are done; their claims are known to fit, in this transaction."""
    if not done:
        return
    tx.spread(
        "WITH done (result, worker, started_at, finished_at, cpu_ms, max_rss_bytes, seq) AS (VALUES {}) "
        "UPDATE job SET state = 'completed', result = done.result, worker = done.worker, "
        "started_at = done.started_at, finished_at = done.finished_at, cpu_ms = done.cpu_ms, "
        "max_rss_bytes = done.max_rss_bytes, counted = counted + 1 FROM done WHERE job.seq = done.seq",
        [
            (one.result, one.job.worker, one.job.started_at, one.at, one.cpu_ms, one.max_rss_bytes, one.job.seq)
            for one in done
        ],
    )
    counters.moved(tx, Counter(one.job.queue for one in done), State.PROCESSING, State.COMPLETED)
    counters.completed(tx, Counter((int(one.at / 60), one.job.queue) for one in done))
    tx.spread(
        "INSERT INTO attempt (job, fence, number, outcome, worker, started_at, finished_at, cpu_ms, max_rss_bytes) "
        "VALUES {}",
        [
            (
                job.seq,
                job.fence,
                job.attempt,
                "completed",
                job.worker,
                job.started_at,
                one.at,
                one.cpu_ms,
                one.max_rss_bytes,
            )
            for one in done
            for job in (one.job,)
        ],
    )
    tx.events(
        Kind.JOB_COMPLETED,
        [(one.at, one.job.seq, one.job.queue, {"attempt": one.job.attempt, "type": one.job.type}) for one in done],
    )
    for (parent,) in tx.rows(
        "SELECT DISTINCT parent FROM dependency WHERE parent IN (SELECT value FROM json_each(?))",
        (json.dumps([one.job.seq for one in done]),),
    ):
        follow.completed(tx, parent)
