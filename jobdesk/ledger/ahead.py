"""What stands between a job and a worker: the jobs it waits for and those that go first."""

from dataclasses import dataclass

from jobdesk.core.job import Job, State
from jobdesk.ledger.database import Ledger

MOST = 10_000
"""Jobs ahead are counted up to here."""


_LANES = (
    "lane l CROSS JOIN job j INDEXED BY job_claim ON j.queue = l.queue AND j.type = l.type "
    "WHERE l.queue = ?1 AND j.state = 'pending' AND j.parked = 0"
)


@dataclass(frozen=True, slots=True)
class Parent:
    """A job that another waits for."""

    id: str
    type: str
    state: State


def open_parents(ledger: Ledger, job: Job) -> list[Parent]:
    """The jobs it waits for that have not completed, oldest first."""
    rows = ledger.rows(
        "SELECT p.id, p.type, p.state FROM dependency d JOIN job p ON p.seq = d.parent "
        "WHERE d.job = ? AND p.state <> 'completed' AND NOT (d.ignores AND p.finished_at IS NOT NULL) ORDER BY p.seq",
        (job.seq,),
    )
    return [Parent(id_, type_, State(state)) for id_, type_, state in rows]


def ahead(ledger: Ledger, job: Job) -> int:
    """How many ready jobs of its queue go first, at most `MOST`."""
    row = ledger.row(
        "WITH me AS (SELECT rank FROM job WHERE seq = ?2) "
        f"SELECT count(*) FROM (SELECT 1 FROM {_LANES} AND rank > (SELECT rank FROM me) UNION ALL "
        f"SELECT 1 FROM {_LANES} AND rank = (SELECT rank FROM me) AND seq < ?2 LIMIT ?3)",
        (job.queue, job.seq, MOST),
    )
    return int(row[0]) if row else 0


def key_holder(ledger: Ledger, job: Job) -> str | None:
    """Id of the running job that has its concurrency key."""
    row = ledger.row(
        "SELECT id FROM job WHERE concurrency_key = ? AND state = 'processing' AND seq <> ?",
        (job.concurrency_key, job.seq),
    )
    return None if row is None else str(row[0])


def orphans(ledger: Ledger, consumers: list[str]) -> list[tuple[str, str]]:
    """Id and worker of running jobs that none of these consumers holds."""
    rows = ledger.rows("SELECT id, worker FROM job WHERE state = 'processing' ORDER BY seq")
    return [(id_, worker) for id_, worker in rows if worker.partition("/")[0] not in consumers]


def held_by(ledger: Ledger, consumer: str) -> int:
    """How many running jobs the consumer holds."""
    row = ledger.row(
        "SELECT count(*) FROM job WHERE state = 'processing' AND worker >= ?1 || '/' AND worker < ?1 || '0'",
        (consumer,),
    )
    return int(row[0]) if row else 0
