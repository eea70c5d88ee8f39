"""What happened to a job, told apart from what it said: events of some kinds among any number of others."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.events import Event, Kind
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.reads import to_event

STRETCH = 20_000
"""Events of a job that are looked through at a time: a log may have a million."""
_NEWEST = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """Events of these kinds, oldest first; all up to `upto` were looked through; `more`: others follow."""

    events: tuple[Event, ...]
    upto: int
    more: bool


def part(ledger: Ledger, job: str, *, after: int, kinds: Sequence[Kind]) -> Part:
    """The next stretch of what happened to a job, by its full id."""
    last = ledger.row(
        "SELECT count(*), max(id) FROM (SELECT id FROM event WHERE job = (SELECT seq FROM job WHERE id = ?) "
        "AND id > ? ORDER BY id LIMIT ?)",
        (job, after, STRETCH),
    )
    count, upto = (0, after) if last is None or not last[0] else last
    if not count:
        return Part((), after, False)
    found = _of_kinds(ledger, job, kinds, "e.id > ? AND e.id <= ? ORDER BY e.id", (after, upto))
    return Part(found, upto, count == STRETCH)


def newest(ledger: Ledger, job: str, kinds: Sequence[Kind]) -> tuple[Event, ...]:
    """Those among the last events of a job, oldest first."""
    since = ledger.row(
        "SELECT min(id) FROM (SELECT id FROM event WHERE job = (SELECT seq FROM job WHERE id = ?) "
        "ORDER BY id DESC LIMIT ?)",
        (job, _NEWEST),
    )
    return _of_kinds(ledger, job, kinds, "e.id >= ? ORDER BY e.id", (since[0] if since else 0,))


def _of_kinds(
    ledger: Ledger, job: str, kinds: Sequence[Kind], where: str, values: tuple[int, ...]
) -> tuple[Event, ...]:
    rows = ledger.rows(
        "SELECT e.id, e.at, e.kind, j.id, e.queue, e.data FROM job j JOIN event e ON e.job = j.seq "
        f"WHERE j.id = ? AND e.kind IN ({', '.join('?' * len(kinds))}) AND {where}",
        (job, *kinds, *values),
    )
    return tuple(to_event(row) for row in rows)
