"""Ids that people shorten: the one row that a beginning fits."""

from typing import Literal

from jobdesk.core.errors import NotFound, UsageError
from jobdesk.ledger.database import Ledger


def the_one(ledger: Ledger, kind: Literal["job", "flow"], start: str, typed: str, hint: str = "") -> str:
    """The one id of table `kind` that begins with `start`; `typed` is what the person wrote, for the message.

    Raises:
        NotFound: none does; the message ends with `hint`.
        UsageError: several do.
    """
    sql = f"SELECT id FROM {kind} WHERE id >= ? AND id < ? ORDER BY id LIMIT 2"
    rows = ledger.rows(sql, (start, start + "~")) if start.isascii() else ()  # no id has other letters
    if not rows:
        raise NotFound(f"there is no {kind} {typed}{hint}")
    if len(rows) > 1 and rows[0][0] != start:
        raise UsageError(f"'{typed}' fits several {kind}s ({rows[0][0]}, {rows[1][0]} …): give more of the id")
    return str(rows[0][0])
