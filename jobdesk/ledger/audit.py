"""The audit log: who did what, when, to which jobs, queue, schedule, folder or flow, with before and after.

Each transaction of an action writes its part of the log itself, so a kill leaves both or neither.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jobdesk.core.actor import Actor
from jobdesk.core.clock import iso
from jobdesk.core.redaction import MASK, names_a_secret, shown
from jobdesk.ledger import capture
from jobdesk.ledger.capture import Change
from jobdesk.ledger.database import Ledger, Tx

UNDO_S = 86_400.0
"""How long an action may be undone, seconds."""
UNDO_BYTES = 64_000_000
"""What all that may be undone takes in the ledger at the most; the oldest goes first."""
_SHOWN = ("state", "priority", "queue", "data", "run_at", "cancel_requested_at")
"""Columns of a job that before and after tell of."""
_LONGEST = 200
"""Characters of a value that before and after tell."""
_NAMED_TABLES = ("queue", "schedule", "drop_folder")
_INNER = {
    "path",
    "added_at",
    "name",
    "id",
    "seq",
    "cursor_at",
    "changed_at",
    "created_at",
    "fired",
    "missed_count",
    "last_at",
    "last_job",
}


class Group:
    """One thing that may be undone alone: a job with what followed it, or all of an action."""

    def __init__(self, jobs: Sequence[str], changes: Sequence[Change]) -> None:
        self.jobs, self.changes = jobs, changes

    @property
    def lasting(self) -> str | None:
        """Why it cannot be undone; None if it can."""
        for one in self.changes:
            if one.table == "intake":
                return "the file it was dropped as was put back for it"
            if one.table == "job" and one.before and one.after and one.before["state"] == "processing":
                return "it was running"
        return None

    def to_json(self) -> list[Any]:
        return [list(self.jobs), [one.to_json() for one in self.changes]]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> "Group":
        return cls(value[0], [Change.from_json(one) for one in value[1]])


class Part:
    """What one transaction of an action does; made by `Deed.part`."""

    def __init__(self, tx: Tx, notes: list[capture.Note] | None) -> None:
        self.tx = tx
        self.groups: list[Group] = []
        self.told: tuple[Any, Any, Sequence[str]] | None = None
        self._notes = notes

    @contextmanager
    def job(self, *ids: str) -> Iterator[None]:
        """What happens in the block is done to these jobs, and may be undone alone. It is no part if it raises."""
        assert self._notes is not None
        self.gather()
        try:
            yield
        except BaseException:
            self._notes.clear()
            raise
        self.gather(ids)

    def gather(self, ids: Sequence[str] | None = None) -> None:
        """Make a group of what was heard since the last one; `ids` None: its jobs are those that changed."""
        if not self._notes:
            return
        found = capture.changes(self.tx, self._notes)
        self._notes.clear()
        if found:
            jobs = [str(_of(one)["id"]) for one in found if one.table == "job" and one.before is not None]
            self.groups.append(Group(jobs if ids is None else ids, found))

    def say(self, *, before: Any = None, after: Any = None, jobs: Sequence[str] = ()) -> None:
        """Tell of what no row of the ledger shows, or what cannot be undone."""
        self.told = before, after, jobs


class Deed:
    """One action of an actor; it may take several transactions, and is one row of the log with a part for each.

    Args:
        action: a verb: cancel, retry, pause …
        target: the queue, schedule, flow, folder or file.
        query: which jobs were meant.
        undoes: the action that this one takes back.
    """

    def __init__(
        self,
        ledger: Ledger,
        actor: Actor,
        action: str,
        *,
        target: str | None = None,
        query: str | None = None,
        undoes: int | None = None,
    ) -> None:
        self.id: int | None = None
        """Its number in the log, once something was done."""
        self._ledger, self._actor, self._action = ledger, actor, action
        self._target, self._query, self._undoes = target, query, undoes
        self._parts = 0

    @contextmanager
    def part(self, *, undoable: bool = True) -> Iterator[Part]:
        """A write transaction of this action. What changes in it is heard and logged; if nothing does, nothing is.

        Args:
            undoable: False where it can never be undone: only `Part.say` tells of it.
        """
        with self._ledger.write() as tx:
            with self._heard(tx, undoable) as part:
                yield part
            id_ = self._log(part)
        if id_ is not None:
            self.id = id_
            self._parts += 1

    @contextmanager
    def writing(self) -> Iterator[Tx]:
        """The same for who needs no more than the transaction."""
        with self.part() as part:
            yield part.tx

    @contextmanager
    def _heard(self, tx: Tx, undoable: bool) -> Iterator[Part]:
        if not undoable:
            yield Part(tx, None)
            return
        with capture.heard(tx) as notes:
            part = Part(tx, notes)
            yield part
            part.gather()

    def _log(self, part: Part) -> int | None:
        if not part.groups and part.told is None:
            return None
        tx, id_ = part.tx, self.id
        if id_ is None:
            who = self._actor
            tx.run(
                "INSERT INTO audit (at, action, target, query, undoes, user, surface, command, terminal, pid, host) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    tx.now, self._action, self._target, self._query, self._undoes,
                    who.user, who.surface, who.command, who.terminal, who.pid, who.host,
                ),
            )  # fmt: skip
            row = tx.row("SELECT last_insert_rowid()")
            assert row is not None
            id_ = int(row[0])
        before, after, jobs = part.told or (*_summary(part.groups), [id_ for one in part.groups for id_ in one.jobs])
        tx.run(
            "INSERT INTO audit_part (audit, part, jobs, first, last, ids, before, after) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id_, self._parts, len(jobs), min(jobs, default=None), max(jobs, default=None),
                zlib.compress("\n".join(jobs).encode(), 1) if len(jobs) > 1 else None,
                _json(before), _json(after),
            ),
        )  # fmt: skip
        keep(tx, id_, self._parts, [one for one in part.groups if one.lasting is None])
        return id_


def keep(tx: Tx, audit: int, part: int, groups: Sequence[Group], since: float | None = None) -> None:
    """Store what it takes to undo a part, in the place of what is stored; the old and too much of all goes.

    Args:
        since: from when its day counts; None is now.
    """
    tx.run("DELETE FROM undo WHERE audit = ? AND part = ?", (audit, part))
    tx.run("DELETE FROM undo WHERE at < ?", (tx.now - UNDO_S,))
    if not groups:
        return
    packed = zlib.compress(json.dumps([one.to_json() for one in groups], ensure_ascii=True).encode(), 1)
    if len(packed) > UNDO_BYTES:
        return
    at = tx.now if since is None else since
    tx.run("INSERT INTO undo VALUES (?, ?, ?, ?, ?)", (audit, part, at, len(packed), packed))
    room = UNDO_BYTES
    for audit_, part_, bytes_ in tx.rows("SELECT audit, part, bytes FROM undo ORDER BY audit DESC, part DESC"):
        room -= bytes_
        if room < 0:
            tx.run("DELETE FROM undo WHERE audit = ? AND part = ?", (audit_, part_))


def parts_kept(ledger: Ledger, audit: int) -> list[int]:
    """Parts of an action that can be undone, the last first."""
    fresh = ledger.clock.now() - UNDO_S
    rows = ledger.rows("SELECT part FROM undo WHERE audit = ? AND at >= ? ORDER BY part DESC", (audit, fresh))
    return [int(part) for (part,) in rows]


def kept(tx: Tx, audit: int, part: int) -> list[Group]:
    """What it takes to undo a part of an action; [] if that is gone."""
    row = tx.row("SELECT changes FROM undo WHERE audit = ? AND part = ?", (audit, part))
    return [] if row is None else [Group.from_json(one) for one in json.loads(zlib.decompress(row[0]))]


def rewrite_kept(ledger: Ledger, change: Callable[[str], str]) -> None:
    """Put what `change` makes of all that is kept, as JSON text, in its place; one part a transaction."""
    for audit, part in ledger.rows("SELECT audit, part FROM undo ORDER BY audit, part"):
        row = ledger.row("SELECT changes FROM undo WHERE audit = ? AND part = ?", (audit, part))
        text = "" if row is None else zlib.decompress(row[0]).decode()
        if row is None or (made := change(text)) == text:
            continue
        packed = zlib.compress(made.encode(), 1)
        with ledger.write() as tx:  # what is undone meanwhile is gone, or has other changes
            tx.run(
                "UPDATE undo SET changes = ?, bytes = ? WHERE audit = ? AND part = ? AND changes = ?",
                (packed, len(packed), audit, part, row[0]),
            )


def forget(ledger: Ledger) -> None:
    """Remove what can no longer be undone, if there is any."""
    if ledger.row("SELECT 1 FROM undo WHERE at < ? LIMIT 1", (ledger.clock.now() - UNDO_S,)) is not None:
        with ledger.write() as tx:
            tx.run("DELETE FROM undo WHERE at < ?", (tx.now - UNDO_S,))


# ── before and after ──


def _of(change: Change) -> capture.Values:
    found = change.after if change.before is None else change.before
    assert found is not None
    return found


def _summary(groups: Sequence[Group]) -> tuple[Any, Any]:
    """Before and after: of one row what differs, of several jobs how many were in which state."""
    named = {id_ for one in groups for id_ in one.jobs}
    jobs = [
        one for group in groups for one in group.changes
        if one.table == "job" and one.before is not None and one.before["id"] in named
    ]  # fmt: skip
    if len(jobs) > 1:
        return _states(one.before for one in jobs), _states(one.after for one in jobs)
    others = [one for group in groups for one in group.changes if one.table in _NAMED_TABLES]
    told = (jobs or others)[:1]
    if not told:
        return None, None
    return _row(told[0], told[0].before, told[0].after), _row(told[0], told[0].after, told[0].before)


def _states(rows: Iterator[capture.Values | None]) -> Any:
    return {"states": dict(Counter("deleted" if row is None else row["state"] for row in rows))}


def _row(change: Change, row: capture.Values | None, other: capture.Values | None) -> Any:
    if row is None:
        return None
    names = [name for name in row if name not in _INNER]
    if change.table == "job":
        if other is None:
            names = ["type", "queue", "state"]
        else:
            names = [name for name in _SHOWN if name in row and (name == "state" or row[name] != other[name])]
    return {name: _value(name, row[name], None if other is None else other.get(name)) for name in names}


def _value(name: str, value: Any, other: Any) -> Any:
    if name == "data" and isinstance(value, str):
        mine, its = json.loads(value), json.loads(other) if isinstance(other, str) else {}
        value = shown({key: one for key, one in mine.items() if key not in its or its[key] != one})
        return {key: _short(one) for key, one in value.items()}
    if name.endswith("_at") and isinstance(value, int | float):
        return iso(value)
    return MASK if names_a_secret(name) else _short(value)


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(shown(value), ensure_ascii=True)
