"""Who is told that the database changed: waiters of this process at once, other processes through a named pipe each.

A process that listens has a FIFO in HOME/run. A commit that gives workers something to do writes
one byte into every other FIFO there. Nobody polls, an idle desk costs nothing, and a lost poke
costs a second: whoever waits looks again by itself.
"""

import contextlib
import errno
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

_SUFFIX = ".wake"
_FRESH_NS = 1_000_000_000
"""A change of the folder younger than this may hide another: clocks of file systems are coarse."""


def listeners(folder: Path) -> set[int]:
    """The pids of processes that hear what happens on a home, of which some may be dead."""
    try:
        pids = [name.partition("-")[0] for name in _pipes(folder)]
    except OSError:
        return set()
    return {int(pid) for pid in pids if pid.isdecimal()}


def _pipes(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(_SUFFIX)]


class Wake:
    """The bell of one process on one home."""

    def __init__(self, folder: Path, *, deaf: bool = False) -> None:
        """A bell in `folder`; one that is deaf makes nothing there and hears only this process."""
        self.generation = 0
        """Rises with every commit of this process and every poke of another."""
        self.work = 0
        """Rises when workers may have something new to do."""
        self.bells: list[Callable[[], None]] = []
        """Called whenever `work` rises: must be quick."""
        self._folder = folder
        self._deaf = deaf
        self._changed = threading.Condition()
        self._own: Path | None = None
        self._names: list[str] = []
        self._read_ns = 0
        """When the folder had changed last as it was read, if that was long before."""
        self._reader: int | None = None

    def committed(self, wakes: bool) -> None:
        """This process committed; `wakes` if workers, of any process, have something new to do."""
        self._ring(wakes)
        if wakes:
            self._poke_others()

    def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until `generation` is no longer `seen`, at most `timeout_s`; the generation then."""
        with self._changed:
            self._changed.wait_for(lambda: self.generation != seen, timeout_s)
            return self.generation

    def wait_for_work(self, seen: int, timeout_s: float) -> int:
        """Wait until `work` is no longer `seen`, at most `timeout_s`; its value then."""
        with self._changed:
            self._changed.wait_for(lambda: self.work != seen, timeout_s)
            return self.work

    def listen(self) -> None:
        """Hear other processes from now on; a second call does nothing."""
        if self._deaf or self._own is not None:
            return
        own = self._folder / f"{os.getpid()}-{id(self):x}{_SUFFIX}"
        new = own.with_suffix(".new")
        new.unlink(missing_ok=True)
        os.mkfifo(new, 0o600)
        self._reader = os.open(new, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        new.rename(own)  # only now: a FIFO without a reader looks left over from a dead process
        self._own = own
        threading.Thread(target=self._hear, name="jobdesk-wake", args=(self._reader,), daemon=True).start()

    def close(self) -> None:
        """Stop listening, and wake whoever waits."""
        if self._own is not None:
            self._own.unlink(missing_ok=True)
            self._own = None
            assert self._reader is not None
            os.write(self._reader, b"q")
        self._ring(True)

    def ring(self) -> None:
        """Wake everybody of this process who waits, whether or not there is anything new."""
        self._ring(True)

    def _ring(self, wakes: bool) -> None:
        with self._changed:
            self.generation += 1
            self.work += wakes
            self._changed.notify_all()
        if wakes:
            for bell in self.bells:
                bell()

    def _hear(self, reader: int) -> None:
        while True:
            select.select([reader], [], [])
            if b"q" in os.read(reader, 65536):
                os.close(reader)
                return
            self._ring(True)

    def _poke_others(self) -> None:
        for name in self._listeners():
            if self._own is None or name != self._own.name:
                self._poke(self._folder / name)

    def _listeners(self) -> list[str]:
        """Names of the FIFOs there. The folder is read only when it has changed, and again while it is fresh."""
        try:
            changed_ns = os.stat(self._folder).st_mtime_ns  # noqa: PTH116 -- each submission pays for it
            if changed_ns != self._read_ns:
                self._names = _pipes(self._folder)
                self._read_ns = changed_ns if time.time_ns() - changed_ns > _FRESH_NS else 0
        except OSError:
            return []
        return self._names

    def _poke(self, fifo: Path) -> None:
        try:
            there = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nobody reads: its process died
                with contextlib.suppress(OSError):
                    fifo.unlink()
            return
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # full: it has been told already
            os.write(there, b"1")
        os.close(there)
