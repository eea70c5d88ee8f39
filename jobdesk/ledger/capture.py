"""What an action changes, row by row, whatever statements and triggers do it: so that it can be told and undone.

Temporary triggers on the connection that acts call back with each row as it was. They are made when a thread first
acts and are deaf between actions; connections of workers never have them.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jobdesk.ledger.database import Tx

Values = dict[str, Any]
Note = tuple[Any, ...]
"""Operation (i, u, d), table, and the row's values: as it was, or of a new one as it is."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "job": ("seq",),
    "flow": ("id",),
    "dependency": ("parent", "job"),
    "attempt": ("job", "fence"),
    "artifact": ("job", "path"),
    "event": ("id",),
    "binding": ("job",),
    "queue": ("name",),
    "schedule": ("name",),
    "intake": ("id",),
    "drop_folder": ("path",),
}
_HEARD = {"job": "iud", "flow": "iud", "queue": "u", "schedule": "iud", "intake": "u", "drop_folder": "iud"}
"""Operations that are heard; of all other tables only what is deleted: what is added to them goes with its job."""
_DERIVED = {"job": {"parked", "counted"}, "flow": {"total", "open", "failed"}}
"""Columns that triggers keep: they follow by themselves."""
_WORDS = {"i": "INSERT", "u": "UPDATE", "d": "DELETE"}
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after; None where there was none, or is none. Of one that changed, the columns that differ.

    Of a job's row `id`, `state` and `fence` are there too, however they are.
    """

    table: str
    key: tuple[Any, ...]
    before: Values | None
    after: Values | None

    def to_json(self) -> list[Any]:
        return [self.table, list(self.key), self.before, self.after]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> "Change":
        return cls(value[0], tuple(value[1]), value[2], value[3])


@contextmanager
def heard(tx: Tx) -> Iterator[list[Note]]:
    """Everything that this thread changes in the block, in order."""
    _make_triggers(tx)
    notes: list[Note] = []
    _thread.notes = notes
    try:
        yield notes
    finally:
        _thread.notes = None


def changes(tx: Tx, notes: Sequence[Note]) -> list[Change]:
    """What these come to, in the order in which rows were first touched."""
    first: dict[tuple[str, tuple[Any, ...]], Note] = {}
    last: dict[tuple[str, tuple[Any, ...]], str] = {}
    for note in notes:
        table = note[1]
        at = table, tuple([note[place] for place in _places(tx, table)])
        if at not in first:
            first[at] = note
        last[at] = note[0]
    found = []
    for at, note in first.items():
        table, key = at
        before = None if note[0] == "i" else dict(zip(columns(tx, table), note[2:], strict=True))
        after = None if last[at] == "d" else current(tx, table, key)
        if (change := _difference(table, key, before, after)) is not None:
            found.append(change)
    return found


def _places(tx: Tx, table: str) -> tuple[int, ...]:
    """Where in a note the values of the row's key stand."""
    if table not in _key_places:
        names = columns(tx, table)
        _key_places[table] = tuple(names.index(name) + 2 for name in KEYS[table])
    return _key_places[table]


def current(tx: Tx, table: str, key: Sequence[Any]) -> Values | None:
    """A row as it is; None if there is none."""
    names = columns(tx, table)
    where = " AND ".join(f"{name} = ?" for name in KEYS[table])
    row = tx.row(f"SELECT {', '.join(names)} FROM {table} WHERE {where}", key)
    return None if row is None else dict(zip(names, row, strict=True))


def columns(tx: Tx, table: str) -> tuple[str, ...]:
    """The columns of a table that are stored."""
    if table not in _columns:
        _columns[table] = tuple(row[1] for row in tx.rows(f"PRAGMA table_info({table})"))
    return _columns[table]


_key_places: dict[str, tuple[int, ...]] = {}
_columns: dict[str, tuple[str, ...]] = {}
"""The same in every ledger that this program has opened: it brings each to its own version first."""


def _difference(table: str, key: tuple[Any, ...], before: Values | None, after: Values | None) -> Change | None:
    if before is None and after is None:
        return None
    if table == "intake":  # where a file lies cannot be put back by changing a row; its path need not be text
        return Change(table, key, {}, {})
    if before is None or after is None:
        return Change(table, key, before, after)
    derived = _DERIVED.get(table, set())
    names = [name for name in before if before[name] != after[name] and name not in derived]
    if not names:
        return None
    names += [name for name in ("id", "state", "fence") if table == "job" and name not in names]
    return Change(table, key, {name: before[name] for name in names}, {name: after[name] for name in names})


def _note(*values: Any) -> None:
    _thread.notes.append(values)


def _make_triggers(tx: Tx) -> None:
    if tx.row("SELECT 1 FROM temp.sqlite_master WHERE name = 'heard_job_u'") is not None:
        return
    tx.connection.create_function("heard", -1, _note)
    tx.connection.create_function("hearing", 0, lambda: getattr(_thread, "notes", None) is not None)
    for table in KEYS:
        for op in _HEARD.get(table, "d"):
            which = "new" if op == "i" else "old"
            row = ", ".join(f"{which}.{name}" for name in columns(tx, table))
            tx.run(
                f"CREATE TEMP TRIGGER heard_{table}_{op} AFTER {_WORDS[op]} ON main.{table} WHEN hearing() "
                f"BEGIN SELECT heard('{op}', '{table}', {row}); END"
            )
