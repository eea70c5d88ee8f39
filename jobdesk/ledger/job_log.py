"""The log of a job by windows: its lines are events among others, and there may be a million of them."""

import json
from collections.abc import Sequence

from jobdesk.core.events import Kind
from jobdesk.ledger.database import Ledger

_OF_JOB = f"FROM event WHERE job = (SELECT seq FROM job WHERE id = ?) AND kind = '{Kind.JOB_LOG}'"


def ids(ledger: Ledger, job: str, *, after: int, limit: int) -> list[int]:
    """Ids of the lines behind one, oldest first."""
    return [id_ for (id_,) in ledger.rows(f"SELECT id {_OF_JOB} AND id > ? ORDER BY id LIMIT ?", (job, after, limit))]


def between(ledger: Ledger, job: str, start: int, end: int) -> int:
    """How many lines have an id from `start` up to `end`, which is left out."""
    row = ledger.row(f"SELECT count(*) {_OF_JOB} AND id >= ? AND id < ?", (job, start, end))
    return int(row[0]) if row else 0


def messages(ledger: Ledger, job: str, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Ids and messages of the lines behind one, oldest first."""
    sql = f"SELECT id, coalesce(json_extract(data, '$.message'), '') {_OF_JOB} AND id > ? ORDER BY id LIMIT ?"
    return [(id_, str(message)) for id_, message in ledger.rows(sql, (job, after, limit))]


def there(ledger: Ledger, events: Sequence[int]) -> int:
    """How many of these events are still there."""
    row = ledger.row("SELECT count(*) FROM event WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(events),))
    return int(row[0]) if row else 0


def newest(ledger: Ledger, job: str) -> int:
    """Id of the newest line; 0 if there is none."""
    row = ledger.row(f"SELECT id {_OF_JOB} ORDER BY id DESC LIMIT 1", (job,))
    return int(row[0]) if row else 0
