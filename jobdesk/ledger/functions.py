"""Functions of SQL that are Python's: ours, and those that this build of SQLite lacks."""

import math
import sqlite3
from collections.abc import Callable
from functools import cache
from typing import Any

from jobdesk.ledger.fulltext import has_words


@cache
def functions() -> tuple[tuple[str, int, Callable[..., Any]], ...]:
    """Name, number of arguments, and the function; all are deterministic."""
    ours: tuple[str, int, Callable[..., Any]] = ("has_words", 5, has_words)
    with sqlite3.connect(":memory:") as connection:  # most builds have the logarithm, several times as fast
        has_ln = connection.execute("SELECT sqlite_compileoption_used('ENABLE_MATH_FUNCTIONS')").fetchone()[0]
    return (ours,) if has_ln else (ours, ("ln", 1, math.log))
