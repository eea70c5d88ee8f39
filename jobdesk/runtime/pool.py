"""The children of one consumer: each worker thread has one of its own, started on first need."""

import contextlib
import threading
from pathlib import Path

from jobdesk.core.errors import LedgerError
from jobdesk.ledger import workers
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.isolation import ChildProcess


class Pool:
    """Children by thread. The ledger knows each of them, so that whoever finds this consumer dead can kill them."""

    def __init__(self, ledger: Ledger, consumer: str, folder: Path, nice: int) -> None:
        self._ledger = ledger
        self._consumer = consumer
        self._folder = folder
        self._nice = nice
        self._own = threading.local()
        self._all: set[ChildProcess] = set()
        self._lock = threading.Lock()

    def child(self) -> ChildProcess:
        """This thread's child, alive and waiting for a job."""
        child: ChildProcess | None = getattr(self._own, "child", None)
        if child is not None and child.alive:
            return child
        if child is not None:
            self.discard()
        child = ChildProcess(self._folder, self._nice, self._consumer)
        try:
            with self._ledger.write() as tx:
                workers.add_child(tx, self._consumer, child.pid, child.started)
        except BaseException:  # unknown to the ledger, nobody could end it after us
            child.kill()
            raise
        self._own.child = child
        with self._lock:
            self._all.add(child)
        return child

    def give_back(self) -> None:
        """The job is over: keep the child for the next, unless it is worn."""
        if self._own.child.worn:
            self.discard()

    def discard(self) -> None:
        """Kill this thread's child with all it started; the next job gets a fresh one."""
        child, self._own.child = self._own.child, None
        self._end(child)

    def close(self) -> None:
        """Kill every child."""
        with self._lock:
            left = list(self._all)
        for child in left:
            self._end(child)

    def _end(self, child: ChildProcess) -> None:
        child.kill()
        with self._lock:
            self._all.discard(child)
        with contextlib.suppress(LedgerError), self._ledger.write() as tx:
            workers.remove_child(tx, child.pid)
