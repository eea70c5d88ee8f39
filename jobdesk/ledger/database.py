"""Opening the ledger, and the one way to write to it.

A write is one `BEGIN IMMEDIATE` transaction: SELECT-then-UPDATE in a deferred one gave thousands of
"database is locked" errors where this gave none. Writers of one process queue on a lock, writers of
several on SQLite's own. Readers never wait (WAL).
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import peewee

from jobdesk.core.clock import Clock
from jobdesk.core.errors import LedgerError
from jobdesk.core.events import Kind
from jobdesk.core.text import to_json
from jobdesk.ledger import migrating
from jobdesk.ledger.explaining import BUSY_TIMEOUT_S, explain
from jobdesk.ledger.functions import functions
from jobdesk.ledger.together import Shared, Sync

_CHUNKS = (256, 64, 16, 4, 1)
"""Rows of one statement: few sizes, so that each is prepared once."""
EVENT = "INSERT INTO event (at, kind, job, queue, data) VALUES {}"
T = TypeVar("T")
Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class Tx:
    """A write transaction: what a move needs to run SQL and to say what happened. `now` is its one instant."""

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self._connection = self.connection = connection
        self.now = now
        self.wakes = False
        """Set by a move that gave workers something to do; whoever waits is told after the commit."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Execute one statement; the number of rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)

    def spread(self, sql: str, width: int, values: Sequence[Any], shared: Sequence[Any] = ()) -> int:
        """Execute one statement over many rows of `width` values, given one after the other; {} stands for them.

        How many rows it changed, with those that triggers changed.

        A statement a row, as `many` has it, takes twice the time, and each lets other threads in between.

        Args:
            shared: values that every row begins with.
        """
        done, rows, before = 0, len(values) // width, self._connection.total_changes
        for size in _CHUNKS:
            while rows - done >= size:
                some = values[done * width : (done + size) * width]
                self._connection.execute(_spread(sql, len(shared), width, size), [*shared, *some] if shared else some)
                done += size
        return self._connection.total_changes - before

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> Row | None:
        found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def event(self, kind: Kind, /, job: int | None = None, queue: str | None = None, **data: Any) -> None:
        """Write what happened; `job` is its seq."""
        self._connection.execute(
            EVENT.format("(?, ?, ?, ?, ?)"),
            (self.now, kind.value, job, queue, to_json(data) if data else None),
        )

    @property
    def is_open(self) -> bool:
        """False if SQLite has undone all of it, as a full disk makes it do."""
        return self._connection.in_transaction

    @contextmanager
    def nested(self) -> Iterator[None]:
        """A part that is undone alone when it raises."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have undone all of it
                self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE part")


@cache
def _spread(sql: str, shared: int, width: int, rows: int) -> str:
    row = [*(f"?{number}" for number in range(1, shared + 1)), *"?" * width]
    return sql.format(", ".join(["(" + ", ".join(row) + ")"] * rows))


def interrupter(own: threading.local, name: str) -> Callable[[], None]:
    """What any thread may call to interrupt this one's statement; `own` has its connection, in what is so named."""
    here = vars(own)  # of this thread

    def interrupt() -> None:
        held = here.get(name)
        if held is not None:
            with suppress(sqlite3.ProgrammingError):  # it is being closed
                held.connection.interrupt()

    return interrupt


