"""Which version of jobdesk each consumer runs, and how the clock stood when it began."""

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobdesk.ledger.database import Ledger, Tx

MIGRATION = """
ALTER TABLE consumer ADD COLUMN version TEXT;
ALTER TABLE consumer ADD COLUMN booted_at REAL;   -- when the machine was started, by the clock as it stood then
"""


def note(tx: "Tx", consumer: str, version: str, since_boot: float | None) -> None:
    """A consumer that has just registered runs this version, so many seconds after the machine was started."""
    booted_at = None if since_boot is None else tx.now - since_boot
    tx.run("UPDATE consumer SET version = ?, booted_at = ? WHERE id = ?", (version, booted_at, consumer))


def boots(ledger: "Ledger") -> dict[str, float]:
    """By running consumer, when the machine was started by the clock as it stood when that began, epoch seconds."""
    rows = ledger.rows("SELECT id, booted_at FROM consumer WHERE stopped_at IS NULL AND booted_at IS NOT NULL")
    return {str(id_): float(at) for id_, at in rows}


def others(ledger: "Ledger", version: str, consumers: Collection[str]) -> dict[str, str]:
    """Of these consumers, the version of each that runs another; "an older one" where it is not known."""
    rows = ledger.rows("SELECT id, version FROM consumer WHERE stopped_at IS NULL AND version IS NOT ?", (version,))
    return {id_: found or "an older one" for id_, found in rows if id_ in consumers}
