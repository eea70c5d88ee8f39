"""What people see of drop folders: how each is doing, and its files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.names import shown
from jobdesk.ledger import dropped
from jobdesk.ledger.database import Ledger, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the process that watches a folder knows of it; `scan_ms` is how long the last scan took."""

    path: str
    pipeline: str
    mode: str
    waiting: int = 0
    settling: int = 0
    ignored: int = 0
    scanned_at: float | None = None
    scan_ms: float | None = None
    restarts: int = 0
    message: str | None = None
    consumer: str | None = None


_STATUS = (
    "path", "pipeline", "mode", "waiting", "settling", "ignored", "scanned_at", "scan_ms", "restarts", "message",
    "consumer",
)  # fmt: skip
_COUNTERS = ("queued", "done", "rejected", "duplicate")


def report(tx: Tx, status: Status) -> None:
    """Write how a folder is doing; counters and requests stay."""
    tx.run(
        f"INSERT INTO folder ({', '.join(_STATUS)}) VALUES ({', '.join('?' * len(_STATUS))}) "
        f"ON CONFLICT (path) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _STATUS[1:])}",
        [getattr(status, name) for name in _STATUS],
    )


def want_scan(tx: Tx, paths: Sequence[str] | None = None) -> int:
    """Ask whoever watches these folders (None: all) to scan at once; how many there are."""
    if paths is None:
        asked = tx.run("UPDATE folder SET scan_wanted_at = ?", (tx.now,))
    else:
        asked = sum(tx.run("UPDATE folder SET scan_wanted_at = ? WHERE path = ?", (tx.now, path)) for path in paths)
    dropped.changed(tx)
    return asked


def scan_wanted_at(ledger: Ledger, path: str) -> float | None:
    """When somebody last asked for a scan of this folder."""
    row = ledger.row("SELECT scan_wanted_at FROM folder WHERE path = ?", (path,))
    return row[0] if row else None


def statuses(ledger: Ledger, path: str | None = None) -> dict[str, dict[str, Any]]:
    """Each folder (or only that one) as last reported, by path, in the shape of `folders list --json`."""
    columns = (*_STATUS, *_COUNTERS)
    found = {}
    sql = f"SELECT {', '.join(columns)} FROM folder WHERE ?1 IS NULL OR path = ?1 ORDER BY path"
    for row in ledger.rows(sql, (path,)):
        status = dict(zip(columns, row, strict=True))
        status["scanned_at"] = iso(status["scanned_at"])
        found[status["path"]] = status
    return found


def status(ledger: Ledger, path: str) -> dict[str, Any]:
    """One folder as last reported; nothing if it never was."""
    return statuses(ledger, path).get(path, {})


_RUNNING = "i.state = 'queued' AND j.attempt > 0"


def files(
    ledger: Ledger, folder: str | None = None, state: str | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Files of drop folders, what is not taken yet first, then newest first: the shape of `folders files --json`."""
    where, values = ["1"], list[Any]()
    if folder is not None:
        where.append("i.folder = ?")
        values.append(folder)
    if state == "running":
        where.append(_RUNNING)
    elif state is not None:
        where.append("i.state = ?")
        values.append(state)
        if state == "queued":
            where.append("coalesce(j.attempt, 0) = 0")
    rows = ledger.rows(
        f"SELECT i.id, i.folder, i.path, i.sha256, i.size, CASE WHEN {_RUNNING} THEN 'running' ELSE i.state END, "
        "i.reason, i.message, i.job, i.flow, i.duplicate_of, i.moved_to, i.first_seen, i.finished_at "
        f"FROM intake i LEFT JOIN job j ON j.id = i.job WHERE {' AND '.join(where)} ORDER BY i.id DESC LIMIT ?",
        (*values, limit),
    )
    return [
        {
            "id": id_, "folder": folder_, "path": shown(path), "sha256": sha256, "size": size, "state": state_,
            "reason": reason, "message": message, "job": job, "flow": flow, "duplicate_of": duplicate_of,
            "moved_to": shown(moved_to) if moved_to else None,
            "first_seen": iso(first_seen), "finished_at": iso(finished_at),
        }
        for id_, folder_, path, sha256, size, state_, reason, message, job, flow, duplicate_of, moved_to, first_seen,
        finished_at in rows
    ]  # fmt: skip
