"""Reading the audit log: the newest first, or all of it in order."""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.actor import Actor
from jobdesk.core.clock import iso
from jobdesk.ledger.audit import UNDO_S
from jobdesk.ledger.database import Ledger, Row

_CHUNK = 500
_SELECT = (
    "SELECT a.id, a.at, a.action, a.target, a.query, a.undoes, a.user, a.surface, a.command, a.terminal, a.pid, "
    "a.host, (SELECT max(id) FROM audit u WHERE u.undoes = a.id), "
    "EXISTS (SELECT 1 FROM undo WHERE audit = a.id AND at >= :fresh) FROM audit a"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An action as the log has it. `at` is epoch seconds.

    Args:
        jobs: the full ids of those it was done to.
        undone_by: the latest action that took it back, or some of it.
        undoable: it, or the rest of it, may be undone still.
    """

    id: int
    at: float
    action: str
    target: str | None
    query: str | None
    undoes: int | None
    user: str
    surface: str
    command: str | None
    terminal: str | None
    pid: int
    host: str
    undone_by: int | None
    undoable: bool
    jobs: tuple[str, ...]
    before: Any
    after: Any

    @property
    def what(self) -> str:
        """What it was done to, in words."""
        if self.undoes is not None:
            return f"#{self.undoes}" + (f", {_count(len(self.jobs))}" if self.jobs else "")
        on = self.target or (self.jobs[0] if len(self.jobs) == 1 else "")
        many = _count(len(self.jobs)) if len(self.jobs) > 1 or (self.target and self.jobs) else ""
        return ", ".join(part for part in (on, many, f"'{self.query}'" if self.query else "") if part)

    def is_of(self, actor: Actor) -> bool:
        """Whether it was done by this very process, by the way that it acts."""
        return (self.surface, self.pid, self.host) == (actor.surface, actor.pid, actor.host)

    def to_json(self, *, with_jobs: bool = True) -> dict[str, Any]:
        return {
            "id": self.id, "at": iso(self.at), "action": self.action, "target": self.target, "query": self.query,
            "user": self.user, "surface": self.surface, "command": self.command, "terminal": self.terminal,
            "pid": self.pid, "host": self.host, "count": len(self.jobs),
            "jobs": list(self.jobs) if with_jobs else list(self.jobs[:10]),
            "before": self.before, "after": self.after,
            "undoes": self.undoes, "undone_by": self.undone_by, "undoable": self.undoable,
        }  # fmt: skip


def _count(n: int) -> str:
    return f"{n:,} job{'s' * (n != 1)}"


def entries(
    ledger: Ledger,
    *,
    since: float | None = None,
    user: str | None = None,
    action: str | None = None,
    job: str | None = None,
    undoable: bool = False,
    id_: int | None = None,
    oldest_first: bool = False,
) -> Iterator[Entry]:
    """Actions, the newest first.

    Args:
        since: not before this instant, epoch seconds.
        job: only those that were done to it, by its full id; it may be deleted by now.
        undoable: only those that may be undone.
    """
    fresh = ledger.clock.now() - UNDO_S
    where = ["a.id > :at" if oldest_first else "a.id < :at"]
    values: dict[str, Any] = {"fresh": fresh, "at": 0 if oldest_first else 2**62, "most": _CHUNK}
    for name, sql, value in (
        ("since", "a.at >= :since", since),
        ("user", "a.user = :user", user),
        ("action", "a.action = :action", action),
        ("id", "a.id = :id", id_),
    ):
        if value is not None:
            where.append(sql)
            values[name] = value
    if undoable:
        where.append("a.id IN (SELECT audit FROM undo WHERE at >= :fresh)")
    if job is not None:
        where.append("a.id IN (SELECT value FROM json_each(:parts))")
        values["parts"] = json.dumps(_with_job(ledger, job))
    sql = f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY a.id {'ASC' if oldest_first else 'DESC'} LIMIT :most"
    while rows := ledger.rows(sql, values):
        yield from (_entry(ledger, row) for row in rows)
        values["at"] = rows[-1][0]


def _with_job(ledger: Ledger, job: str) -> list[int]:
    """Actions that were done to a job; the ids of many are unpacked only where its own lies between them."""
    rows = ledger.rows("SELECT audit, first, last, ids FROM audit_part WHERE first <= ?1 AND last >= ?1", (job,))
    return [audit for audit, first, last, ids in rows if job in (first, last) or job in _ids(first, ids)]


def _ids(first: str | None, packed: bytes | None) -> list[str]:
    if packed is None:
        return [] if first is None else [first]
    return zlib.decompress(packed).decode().split("\n")


def _entry(ledger: Ledger, row: Row) -> Entry:
    parts = ledger.rows("SELECT first, ids, before, after FROM audit_part WHERE audit = ? ORDER BY part", (row[0],))
    jobs = tuple(id_ for first, ids, _, _ in parts for id_ in _ids(first, ids))
    before, after = (_merged([json.loads(part[at]) for part in parts if part[at] is not None]) for at in (2, 3))
    (id_, at, action, target, query, undoes, user, surface, command, terminal, pid, host, undone_by, undoable) = row
    return Entry(
        id=id_, at=at, action=action, target=target, query=query, undoes=undoes, user=user, surface=surface,
        command=command, terminal=terminal, pid=pid, host=host, undone_by=undone_by, undoable=bool(undoable),
        jobs=jobs, before=before, after=after,
    )  # fmt: skip


def _merged(told: Sequence[Any]) -> Any:
    """Of several parts how many jobs were in which state; of one what it says."""
    if len(told) <= 1:
        return told[0] if told else None
    states: Counter[str] = Counter()
    for one in told:
        if isinstance(one, dict) and "states" in one:
            states.update(one["states"])
        elif isinstance(one, dict) and "state" in one:
            states[one["state"]] += 1
    return {"states": dict(states)}
