"""The dead letters, grouped by kind of error."""

from dataclasses import dataclass

from jobdesk.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters of one fingerprint; `job` is the newest of them. Instants are epoch seconds."""

    fingerprint: str | None
    count: int
    first_at: float
    last_at: float
    job: str
    type: str
    error: str | None
    message: str | None


def groups(ledger: Ledger) -> list[Group]:
    """Every kind of error with its count, the most frequent first."""
    rows = ledger.rows(
        "SELECT g.error_fingerprint, g.n, g.first_at, g.last_at, j.id, j.type, j.error_type, j.error_message FROM ("
        "  SELECT error_fingerprint, count(*) AS n, min(finished_at) AS first_at, max(finished_at) AS last_at, "
        "  max(seq) AS newest FROM job WHERE state IN ('failed', 'expired') GROUP BY error_fingerprint"
        ") g JOIN job j ON j.seq = g.newest ORDER BY g.n DESC, g.last_at DESC"
    )
    return [Group(*row) for row in rows]


def ends(ledger: Ledger, fingerprint: str | None, limit: int = 2000) -> list[float]:
    """When the newest dead letters of a group ended, epoch seconds, newest first."""
    rows = ledger.rows(
        "SELECT finished_at FROM job INDEXED BY job_error "
        "WHERE state IN ('failed', 'expired') AND error_fingerprint IS ? ORDER BY seq DESC LIMIT ?",
        (fingerprint, limit),
    )
    return sorted((float(row[0]) for row in rows), reverse=True)
