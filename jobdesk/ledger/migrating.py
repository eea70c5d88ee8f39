"""Bringing a ledger to the version of this program: in numbered steps forward, all in one transaction.

Before a ledger that holds something is changed, a checked copy of it is put into `backups` beside it. Whatever is
killed at whatever moment, the file is wholly the old one or wholly the new one, and the next opening goes on.
"""

import fcntl
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import BackupError, LedgerError
from jobdesk.ledger import copies
from jobdesk.ledger.identity import APPLICATION_ID, VERSION

BACKUPS = "backups"
"""The folder beside the ledger where it is copied to before it is changed."""
KEPT = 3
"""Versions of which a backup is kept, the latest of each."""
FIRST_START_S, FIRST_START_LOOKS = 2.0, 40
RESTORE = "nothing was changed; stop what works on it, and restore a backup with `jobdesk restore FILE`"
IsAlive = Callable[[int, float], bool]
_NAME = re.compile(r"jobdesk-v(\d+)-[\dT]+(-\d+)?\.db")


@dataclass(frozen=True, slots=True)
class Migrated:
    """What opening a ledger changed: versions before and after, and where the former one is (None: not copied)."""

    before: int
    after: int
    backup: Path | None

    def __str__(self) -> str:
        kept = f"; it is kept as it was in {self.backup}" if self.backup else ""
        return f"the ledger was brought from version {self.before} to {self.after}{kept}"


def bring_up(
    path: Path, connect: Callable[[], sqlite3.Connection], clock: Clock, *, copied: bool, is_alive: IsAlive | None
) -> Migrated | None:
    """Make the ledger at `path`, or bring an older one up to date; None if it was both already, or is new.

    Args:
        connect: opens it; called once its file is there.
        copied: False leaves out the backup, for what is a copy itself.
        is_alive: tells of a pid and its start whether that process lives; None: nobody can work on it.

    Raises:
        LedgerError: it is not jobdesk's, of a newer jobdesk, empty, damaged, cannot be copied first, or a consumer
            of an older jobdesk works on it.
    """
    _touch_private(path, clock)
    connection = connect()
    version = version_of(path, connection)
    if version == VERSION:
        return None
    if version == 0:
        _apply(connection)
        return None
    with _turn(path.parent / BACKUPS):  # two openings at once: one migrates, the other finds it done
        version = version_of(path, connection)
        if version == VERSION:
            return None
        if is_alive is not None:
            _refuse_while_worked_on(path, connection, is_alive)
        backup = _back_up(path, version, clock) if copied else None
        _apply(connection)
        return Migrated(version, VERSION, backup)


def version_of(path: Path, connection: sqlite3.Connection) -> int:
    """The version of a ledger; 0 for an empty database.

    Raises:
        LedgerError: it is not jobdesk's, or of a newer jobdesk.
    """
    application, version = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in copies.IDENTITY)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise LedgerError(f"{path} is an SQLite database but not a jobdesk ledger: choose another --home")
    if version > VERSION:
        raise LedgerError(
            f"{path} was written by a newer jobdesk (ledger version {version}, this one knows "
            f"{VERSION}): upgrade jobdesk"
        )
    return version


def _refuse_while_worked_on(path: Path, connection: sqlite3.Connection, is_alive: IsAlive) -> None:
    """A consumer of an older jobdesk would go on with statements that no longer fit."""
    for pid, started in connection.execute("SELECT pid, process_started FROM consumer WHERE stopped_at IS NULL"):
        if is_alive(pid, started):
            raise LedgerError(
                f"{path} is of an older jobdesk, and consumer {pid} still works on it: nothing was changed; stop that "
                "one, and try again"
            )


def _apply(connection: sqlite3.Connection) -> None:
    from jobdesk.ledger.tables import MIGRATIONS, triggers

    connection.execute("BEGIN EXCLUSIVE")  # two first starts at once: the second finds it done
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for script in MIGRATIONS[version:]:
            _run_script(connection, script)
        if version < VERSION:
            _run_script(connection, triggers())
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have undone it
            connection.execute("ROLLBACK")
        raise


def _run_script(connection: sqlite3.Connection, script: str) -> None:
    """Like `executescript`, which would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _back_up(path: Path, version: int, clock: Clock) -> Path:
    """A checked copy of the ledger, under its final name once it is whole and on disk."""
    folder = path.parent / BACKUPS
    for left in folder.glob(".*.making*"):  # of one that was killed: this is our turn
        left.unlink(missing_ok=True)
    stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%S")
    names = (f"jobdesk-v{version}-{stamp}{f'-{number}' * bool(number)}.db" for number in count())
    target = next(file for file in map(folder.joinpath, names) if not file.exists())
    making = folder / f".{target.name}.making"
    try:
        copies.copy(path, making, clock)
        making.replace(target)
        _sync_folder(folder)
    except copies.Unsound as error:
        raise LedgerError(f"{error}: {RESTORE}") from None
    except (BackupError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise LedgerError(
            f"{path} is of an older jobdesk and cannot be copied to {folder} before it is changed ({said}): "
            "nothing was changed; make room there and try again"
        ) from None
    _forget_old(folder)
    return target


def _forget_old(folder: Path) -> None:
    """Keep the latest backup of each version, of the latest versions."""
    found = [(file, match) for file in folder.iterdir() if (match := _NAME.fullmatch(file.name))]
    kept: set[int] = set()
    for file, match in sorted(found, key=lambda one: one[0].stat().st_mtime_ns, reverse=True):
        version = int(match[1])
        if version in kept or len(kept) == KEPT:
            with suppress(OSError):
                file.unlink()
        else:
            kept.add(version)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Be the only process that migrates; the kernel lets go when it dies."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(
            f"the ledger beside {folder} is of an older jobdesk and cannot be copied there before it is changed "
            f"({error.strerror}): make the home writable"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _touch_private(path: Path, clock: Clock) -> None:
    """Make the file 0600 before SQLite does it with the umask; WAL and SHM take its mode.

    One that is there and stays empty is a ledger that lost everything: SQLite would take it for a new one, and
    remove the -wal beside it. Another first start fills its own within milliseconds.
    """
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            return
        if not os.access(path, os.R_OK | os.W_OK):  # else not opened: closing it drops all locks of this process
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        for _ in range(FIRST_START_LOOKS):
            if path.stat().st_size:
                return
            clock.wait(threading.Event(), FIRST_START_S / FIRST_START_LOOKS)
    except OSError as error:
        raise LedgerError(f"{path} cannot be opened ({error.strerror}): check its permissions and disk") from error
    raise LedgerError(
        f"{path} is empty, so what it held is lost: {RESTORE}, or remove the file if there never was anything in it"
    )
