"""How long jobs waited and ran, and of which types, by minute, for charts: from rollups, so to what was folded last."""

from dataclasses import dataclass

from jobdesk.ledger.database import Ledger
from jobdesk.ledger.spans import Spans, add_packed
from jobdesk.ledger.totals import MINUTE

PERCENTS = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute (since the epoch) and the percentiles `PERCENTS` of how long its jobs waited and ran, in seconds."""

    at: int
    waited_s: tuple[float, ...]
    took_s: tuple[float, ...]


def latencies(ledger: Ledger, now: float, minutes: int) -> list[Minute]:
    """The last minutes in which jobs ended, oldest first; those that are not in the rollups yet are left out."""
    found: dict[int, list[Spans]] = {}
    for at, packed in ledger.rows(
        "SELECT at, spans FROM rollup WHERE grain = ? AND at > ? ORDER BY at", (MINUTE, int(now // MINUTE) - minutes)
    ):
        add_packed(found.setdefault(int(at), [Spans(), Spans(), Spans()]), packed)
    return [
        Minute(at, tuple(waited.percentiles_s(*PERCENTS)), tuple(took.percentiles_s(*PERCENTS)))
        for at, (waited, took, _) in found.items()
        if took.count and waited.count
    ]


def ended_by_type(ledger: Ledger, now: float, minutes: int) -> list[tuple[int, str, int]]:
    """Minute (since the epoch), job type and how many of it ended in the last minutes, oldest first."""
    rows = ledger.rows(
        "SELECT at, type, sum(completed + failed + expired) FROM rollup WHERE grain = ? AND at > ? GROUP BY at, type",
        (MINUTE, int(now // MINUTE) - minutes),
    )
    return [(int(at), type_, int(ended)) for at, type_, ended in rows if ended]
