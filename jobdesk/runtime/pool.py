"""The children of one consumer: each worker thread has one of its own, and one more waits to replace any of them."""

import contextlib
import logging
import threading
from pathlib import Path

from jobdesk.core.errors import LedgerError
from jobdesk.ledger import workers
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.guard import Guard
from jobdesk.runtime.isolation import ChildProcess


class Pool:
    """Children by thread. The ledger knows each of them, so that whoever finds this consumer dead can kill them.

    A thread of its own keeps the spare child: it is started once the first is in use, so that a consumer
    without such jobs has none; and it clears the ledger of the dead, for which no job need wait.
    """

    def __init__(self, ledger: Ledger, consumer: str, folder: Path, nice: int) -> None:
        self._ledger = ledger
        self._consumer = consumer
        self._folder = folder
        self._nice = nice
        self._guard = Guard(consumer)
        self._own = threading.local()
        self._owners: dict[ChildProcess, threading.Thread] = {}
        self._all: set[ChildProcess] = set()
        self._spare: ChildProcess | None = None
        self._dead: list[int] = []
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closed = False
        self._stale: set[ChildProcess] = set()
        """Children that began with processors that have changed since."""
        self._nurse: threading.Thread | None = None

    def child(self) -> ChildProcess:
        """This thread's child, waiting for a job or with those that were sent ahead; it may have died meanwhile."""
        child: ChildProcess | None = getattr(self._own, "child", None)
        if child is not None and child.jobs.is_empty and (child.is_worn or child in self._stale):
            self._end(child)
            child = None
        if child is None:
            self._end_left()
            self._own.child = child = self._take_spare() or self._start()
            with self._lock:
                self._owners[child] = threading.current_thread()
        return child

    def give_back(self, now: float, max_rss_bytes: int) -> None:
        """The job is over: keep the child for the next, unless it is worn and has no other.

        Args:
            now: monotonic seconds.
            max_rss_bytes: what the job said it held.
        """
        if self._nurse is None:
            self._nudge()
        child: ChildProcess = self._own.child
        child.wear(now, max_rss_bytes)
        if child.is_worn and child.jobs.is_empty:
            self.discard()

    def takes_more(self, child: ChildProcess) -> bool:
        """Whether a child shall get jobs ahead."""
        return child.is_warm and not child.is_worn and child not in self._stale

    def discard(self) -> None:
        """Kill this thread's child with all it started; the next job gets another."""
        child, self._own.child = self._own.child, None
        self._end(child)
        self._nudge()

    def renew(self) -> None:
        """Let no child that there is now take another job: each is replaced when it would."""
        with self._lock:
            self._stale |= self._all

    def close(self) -> None:
        """Kill every child."""
        self._closed = True
        if self._nurse is not None:
            self._wanted.set()
            self._nurse.join(5)
        with self._lock:
            left, self._spare = list(self._all), None
        for child in left:
            self._end(child)
        self._guard.close()
        self._forget_dead()

    def _start(self) -> ChildProcess:
        self._folder.mkdir(mode=0o700, exist_ok=True)  # somebody may have removed HOME/run
        child = ChildProcess(self._folder, self._nice, self._consumer)
        self._guard.add(child.pid, child.started)
        try:
            with self._ledger.write(durable=False) as tx:
                workers.add_child(tx, self._consumer, child.pid, child.started)
        except BaseException:  # unknown to the ledger, nobody could end it after us
            child.kill()
            self._guard.remove(child.pid, child.started)
            raise
        with self._lock:
            self._all.add(child)
        return child

    def _end(self, child: ChildProcess) -> None:
        child.kill()
        self._guard.remove(child.pid, child.started)
        with self._lock:
            self._all.discard(child)
            self._stale.discard(child)
            self._owners.pop(child, None)
            self._dead.append(child.pid)

    def _end_left(self) -> None:
        """Kill the children of threads that have died: nobody hears them."""
        with self._lock:
            left = [child for child, thread in self._owners.items() if not thread.is_alive()]
        for child in left:
            self._end(child)

    # ── the spare ──

    def _take_spare(self) -> ChildProcess | None:
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is None:
            return None
        self._nudge()
        if spare.alive and spare not in self._stale:
            return spare
        self._end(spare)
        return None

    def _nudge(self) -> None:
        with self._lock:
            if self._nurse is None and not self._closed:
                self._nurse = threading.Thread(target=self._keep_spare, name="jobdesk-spare", daemon=True)
                self._nurse.start()
        self._wanted.set()

    def _keep_spare(self) -> None:
        """Runs as long as the pool."""
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closed:
                return
            try:
                self._forget_dead()
                if self._spare is None:
                    spare = self._start()
                    with self._lock:
                        self._spare = spare
            except Exception as error:  # the next job starts its own, and says what is wrong if that fails too
                logging.getLogger("jobdesk").warning("cannot start a spare child: %s", error)

    def _forget_dead(self) -> None:
        with self._lock:
            dead, self._dead = self._dead, []
        if dead:
            with contextlib.suppress(LedgerError), self._ledger.write(durable=False) as tx:
                for pid in dead:
                    workers.remove_child(tx, pid)
