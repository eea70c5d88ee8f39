"""Whether the database can be written: by writing to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from jobdesk.core.errors import LedgerError
from jobdesk.ledger.explaining import explain

WAIT_S = 5.0
"""How long a lock of others is waited for."""


def write(path: Path, now: float, wait_s: float = WAIT_S) -> None:
    """Write one row, through a connection of its own that waits less long than others, and for no sync of the disk.

    Raises:
        LedgerError: it stayed locked, has no room, or cannot be written.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=wait_s)) as connection:
            connection.isolation_level = None
            connection.execute("PRAGMA synchronous = normal")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO meta VALUES ('health', ?1) ON CONFLICT DO UPDATE SET value = excluded.value", (now,)
            )
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise LedgerError(explain(path, error, wait_s)) from error
