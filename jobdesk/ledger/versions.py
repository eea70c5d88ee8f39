"""Which version of jobdesk each consumer runs."""

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobdesk.ledger.database import Ledger, Tx

MIGRATION = """
ALTER TABLE consumer ADD COLUMN version TEXT;
"""


def note(tx: "Tx", consumer: str, version: str) -> None:
    """A consumer that has just registered runs this version."""
    tx.run("UPDATE consumer SET version = ? WHERE id = ?", (version, consumer))


def others(ledger: "Ledger", version: str, consumers: Collection[str]) -> dict[str, str]:
    """Of these consumers, the version of each that runs another; "an older one" where it is not known."""
    rows = ledger.rows("SELECT id, version FROM consumer WHERE stopped_at IS NULL AND version IS NOT ?", (version,))
    return {id_: found or "an older one" for id_, found in rows if id_ in consumers}
