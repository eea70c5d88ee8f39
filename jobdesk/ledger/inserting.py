"""Many new rows of a table in few statements: each value that is bound takes its time, so none is bound twice."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from jobdesk.ledger.database import Tx


def insert(tx: Tx, table: str, columns: Sequence[str], values: list[Any]) -> None:
    """Insert rows, whose values are given one after the other. What many have in common is given to SQL once."""
    width = len(columns)
    rows = len(values) // width
    if rows <= 1:
        tx.spread(_sql(table, *columns), width, values)
        return
    same: dict[str, Any] = {}
    own: dict[str, list[Any]] = {}
    for at, name in enumerate(columns):
        column = values[at::width]
        if column.count(column[0]) == rows and (own or at < width - 1):  # one at least is each row's own
            same[name] = column[0]
        else:
            own[name] = column
    spread: list[Any] = [None] * (rows * len(own))
    for at, column in enumerate(own.values()):
        spread[at :: len(own)] = column
    tx.spread(_sql(table, *same, *own), len(own), spread, tuple(same.values()))


@cache
def _sql(table: str, *columns: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {{}}"
