"""Jobs for tests: says only what a test cares about."""

from collections.abc import Sequence
from typing import Any

from jobdesk.core.ids import ids
from jobdesk.core.job import Job, JobError, NewJob, State
from jobdesk.core.retry import RetryPolicy
from jobdesk.core.text import to_json
from jobdesk.desk import Desk
from jobdesk.ledger import checks, claiming, moves, queues, storing
from jobdesk.ledger.database import Ledger, Tx


def new_job(now: float, **over: Any) -> NewJob:
    fields: dict[str, Any] = {
        "id": ids.new("job", now),
        "type": "test",
        "queue": "default",
        "data": {},
        "priority": 50,
        "run_at": now,
        "max_attempts": 3,
        "timeout_s": 60.0,
        "retry": RetryPolicy(),
    }
    fields |= over
    return NewJob(**fields | {"data": to_json(fields["data"])})


def store(tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
    """Store jobs in queues that may be new; their ids."""
    for job in jobs:
        queues.ensure(tx, job.queue)
    return storing.submit(tx, jobs)


def submit(ledger: Ledger, **over: Any) -> str:
    """Store one job; its id."""
    with ledger.write() as tx:
        return store(tx, [new_job(tx.now, **over)])[0]


def operate(tx: Tx, action: str, id_: str) -> None:
    """What people do to one job."""
    match action:
        case "cancel":
            moves.cancel(tx, id_, "by hand")
        case "retry":
            moves.retry(tx, id_)
        case "delete":
            moves.delete(tx, id_)


def claim(ledger: Ledger, worker: str = "con_test/1") -> Job:
    """Claim the next job; there must be one."""
    with ledger.write() as tx:
        job = claiming.claim(tx, worker)
    assert job is not None
    return job


def counts_agree(ledger: Ledger) -> bool:
    """Whether what the ledger counts as it goes is what a count of its rows finds."""
    return not (checks.wrong_tallies(ledger) or checks.wrong_lanes(ledger) or checks.wrong_flows(ledger))


def error_of(job: Job) -> JobError:
    """Why it failed; it must have."""
    assert job.error is not None, job.state
    return job.error


def blame_of(job: Job) -> tuple[str, str]:
    """Type and message of its error."""
    error = error_of(job)
    return error.type, error.message


def result_of(desk: Desk, type_: str, **data: Any) -> Any:
    """Submit a job and wait for its result; it must complete."""
    job = desk.wait(desk.submit(type_, data).id, timeout=60)
    assert job.state is State.COMPLETED, job.error
    return job.result


def started(desk: Desk) -> list[str]:
    """Ids of all that a consumer would start now, in its order."""
    with desk.ledger.write() as tx:
        return [one.begin("con_x/1", tx.now).id for one in claiming.claim_many(tx, ["con_x/1"] * 9)]
