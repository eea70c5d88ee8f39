"""Completing many jobs in one transaction: those of which there is nothing more to say than their result."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.events import Kind
from jobdesk.core.job import Job, State
from jobdesk.ledger import counters, follow
from jobdesk.ledger.database import EVENT, Tx
from jobdesk.ledger.said import Said


class Lost(Exception):
    """A job is somebody else's by now."""


@dataclass(slots=True)
class Completion:
    """One job that is done. `result` is JSON; `at` epoch seconds."""

    job: Job
    result: str
    at: float
    cpu_ms: int | None = None
    max_rss_bytes: int | None = None
    starts: bool = False
    """The ledger does not know yet that it has begun."""


_COMPLETE = (
    "WITH done (result, worker, started_at, finished_at, cpu_ms, max_rss_bytes, seq, fence) AS (VALUES {}) "
    "UPDATE job SET state = 'completed', result = done.result, worker = done.worker, "
    "started_at = done.started_at, finished_at = done.finished_at, cpu_ms = done.cpu_ms, "
    "max_rss_bytes = done.max_rss_bytes, counted = counted + 1 FROM done "
    "WHERE job.seq = done.seq AND job.state = 'processing' AND job.fence = done.fence"
)
_ATTEMPT = (
    "INSERT INTO attempt (job, fence, number, outcome, worker, started_at, finished_at, cpu_ms, max_rss_bytes) "
    "VALUES {}"
)
_STARTED, _COMPLETED = Kind.JOB_STARTED.value, Kind.JOB_COMPLETED.value


def fits(job: Job) -> bool:
    """Whether a job may be completed here: it has no flow, no concurrency key and no former error."""
    return job.flow is None and job.concurrency_key is None and job.error is None


def complete_many(tx: Tx, done: Sequence[Completion]) -> None:
    """Write that these jobs are done, if all their claims still fit.

    One loop over them, and no more made for each than the values that SQL is given: this is the hottest path there is.

    Raises:
        Lost: a claim does not fit any more; what was written here must be undone.
    """
    if not done:
        return
    jobs: list[Any] = []
    attempts: list[Any] = []
    events: list[Any] = []
    queues: dict[str, int] = {}
    minutes: dict[tuple[int, str], int] = {}
    starts, ends = Said("attempt", "worker"), Said("attempt", "type")
    for one in done:
        job, at = one.job, one.at
        seq, queue, worker, started_at = job.seq, job.queue, job.worker, job.started_at
        jobs += (one.result, worker, started_at, at, one.cpu_ms, one.max_rss_bytes, seq, job.fence)
        attempts += (
            seq, job.fence, job.attempt, "completed", worker, started_at, at, one.cpu_ms, one.max_rss_bytes
        )  # fmt: skip
        if one.starts:
            events += (started_at, _STARTED, seq, queue, starts[job.attempt, worker])
        events += (at, _COMPLETED, seq, queue, ends[job.attempt, job.type])
        queues[queue] = queues.get(queue, 0) + 1
        minute = int(at / 60), queue
        minutes[minute] = minutes.get(minute, 0) + 1
    if tx.spread(_COMPLETE, 8, jobs) != len(done):
        raise Lost
    tx.spread(_ATTEMPT, 9, attempts)
    tx.spread(EVENT, 5, events)
    counters.moved(tx, queues, State.PROCESSING, State.COMPLETED)
    counters.completed(tx, minutes)
    for (parent,) in tx.rows(
        "SELECT DISTINCT parent FROM dependency WHERE parent IN (SELECT value FROM json_each(?))",
        (json.dumps(jobs[6::8]),),
    ):
        follow.completed(tx, parent)
