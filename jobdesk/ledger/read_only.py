"""A ledger that is only read: it is opened so that not even SQLite's own files beside it are made or changed.

Where a program has the ledger open, or had when it was killed, its -shm lies there and we read beside it, as SQLite
means it. Else nobody writes, and the file alone is read, without locks: that works on a file system that is
read-only, and in a folder where we may not write. Whether somebody came meanwhile is seen by the file itself, before
and after each statement; then it is opened anew and the statement runs again. What a killed program left in a -wal
without a -shm is read from a copy: SQLite would have to make the -shm.
"""

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Never, TypeVar

from jobdesk.core.clock import Clock
from jobdesk.core.errors import LedgerError, ReadOnly
from jobdesk.ledger import migrating
from jobdesk.ledger.database import Ledger, Row, Tx, Values, interrupter
from jobdesk.ledger.explaining import BUSY_TIMEOUT_S
from jobdesk.ledger.functions import functions
from jobdesk.ledger.identity import VERSION

T = TypeVar("T")
TRIES = 20
"""Times that a statement is run again because somebody wrote meanwhile; the second finds their -shm."""
REFUSED = "nothing is changed with --read-only: leave it out"


@dataclass(frozen=True, slots=True)
class _Look:
    """How the ledger lies on disk: which file, when it changed last, and whether -wal and -shm are beside it."""

    file: tuple[int, int, int, int]
    left: bool
    """Whether the -wal holds something."""
    shared: bool
    """Whether programs have, or had, it open: both -wal and -shm are there."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A thread's connection. `look` is what must still be so for what it reads to be right.

    Args:
        number: rises with each that is opened.
        beside: SQLite itself sees what others write.
        copy: the folder of the copy that is read.
    """

    connection: sqlite3.Connection
    look: _Look
    number: int
    beside: bool = False
    copy: "tempfile.TemporaryDirectory[str] | None" = None


class ReadOnlyLedger(Ledger):
    """The ledger at `path`, to read; each write is refused. Any thread may use it.

    Raises:
        LedgerError: it is not a jobdesk ledger, is of another version, or cannot be read.
    """

    read_only = True

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.on_commit = []
        self.migrated = self.notice = None
        self._own = threading.local()
        self._opened = 0
        with self._explained():
            version = self._steady(lambda connection: migrating.version_of(path, connection))
        if version < VERSION:
            raise LedgerError(
                f"{path} is of an older jobdesk (ledger version {version}, this one writes {VERSION}): "
                "use it once without --read-only, which brings it up to date"
            )

    def close(self) -> None:
        """Close this thread's connection."""
        found: _Open | None = getattr(self._own, "open", None)
        if found is not None:
            self._own.open = None
            found.connection.close()
            if found.copy is not None:
                found.copy.cleanup()

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Tx]:
        """Refuse.

        Raises:
            ReadOnly: always.
        """
        self._refuse()
        yield  # makes it a context manager

    def together(self, work: Callable[[Tx], T]) -> T:
        """Refuse.

        Raises:
            ReadOnly: always.
        """
        self._refuse()

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        with self._explained():
            return self._steady(lambda connection: connection.execute(sql, values).fetchall())

    def row(self, sql: str, values: Values = ()) -> Row | None:
        with self._explained():
            found: Row | None = self._steady(lambda connection: connection.execute(sql, values).fetchone())
            return found

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All that this thread reads in the block is of one consistent state.

        Raises:
            LedgerError: a program that wrote came while it was read.
        """
        with self._explained():
            self._steady(lambda connection: connection.execute("BEGIN"))
        began = self._own.open
        try:
            yield
        finally:
            began.connection.execute("ROLLBACK")
        if self._changed(began):
            raise LedgerError(f"{self.path} changed while it was read: try again")

    def interrupter(self) -> Callable[[], None]:
        return interrupter(self._own, "open")

    def version(self) -> int:
        with self._explained():
            found: int = self._steady(lambda connection: connection.execute("PRAGMA data_version").fetchone()[0])
            return found + (int(self._own.open.number) << 40)

    def _refuse(self) -> Never:
        raise ReadOnly(REFUSED)

    def _steady(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` gives of one state of the ledger, whoever begins to write meanwhile."""
        for _ in range(TRIES):
            found: _Open | None = getattr(self._own, "open", None)
            if found is not None and found.connection.in_transaction:
                return read(found.connection)
            if found is None or self._changed(found):
                self.close()
                try:
                    found = self._own.open = self._open()
                except FileNotFoundError:  # who wrote has just closed it, and its -wal went
                    continue
            try:
                answer = read(found.connection)
            except sqlite3.DatabaseError:
                if not self._changed(found):
                    raise
                continue
            if not self._changed(found):
                return answer
            if found.connection.in_transaction:
                found.connection.execute("ROLLBACK")
        raise LedgerError(f"{self.path} changes all the time while it is read: try again")

    def _changed(self, found: _Open) -> bool:
        """Whether what a connection reads may no longer be the ledger."""
        now = self._look()
        if found.beside:  # as long as it is the same file
            return now.file[:2] != found.look.file[:2] or not now.shared
        return now != found.look

    def _look(self) -> _Look:
        try:
            status = self.path.stat()
        except OSError as error:
            raise LedgerError(f"{self.path} cannot be read ({error.strerror}): check --home") from None
        wal, shm = (self.path.with_name(self.path.name + suffix) for suffix in ("-wal", "-shm"))
        try:
            left = wal.stat().st_size
        except OSError:
            return _Look(_identity(status), False, False)
        return _Look(_identity(status), left > 0, shm.exists())

    def _open(self) -> _Open:
        look = self._look()
        self._opened += 1
        if look.left and not look.shared:
            return self._open_copy(look)
        if look.shared:
            try:
                return _Open(_connect(self.path, "mode=ro"), look, self._opened, beside=True)
            except sqlite3.OperationalError as error:
                no_room = error.sqlite_errorname in _NO_ROOM
                if no_room and look.left:  # the -shm is there in name only
                    return self._open_copy(look)
                if not no_room and (look.left or "unable to open" not in str(error)):
                    raise
            # an empty -wal that one left who was killed, where we may not write or nothing has room
        return _Open(_connect(self.path, _ALONE), look, self._opened)

    def _open_copy(self, look: _Look) -> _Open:
        folder = tempfile.TemporaryDirectory(prefix="jobdesk-read-", ignore_cleanup_errors=True)
        copy = Path(folder.name) / self.path.name
        for suffix in ("", "-wal"):
            shutil.copyfile(self.path.with_name(self.path.name + suffix), copy.with_name(copy.name + suffix))
        return _Open(_connect(copy, "mode=ro"), look, self._opened, copy=folder)


_ALONE = "mode=ro&immutable=1"
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
"""How SQLite says that the disk has no room for its -shm."""


def _connect(path: Path, how: str) -> sqlite3.Connection:
    made = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False,
    )  # fmt: skip
    for name, takes, function in functions():
        made.create_function(name, takes, function, deterministic=True)
    try:
        for name, value in (("temp_store", "memory"), ("cache_size", "-32000")):
            made.execute(f"PRAGMA {name} = {value}")
        made.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error:
        made.close()
        raise
    return made


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
