"""Where encrypted secrets lie in the ledger, and how they come under another key: a few rows at a time.

Each row is changed by an UPDATE guarded by what it held, so that whoever changes it meanwhile wins; it is found again
by the next look. The keys that came before still open everything, so a rotation may stop anywhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jobdesk.core.redaction import TOKEN, TOKEN_MARK
from jobdesk.ledger import dropped
from jobdesk.ledger.database import Ledger, Row

BATCH = 200
"""Rows that one transaction changes."""
PLACES = (
    ("job", "seq", ("data", "result")),
    ("flow", "id", ("input", "on_failure")),
    ("binding", "job", ("bindings",)),
    ("schedule", "name", ("data",)),
    ("asset", "id", ("record",)),
    ("drop_folder", "path", ("rule",)),
)
"""Tables, their keys, and the columns of theirs that may hold tokens."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row that holds tokens, as text of each column."""

    table: str
    key: int | str
    values: dict[str, str]

    @property
    def tokens(self) -> Iterator[str]:
        for text in self.values.values():
            yield from TOKEN.findall(text)


def rows(ledger: Ledger, batch: int = BATCH) -> Iterator[list[Found]]:
    """Every row with a token, a batch at a time, table by table in the order of keys."""
    for table, key, columns in PLACES:
        has = " OR ".join(f"instr({column}, '{TOKEN_MARK}')" for column in columns)
        after: int | str = -1 if table in ("job", "binding") else ""
        while True:
            read = ledger.rows(
                f"SELECT {key}, {', '.join(columns)} FROM {table} WHERE {key} > ? AND ({has}) ORDER BY {key} LIMIT ?",
                (after, batch),
            )
            if not read:
                break
            after = read[-1][0]
            yield [Found(table, row[0], _tokens_in(columns, row[1:])) for row in read]


def _tokens_in(columns: tuple[str, ...], texts: Row) -> dict[str, str]:
    return {name: text for name, text in zip(columns, texts, strict=True) if text and TOKEN_MARK in text}


def rewrite(ledger: Ledger, found: list[Found], change: Callable[[str], str]) -> int:
    """Put what `change` makes of each token in its place; how many rows were changed meanwhile by somebody else."""
    keys = {table: key for table, key, _ in PLACES}
    new = [
        (one, column, text, made)
        for one in found
        for column, text in one.values.items()
        if (made := TOKEN.sub(lambda token: change(token[0]), text)) != text
    ]
    if not new:
        return 0
    lost = 0
    with ledger.write() as tx:
        if any(one.table == "drop_folder" for one, *_ in new):
            dropped.changed(tx)
        for one, column, text, made in new:
            lost += not tx.run(
                f"UPDATE {one.table} SET {column} = ? WHERE {keys[one.table]} = ? AND {column} = ?",
                (made, one.key, text),
            )
    return lost


def name(ledger: Ledger, row: Found) -> str:
    """How people call a row: a job by its id."""
    if row.table not in ("job", "binding"):
        return str(row.key)
    found = ledger.row("SELECT id FROM job WHERE seq = ?", (row.key,))
    return str(found[0] if found else row.key)
