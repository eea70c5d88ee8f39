"""Copies of the ledger's file: made while others work, checked before anybody trusts them, compared.

A copy is SQLite's own online backup under one read transaction: the source may be written meanwhile, nobody
waits, and the copy is the one state in which the source was when it began. It is a single file, without -wal.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import BackupError
from jobdesk.ledger.identity import APPLICATION_ID, VERSION

IDENTITY = ("application_id", "user_version")
"""Pragmas that say whether a file is a ledger, and of which version."""
PAGES_A_STEP = 1000
"""Pages that are copied before others get their turn at the disk."""
REST_S = 0.002


class Unsound(BackupError):
    """What was to be copied is damaged, not jobdesk's, or of a newer jobdesk."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds; `newest_at` is when its last job was submitted, epoch seconds."""

    jobs: int
    running: int
    newest_at: float | None
    version: int


def copy(source: Path, target: Path, clock: Clock) -> Copied:
    """Copy a ledger to `target`, which must not exist, check the copy, and sync it to disk.

    Raises:
        Unsound: the source is no sound ledger of this program; no copy is left.
        BackupError: the copy cannot be written; none is left.
    """
    _refuse_empty(source)
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise BackupError(f"{target} cannot be written ({error.strerror}): choose another place") from None
    try:
        with _explained(source, target):
            _copy(source, target, clock)
            with closing(_open(target, "rw")) as made:
                made.execute("PRAGMA journal_mode = delete")
        found = check(target, source)
        _sync(target)
        return found
    except BaseException:
        remove(target)
        raise


def _copy(source: Path, target: Path, clock: Clock) -> None:
    rest = threading.Event()
    with closing(_open(source, "ro")) as old, closing(_open(target, "rw")) as new:
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it is one state
        old.backup(new, pages=PAGES_A_STEP, sleep=0, progress=lambda *_: clock.wait(rest, REST_S) and None)


def check(path: Path, named: Path | None = None) -> Copied:
    """Read all of a copy that nobody uses; what it holds. Errors name `named` instead of it.

    Raises:
        Unsound: it is damaged, not jobdesk's, or of a newer jobdesk.
    """
    named = named or path
    _refuse_empty(path)
    with _explained(named, path), closing(_open(path, "ro")) as found:
        application, version = (found.execute(f"PRAGMA {name}").fetchone()[0] for name in IDENTITY)
        if application != APPLICATION_ID:
            raise Unsound(f"{named} is not a ledger of jobdesk: name a file that `jobdesk backup` made")
        if version > VERSION:
            raise Unsound(
                f"{named} is of a newer jobdesk (ledger version {version}, this one knows {VERSION}): upgrade jobdesk"
            )
        for (said,) in found.execute("PRAGMA integrity_check(1)"):
            if said != "ok":
                raise _damaged(named, said)
        sql = "SELECT count(*), coalesce(sum(state = 'processing'), 0), max(created_at) FROM job"
        jobs, running, newest_at = found.execute(sql).fetchone()
        return Copied(jobs, running, newest_at, version)


def consumers(path: Path) -> list[tuple[str, int, float]]:
    """Kind, pid and start of the consumers of a ledger that nothing may write to; [] if it cannot be read."""
    with suppress(sqlite3.Error, Unsound):
        _refuse_empty(path)
        with closing(_open(path, "ro")) as found:
            return found.execute("SELECT kind, pid, process_started FROM consumer WHERE stopped_at IS NULL").fetchall()
    return []


def is_ledger(path: Path) -> bool:
    """Whether a file is a ledger of jobdesk, sound or not."""
    with suppress(sqlite3.Error, Unsound):
        _refuse_empty(path)
        with closing(_open(path, "ro")) as found:
            return bool(found.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID)
    return False


def difference(old: Path, new: Path) -> tuple[int, int] | None:
    """How many jobs of an old ledger a new one has not, and has in another state; None if the old cannot be read."""
    try:
        with closing(_open(old, "ro")) as found:
            found.execute("ATTACH ? AS new", (f"{new.as_uri()}?mode=ro",))
            row = found.execute(
                "SELECT coalesce(sum(n.seq IS NULL), 0), coalesce(sum(n.state <> o.state), 0) "
                "FROM main.job o LEFT JOIN new.job n ON n.id = o.id"
            ).fetchone()
    except sqlite3.Error:
        return None
    return int(row[0]), int(row[1])


def remove(path: Path) -> None:
    """Remove an unfinished copy with all that SQLite puts beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, isolation_level=None)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(source: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if "full" in text:
            raise BackupError(f"the disk of {target} is full: free some space, or choose another place") from None
        if "malformed" in text or "not a database" in text:
            raise _damaged(source, text) from None
        raise BackupError(f"{source} cannot be copied to {target} ({text}): check both, and try again") from None


def _refuse_empty(path: Path) -> None:
    """SQLite takes an empty file for a new database, and removes the -wal that lies beside it."""
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise Unsound(f"{path} cannot be read ({error.strerror})") from None
    if empty:
        raise _damaged(path, "it is empty")


def _damaged(path: Path, said: str) -> "Unsound":
    return Unsound(f"{path} is damaged ({said.strip().splitlines()[-1]})")
