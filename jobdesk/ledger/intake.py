"""The intake record of drop folders: which file was taken in, which job it became, and where it went.

A row `queued` is written in the transaction that stores its job, so neither can be without the other.
Every later move is one UPDATE guarded by the state it starts from.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.events import Kind
from jobdesk.core.text import to_json
from jobdesk.ledger.database import EVENT, Ledger, Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A file that a folder took in. Instants are epoch seconds; `path` is below the folder, in bytes."""

    id: str
    folder: str
    path: bytes
    state: str
    first_seen: float
    claimed_at: float
    sha256: str | None = None
    size: int | None = None
    detected_type: str | None = None
    reason: str | None = None
    message: str | None = None
    job: str | None = None
    flow: str | None = None
    duplicate_of: str | None = None
    source: str | None = None
    """What its folder said when it was taken in: archive, delete or keep; None where that was not written down."""
    moved_to: bytes | None = None
    finished_at: float | None = None


_OWNED = (
    "id", "folder", "path", "state", "first_seen", "claimed_at", "sha256", "size", "detected_type", "reason",
    "message", "job", "flow", "duplicate_of", "source", "moved_to", "finished_at",
)  # fmt: skip
_COLUMNS = ", ".join("i." + name for name in _OWNED)


@dataclass(frozen=True, slots=True)
class Failure:
    """The job that spoiled a flow first."""

    job: str
    type: str
    state: str
    attempts: int
    error_type: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A file whose story has ended, though it still lies among the claims.

    `completed` is None where no work was involved: a duplicate, or a file refused at the door. A file whose
    jobs were deleted has `completed` False and no `failure`.
    """

    file: Owned
    completed: bool | None
    at: float
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file that the last scan saw and did not take: waiting, settling, claimed (being read) or ignored."""

    path: bytes
    state: str
    reason: str | None
    size: int | None
    first_seen: float


# ── moves ──


_INSERT = f"INSERT INTO intake ({', '.join(_OWNED)}) VALUES {{}}"


