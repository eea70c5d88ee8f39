"""What a screen reads at a glance and again and again: what ended lately, and the errors that lie in the dead letters.

Each costs the same however many jobs the ledger holds: it walks an index from its newest end, and stops.
"""

from dataclasses import dataclass

from jobdesk.core.events import Kind
from jobdesk.core.job import DEAD, State
from jobdesk.ledger.database import Ledger

_ENDS = {Kind.JOB_COMPLETED, Kind.JOB_FAILED, Kind.JOB_EXPIRED}


@dataclass(frozen=True, slots=True)
class Ending:
    """A job ended: `at` is epoch seconds, spans are seconds, None where it never started."""

    at: float
    queue: str
    waited_s: float | None
    took_s: float | None


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Dead letters with one fingerprint; type and message are those of the newest of them."""

    fingerprint: str | None
    count: int
    job_type: str
    queue: str
    error_type: str
    message: str
    last_at: float


def newest_event(ledger: Ledger) -> int:
    """Id of the newest event; 0 if there is none."""
    row = ledger.row("SELECT max(id) FROM event")
    return int(row[0] or 0) if row else 0


def newest_endings(ledger: Ledger, since: float, limit: int) -> list[Ending]:
    """The newest jobs that completed, failed or expired after `since` (epoch seconds), oldest first."""
    rows = ledger.rows(
        "SELECT finished_at, queue, ready_at, started_at FROM job "
        "WHERE finished_at > ? AND state <> 'cancelled' ORDER BY finished_at DESC LIMIT ?",
        (since, limit),
    )
    return [Ending(at, queue, _span(ready, began), _span(began, at)) for at, queue, ready, began in reversed(rows)]


def endings_after(ledger: Ledger, event: int, limit: int) -> tuple[int, list[Ending]]:
    """Endings told by events above `event`, oldest first, and the id of the last event looked at."""
    rows = ledger.rows(
        "SELECT e.id, e.at, e.kind, e.queue, j.ready_at, j.started_at FROM event e LEFT JOIN job j ON j.seq = e.job "
        "WHERE e.id > ? ORDER BY e.id LIMIT ?",
        (event, limit),
    )
    found = [
        Ending(at, queue, _span(ready_at, started_at), _span(started_at, at))
        for _, at, kind, queue, ready_at, started_at in rows
        if kind in _ENDS
    ]
    return (int(rows[-1][0]) if rows else event), found


def error_groups(ledger: Ledger, limit: int) -> list[ErrorGroup]:
    """The largest groups of dead letters by fingerprint, largest first."""
    states = ", ".join(f"'{state}'" for state in State if state in DEAD)
    rows = ledger.rows(
        f"SELECT g.fingerprint, g.n, j.type, j.queue, j.error_type, j.error_message, j.finished_at FROM ("
        "  SELECT error_fingerprint AS fingerprint, count(*) AS n, max(seq) AS seq "
        f"  FROM job INDEXED BY job_error WHERE state IN ({states}) "
        f"  GROUP BY error_fingerprint ORDER BY n DESC LIMIT ?) g "
        f"CROSS JOIN job j ON j.seq = g.seq ORDER BY g.n DESC, j.finished_at DESC",
        (limit,),
    )
    return [
        ErrorGroup(fingerprint, int(n), type_, queue, error or "Error", message or "", at or 0.0)
        for fingerprint, n, type_, queue, error, message, at in rows
    ]


def dead_letters(ledger: Ledger) -> tuple[int, int]:
    """How many dead letters there are, and the seq of a newest one: while both stay, so do the groups."""
    counted = ledger.row("SELECT coalesce(sum(n), 0) FROM tally WHERE state IN ('failed', 'expired')")
    newest = ledger.row("SELECT seq FROM job WHERE state = 'failed' ORDER BY seq DESC LIMIT 1")
    return (int(counted[0]) if counted else 0), (int(newest[0]) if newest else 0)


def same_error(ledger: Ledger, fingerprint: str, besides: int) -> int:
    """Dead letters with this fingerprint besides the job with this seq."""
    row = ledger.row(
        "SELECT count(*) FROM job WHERE error_fingerprint = ? AND state IN ('failed', 'expired') AND seq <> ?",
        (fingerprint, besides),
    )
    return int(row[0]) if row else 0


def _span(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)
