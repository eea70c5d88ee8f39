"""What an archive keeps of an ended job, and which jobs in flight need something that lies on disk."""

from collections.abc import Collection, Mapping
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.errors import NotFound
from jobdesk.core.job import IN_FLIGHT
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.prune import Ended

_ALL = -1
"""A limit that is none."""
_LOOK = 2000
"""Jobs that one statement reads."""


def record(ledger: Ledger, one: Ended) -> Mapping[str, Any] | None:
    """A job as commands print it, with its history and attempts; None if it is no longer as it was read."""
    with ledger.reading():
        row = ledger.row("SELECT id FROM job WHERE seq = ?", (one.seq,))
        if row is None:
            return None
        try:
            job = reads.job(ledger, row[0])
        except NotFound:
            return None
        if (job.state, job.finished_at) != (one.state, one.finished_at):
            return None
        history = [event.to_json() for event in reads.events(ledger, job=job.id, limit=_ALL)]
        attempts = reads.attempts(ledger, job.id)
    for attempt in attempts:
        attempt |= {name: iso(attempt[name]) for name in ("started_at", "finished_at")}
    return job.to_json() | {"attempts": attempts, "history": history}


def mentioned(ledger: Ledger, names: Collection[str]) -> set[str]:
    """Which of these names are the id of a job in flight, or stand in its payload."""
    left, found = set(names), set[str]()
    for state in sorted(IN_FLIGHT):
        at = -1
        while left and (rows := ledger.rows(
            f"SELECT seq, id, data FROM job WHERE state = '{state}' AND seq > ? ORDER BY seq LIMIT {_LOOK}", (at,)
        )):  # fmt: skip
            at = rows[-1][0]
            for _, id_, data in rows:
                here = {name for name in left if name == id_ or name in data}
                found |= here
                left -= here
    return found
