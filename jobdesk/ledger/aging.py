"""Ageing: how much priority a waiting job gains."""

from jobdesk.ledger.database import Ledger
from jobdesk.ledger.unique import IN_FLIGHT_WORDS

STEP = 25
"""From one word of priority to the next: low, normal, high, urgent."""


def sync(ledger: Ledger, span_s: float | None) -> None:
    """Let waiting jobs gain a step of priority in each span, evenly; None for none. Writes only a change.

    What waits already is stamped anew, in one transaction: ranks of two kinds do not compare.
    """
    wanted = 0.0 if span_s is None else STEP / span_s
    row = ledger.row("SELECT value FROM meta WHERE key = 'aging'")
    if (float(row[0]) if row else 0.0) == wanted:
        return
    with ledger.write() as tx:
        tx.run("INSERT INTO meta VALUES ('aging', ?) ON CONFLICT DO UPDATE SET value = excluded.value", (repr(wanted),))
        tx.run(f"UPDATE job SET aging = ? WHERE state IN ({IN_FLIGHT_WORDS}) AND aging >= 0", (wanted,))
        tx.wakes = True
