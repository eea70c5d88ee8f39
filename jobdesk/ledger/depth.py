"""How many ready jobs each queue held, minute by minute: looks of consumers, for charts and sparklines."""

from jobdesk.ledger import gauges
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.totals import DAY, MINUTE

KEPT_S = 3 * DAY
"""As long as the minutes of the rollups."""


class Depths:
    """Takes note of the depths at each look; writes only what is more than the minute has already."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._at = -1
        self._most: dict[str, int] = {}

    def look(self, now: float) -> None:
        """Take note of how full the queues are at `now`, epoch seconds."""
        at = int(now // MINUTE)
        if at != self._at:
            self._at, self._most = at, {}
        more = {name: n for name, n in gauges.depths(self._ledger).items() if n > self._most.get(name, 0)}
        if not more:
            return
        with self._ledger.write(durable=False) as tx:
            tx.many(
                "INSERT INTO depth VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET most = max(most, excluded.most)",
                [(at, name, n) for name, n in more.items()],
            )
            tx.run("DELETE FROM depth WHERE at < ?", (at - KEPT_S // MINUTE,))
        self._most |= more


def minutes(ledger: Ledger, now: float, span: int) -> list[tuple[int, str, int]]:
    """Minute (since the epoch), queue and ready jobs of the last `span` minutes, oldest first; none where none were."""
    rows = ledger.rows("SELECT at, queue, most FROM depth WHERE at > ? ORDER BY at", (int(now // MINUTE) - span,))
    return [(int(at), queue, int(most)) for at, queue, most in rows]
