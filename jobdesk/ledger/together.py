"""What threads that write at once share: a transaction, and the wait for the disk."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jobdesk.core.errors import LedgerError

if TYPE_CHECKING:
    from jobdesk.ledger.database import Tx

_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class Shared:
    """Work of one thread in a transaction of several, and what came of it."""

    def __init__(self, work: "Callable[[Tx], object]") -> None:
        self.work = work
        self.answer: object = None
        self.error: BaseException | None = None
        self.done = False

    def run(self, tx: "Tx", alone: bool) -> None:
        """Do it; what it raises is its own, unless the whole transaction is gone."""
        if alone:
            self.answer = self.work(tx)
            return
        try:
            with tx.nested():
                self.answer = self.work(tx)
        except BaseException as error:
            if not tx.is_open:  # the disk, not the work: it concerns them all
                raise
            self.error = error


class Sync:
    """The wait for the disk after a commit, for as many threads as there are.

    SQLite with `synchronous = full` syncs its -wal inside the commit, where every other writer waits for it and nobody
    sees the job. This is the same sync of the same file, when the transaction is over. What is built on such a commit,
    as the end of the job, comes after it in the file: the disk never has the one without the other.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._one_at_a_time = threading.Lock()
        self._commits = self._synced = 0
        """How many commits there were, and how many of these are surely on the disk."""

    def committed(self) -> None:
        """A commit is over; called by who still holds the lock of writers."""
        self._commits += 1

    def wait(self) -> None:
        """Return when what was committed up to now outlives a loss of power.

        Raises:
            LedgerError: the disk did not confirm it.
        """
        upto = self._commits
        with self._one_at_a_time:
            if self._synced >= upto:
                return
            reached = self._commits
            try:
                wal = os.open(f"{self._database}-wal", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    _fdatasync(wal)
                finally:
                    os.close(wal)
            except FileNotFoundError:
                pass  # a file system that cannot have one: there SQLite syncs the database itself at each commit
            except OSError as error:
                raise LedgerError(
                    f"{self._database}: the disk did not confirm what was written ({error.strerror}): it is stored, "
                    "but may be gone after a loss of power; look at the disk"
                ) from error
            self._synced = reached