def take(tx: Tx, files: Sequence[tuple[Owned, str]]) -> None:
    """Record files that were taken in and are not known yet: queued, duplicate or rejected.

    Args:
        files: each with its path, fit for people.
    """
    rows: list[Any] = []
    events: list[Any] = []
    counts: dict[tuple[str, str], int] = {}
    wanted = to_json([file.job for file, _ in files if file.state == "queued"])
    jobs = tx.rows("SELECT id, seq, queue FROM job WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    found = {id_: (seq, queue) for id_, seq, queue in jobs}
    for file, shown in files:
        rows += [getattr(file, name) for name in _OWNED]
        counts[file.folder, file.state] = counts.get((file.folder, file.state), 0) + 1
        said: dict[str, Any] = {"file": file.id, "folder": file.folder, "path": shown, "sha256": file.sha256}
        if file.state == "queued":
            seq, queue = found.get(file.job or "", (None, None))
            events += (tx.now, Kind.FILE_ACCEPTED.value, seq, queue, to_json({"size": file.size, **said}))
        elif file.state == "duplicate":
            told = to_json({"duplicate_of": file.duplicate_of, **said})
            events += (tx.now, Kind.FILE_DUPLICATE.value, None, None, told)
    tx.spread(_INSERT, len(_OWNED), rows)
    tx.spread(EVENT, 5, events)
    tx.many("DELETE FROM intake WHERE id = ?", [(sighting_id(file.folder, file.path),) for file, _ in files])
    for (folder, state), n in counts.items():
        _count(tx, folder, state, n)


def finish(
    tx: Tx, ended: Ended, state: str, shown: str, *, reason: str | None, message: str | None, moved_to: bytes | None
) -> bool:
    """The file has left the claims: done, rejected or duplicate. False: its work was taken up again meanwhile."""
    file = ended.file
    guard = "1" if ended.completed is None else f"{_WORK_ENDED} AND {_WORK_COMPLETED} = {int(ended.completed)}"
    done = tx.run(
        "UPDATE intake AS i SET state = ?, reason = ?, message = ?, moved_to = ?, finished_at = ? "
        f"WHERE i.id = ? AND i.state = ? AND i.finished_at IS NULL AND {guard}",
        (state, reason, message, moved_to, tx.now, file.id, file.state),
    )
    if not done:
        return False
    _count(tx, file.folder, file.state, -1)
    _count(tx, file.folder, state, 1)
    if state == "rejected":
        said: dict[str, Any] = {"file": file.id, "folder": file.folder, "path": shown}
        tx.event(Kind.FILE_REJECTED, reason=reason, message=message, **said)
    return True


def reopen(tx: Tx, file: Owned) -> bool:
    """A finished file lies among the claims again: its story ends once more. False: it was not finished."""
    state = "queued" if file.job is not None and file.state != "duplicate" else file.state
    done = tx.run(
        "UPDATE intake SET state = ?, reason = NULL, message = NULL, moved_to = NULL, finished_at = NULL "
        "WHERE id = ? AND state = ? AND finished_at IS NOT NULL",
        (state, file.id, file.state),
    )
    if done:
        _count(tx, file.folder, file.state, -1)
        _count(tx, file.folder, state, 1)
    return bool(done)


def condemn(tx: Tx, twin: Owned, message: str) -> bool:
    """A duplicate of what proved to be infected lies among the claims, and ends as infected. False: it is none."""
    done = tx.run(
        "UPDATE intake SET state = 'rejected', reason = 'virus', message = ?, moved_to = NULL, finished_at = NULL "
        "WHERE id = ? AND state = 'duplicate'",
        (message, twin.id),
    )
    if done:
        _count(tx, twin.folder, "duplicate", -1)
        _count(tx, twin.folder, "rejected", 1)
    return bool(done)


def sighted(tx: Tx, folder: str, gone: Iterable[bytes], now_there: Iterable[Sighting]) -> None:
    """Bring the record of files that were seen and not taken up to date."""
    tx.many("DELETE FROM intake WHERE id = ?", [(sighting_id(folder, path),) for path in gone])
    tx.many(
        "INSERT OR REPLACE INTO intake (id, folder, path, state, reason, size, first_seen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(sighting_id(folder, s.path), folder, s.path, s.state, s.reason, s.size, s.first_seen) for s in now_there],
    )


def sighting_id(folder: str, path: bytes) -> str:
    """The id of a file that is not owned yet: the same as long as it has this name in this folder."""
    return "seen_" + hashlib.blake2s(folder.encode() + b"\0" + path, digest_size=13).hexdigest()


def _count(tx: Tx, folder: str, state: str, by: int) -> None:
    assert state in ("queued", "done", "rejected", "duplicate")
    tx.run(f"UPDATE folder SET {state} = {state} + ? WHERE path = ?", (by, folder))


# ── reads ──

_OPEN = "intake i INDEXED BY intake_open"  # SQLite would else walk every file that ever ended
_JOB_ENDED = "coalesce((SELECT finished_at IS NOT NULL FROM job WHERE id = i.job), 1)"
_JOB_COMPLETED = "coalesce((SELECT state = 'completed' FROM job WHERE id = i.job), 0)"
_WORK_ENDED = f"coalesce((SELECT open = 0 FROM flow WHERE id = i.flow AND total > 0), {_JOB_ENDED})"
_WORK_COMPLETED = f"coalesce((SELECT failed = 0 FROM flow WHERE id = i.flow AND total > 0), {_JOB_COMPLETED})"


def ended(ledger: Ledger, folder: str, now: float, limit: int) -> list[Ended]:
    """Files among the claims whose story has ended: their work is over, or none was needed; oldest first."""
    rows = ledger.rows(
        f"SELECT {_COLUMNS}, coalesce((SELECT finished_at FROM flow WHERE id = i.flow), "
        f"(SELECT finished_at FROM job WHERE id = i.job)), {_WORK_COMPLETED} FROM {_OPEN} "
        "WHERE i.folder = ? AND i.finished_at IS NULL AND (i.state IN ('duplicate', 'rejected') "
        f"OR i.state = 'queued' AND {_WORK_ENDED}) ORDER BY i.id LIMIT ?",
        (folder, limit),
    )
    found = []
    for row in rows:
        file, at, completed = _owned(row), row[-2], bool(row[-1])
        if file.state != "queued":
            found.append(Ended(file, None, file.claimed_at))
        else:
            found.append(Ended(file, completed, at or now, None if completed else _failure(ledger, file)))
    return found


def _failure(ledger: Ledger, file: Owned) -> Failure | None:
    row = ledger.row(
        "SELECT id, type, state, attempt, error_type, error_message FROM job WHERE (flow = ? OR id = ?) "
        "AND NOT optional AND state IN ('failed', 'expired', 'cancelled') "
        "ORDER BY coalesce(error_type = 'ParentFailed', 0), state = 'cancelled', finished_at, seq LIMIT 1",
        (file.flow, file.job),
    )
    return Failure(*row) if row else None


def revived(ledger: Ledger, folder: str) -> list[Owned]:
    """Rejected files whose work was taken up again, or has completed since."""
    rows = ledger.rows(
        f"SELECT {_COLUMNS} FROM intake i WHERE i.folder = ? AND i.state = 'rejected' AND i.finished_at IS NOT NULL "
        f"AND i.job IS NOT NULL AND (NOT {_WORK_ENDED} OR {_WORK_COMPLETED})",
        (folder,),
    )
    return [_owned(row) for row in rows]


def infected_twins(ledger: Ledger, folder: str) -> list[Owned]:
    """Duplicates of files that proved to be infected, as far as they lie somewhere."""
    rows = ledger.rows(  # the infected first: they are few or none, where duplicates may be many
        f"SELECT {_COLUMNS} FROM (SELECT DISTINCT job FROM intake WHERE folder = ?1 AND state = 'rejected' "
        "AND reason = 'virus') infected CROSS JOIN intake i ON i.folder = ?1 AND i.state = 'duplicate' "
        "AND i.duplicate_of = infected.job WHERE i.moved_to IS NOT NULL OR i.finished_at IS NULL",
        (folder,),
    )
    return [_owned(row) for row in rows]


def ended_of_job(tx: Tx, job: str) -> list[Owned]:
    """Files whose story has ended and whose flow this job belongs to."""
    row = tx.row("SELECT flow FROM job WHERE id = ?", (job,))
    where, value = ("i.flow = ?", row[0]) if row is not None and row[0] is not None else ("i.job = ?", job)
    rows = tx.rows(
        f"SELECT {_COLUMNS} FROM intake i WHERE {where} AND i.state IN ('done', 'rejected') "
        "AND i.finished_at IS NOT NULL",
        (value,),
    )
    return [_owned(row) for row in rows]


def known(ledger: Ledger, ids: Sequence[str]) -> dict[str, Owned]:
    """The files with these ids that are recorded."""
    rows = ledger.rows(
        f"SELECT {_COLUMNS} FROM intake i WHERE i.id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return {file.id: file for file in map(_owned, rows)}


def recorded(tx: Tx, ids: Sequence[str]) -> set[str]:
    """Which of these files were recorded before."""
    rows = tx.rows("SELECT id FROM intake WHERE id IN (SELECT value FROM json_each(?))", (to_json(list(ids)),))
    return {row[0] for row in rows}


def same_content(tx: Tx, folder: str, hashes: Sequence[str]) -> dict[str, Owned]:
    """By hash, the first file of this folder that has this content and is at work or done."""
    rows = tx.rows(
        f"SELECT {_COLUMNS} FROM json_each(?) wanted JOIN intake i ON i.folder = ? AND i.sha256 = wanted.value "
        "AND i.state IN ('queued', 'done') ORDER BY i.id DESC",
        (to_json(list(hashes)), folder),
    )
    return {str(file.sha256): file for file in map(_owned, rows)}


def open_count(ledger: Ledger, folder: str) -> int:
    """How many files of the folder are at work."""
    row = ledger.row(
        f"SELECT count(*) FROM {_OPEN} WHERE folder = ? AND finished_at IS NULL "
        "AND state IN ('queued', 'duplicate', 'rejected')",
        (folder,),
    )
    return int(row[0]) if row else 0


def has_unmoved(ledger: Ledger, folder: str) -> bool:
    """Whether a file that needs no work (a duplicate, one refused at the door) still lies among the claims."""
    row = ledger.row(
        f"SELECT 1 FROM {_OPEN} WHERE folder = ? AND finished_at IS NULL "
        "AND state IN ('duplicate', 'rejected') LIMIT 1",
        (folder,),
    )
    return row is not None


def sightings(ledger: Ledger, folder: str) -> list[Sighting]:
    """What is recorded as seen and not taken."""
    rows = ledger.rows(
        "SELECT path, state, reason, size, first_seen FROM intake WHERE folder = ? "
        "AND state IN ('waiting', 'settling', 'claimed', 'ignored')",
        (folder,),
    )
    return [Sighting(*row) for row in rows]


def _owned(row: Row) -> Owned:
    return Owned(**dict(zip(_OWNED, row, strict=False)))