class _Mine:
    """A thread's connection. It is closed when this goes, which is when the thread ends.

    Python's connections lie in a cycle with their statement cache: left alone, that of a thread that has ended stays
    open until the garbage collector comes by, and with it the -wal beside the database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.durable: str | None = None
        """Its `synchronous` for what must outlive a loss of power; None: not asked for yet."""
        self.synchronous: str | None = None
        """As it is set."""

    def __del__(self) -> None:
        with suppress(sqlite3.Error):  # the ledger itself goes, in another thread: there SQLite lets nobody close it
            self.connection.close()


class Ledger:
    """The open database. Any thread may use it; each gets its own connection."""

    read_only = False

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        synchronous: Callable[[], str] = lambda: "full",
        copied: bool = True,
        is_alive: migrating.IsAlive | None = None,
    ) -> None:
        """Open, create or migrate the ledger at `path`.

        Args:
            synchronous: asked before a thread's first write: "full" or "normal".
            copied: False migrates without a backup, for what is a copy itself.
            is_alive: asked before a migration, so that it does not happen under a consumer that lives.

        Raises:
            LedgerError: the file is not a jobdesk ledger, is newer than this program, or cannot be opened.
        """
        self.path = path
        self.clock = clock
        self.on_commit: list[Callable[[bool], None]] = []
        """Called after each commit of this process, with whether workers have something new to do."""
        self._lock = threading.RLock()
        self._shared: deque[Shared] = deque()
        self._sync = Sync(path)
        self._writing: int | None = None
        """The thread that is in a write transaction."""
        self._synchronous = synchronous
        self._thread = threading.local()
        self._db = peewee.SqliteDatabase(
            str(path),
            pragmas={
                "journal_mode": "wal",
                "synchronous": "full",
                "busy_timeout": BUSY_TIMEOUT_S * 1000,
                "cache_size": -1_000,  # KB for each thread: the pages are in the cache of the system anyway
                "temp_store": "memory",
                "wal_autocheckpoint": 4000,  # pages: what is written again and again is copied once
            },
            timeout=BUSY_TIMEOUT_S,
        )
        for name, takes, function in functions():
            self._db.register_function(function, name, takes, deterministic=True)
        with self._explained():
            self.migrated = migrating.bring_up(path, self._connection, clock, copied=copied, is_alive=is_alive)
        self.notice = None if self.migrated is None else str(self.migrated)
        """What whoever opened it should be told."""

    def close(self) -> None:
        """Close this thread's connection."""
        self._thread.mine = None
        if not self._db.is_closed():
            self._db.close()

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Tx]:
        """One write transaction: committed when the block ends, undone when it raises.

        Args:
            durable: False does not wait for the disk. No crash undoes it then, but a loss of power may: for what is
                true only as long as this machine runs, as who has claimed a job.

        Raises:
            LedgerError: the database stayed locked, is full, or cannot be written.
        """
        with self._lock, self._explained():
            mine = self._mine()
            connection = mine.connection
            wanted = self._durable(mine)
            synchronous = "normal" if wanted == "full" and not durable else wanted
            if synchronous != mine.synchronous:
                connection.execute(f"PRAGMA synchronous = {synchronous}")
                mine.synchronous = synchronous
            connection.execute("BEGIN IMMEDIATE")
            tx = Tx(connection, self.clock.now())
            self._writing = threading.get_ident()
            try:
                yield tx
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._writing = None
        for told in self.on_commit:
            told(tx.wakes)

    @contextmanager
    def between_writes(self, patience_s: float = 2.0) -> Iterator[None]:
        """In the block no thread of this process is in a write, but for one that took longer than `patience_s`."""
        waited = self._lock.acquire(timeout=patience_s)
        try:
            yield
        finally:
            if waited:
                self._lock.release()

    def together(self, work: Callable[[Tx], T]) -> T:
        """Do some work in a transaction that it may share with that of other threads; it is on disk when this returns.

        Threads that come while one commits wait for the next commit, and share it. The disk is waited for after that,
        when others may write again and whoever was woken by the commit is at work; threads that wait at once share it.
        """
        if self._writing == threading.get_ident():
            raise RuntimeError("this thread is in a transaction already: use that one")
        mine = Shared(work)
        self._shared.append(mine)
        with self._lock:
            if not mine.done:  # else a thread that held the lock before has done it with its own
                self._do_shared()
        if mine.error is not None:
            raise mine.error
        if self._durable(self._mine()) == "full":
            self._sync.wait()
        return cast(T, mine.answer)

    def _do_shared(self) -> None:
        several = [self._shared.popleft() for _ in range(len(self._shared))]
        try:
            with self.write(durable=False) as tx:
                for one in several:
                    one.run(tx, alone=len(several) == 1)
            self._sync.committed()
        except BaseException as error:  # none of it is stored
            for one in several:
                one.error = one.error or error
        for one in several:
            one.done = True

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """Read; every statement sees one consistent state."""
        with self._explained():
            return self._connection().execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> Row | None:
        with self._explained():
            found: Row | None = self._connection().execute(sql, values).fetchone()
            return found

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All that this thread reads in the block is of one consistent state; it must not write there."""
        with self._explained():
            self._connection().execute("BEGIN")
        try:
            yield
        finally:
            with self._explained():
                self._connection().execute("ROLLBACK")

    def interrupter(self) -> Callable[[], None]:
        """What any thread may call to make a statement that this thread executes then fail with a LedgerError."""
        return interrupter(self._thread, "mine")

    def version(self) -> int:
        """A number that changes when another connection has committed; costs microseconds."""
        found = self.row("PRAGMA data_version")
        assert found is not None
        return int(found[0])

    def _connection(self) -> sqlite3.Connection:
        return self._mine().connection

    def _mine(self) -> _Mine:
        mine: _Mine | None = getattr(self._thread, "mine", None)
        if mine is None:
            mine = self._thread.mine = _Mine(self._db.connection())
        return mine

    def _durable(self, mine: _Mine) -> str:
        """What the settings want for what must outlive a loss of power; asked once a thread."""
        if mine.durable is None:
            mine.durable = self._synchronous()
        return mine.durable

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError):
            raise  # a value or a statement of ours is wrong: waiting would not mend it
        except (sqlite3.DatabaseError, peewee.DatabaseError) as error:  # peewee wraps what happens while it connects
            raise LedgerError(explain(self.path, error)) from error
