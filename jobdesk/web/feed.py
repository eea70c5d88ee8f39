"""Wakes open streams when the ledger has changed: one thread for all of them, and none while there are none."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobdesk.core.errors import JobdeskError

if TYPE_CHECKING:
    from jobdesk.desk import Desk

LOOK_S = 0.1
"""How often it looks whether another process has written what it does not tell of (progress, logs)."""


class Busy(JobdeskError):
    """There are as many streams as there may be."""

    code = "full"


class Stream:
    """One client that listens; lives in the server's event loop."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._changed.set()
        self.over = False

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a change; False if there was none for so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    def wake(self) -> None:
        self._changed.set()

    def end(self) -> None:
        """The server stops."""
        self.over = True
        self._changed.set()


class Feed:
    """All streams of a server.

    Args:
        most: so many at once.
    """

    def __init__(self, desk: "Desk", most: int) -> None:
        self._desk = desk
        self._most = most
        self._streams: set[Stream] = set()
        self._closed = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def stream(self) -> Iterator[Stream]:
        """Listen as long as the block lasts; only in the server's event loop.

        Raises:
            Busy: there are too many streams.
        """
        if len(self._streams) >= self._most:
            raise Busy(f"{self._most} streams are open, as many as may be: try later, or raise streams of [http]")
        self._loop = asyncio.get_running_loop()
        made = Stream()
        if self._closed.is_set():
            made.end()
        self._streams.add(made)
        self._begin()
        try:
            yield made
        finally:
            self._streams.discard(made)

    @property
    def open(self) -> int:
        """Streams now."""
        return len(self._streams)

    @property
    def follows(self) -> bool:
        """Whether its thread looks."""
        return self._thread is not None

    def close(self) -> None:
        """End every stream, also those to come; any thread may call it."""
        self._closed.set()
        self._desk.wake.ring()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for stream in self._streams:
            stream.end()

    def _begin(self) -> None:
        """Have a thread that looks; it ends by itself some time after the last stream."""
        if self._thread is None and not self._closed.is_set():
            self._desk.wake.listen()
            self._thread = threading.Thread(target=self._follow, name="jobdesk-feed", daemon=True)
            self._thread.start()

    def _follow(self) -> None:
        desk, told = self._desk, (-1, -1)
        try:
            while not self._closed.is_set() and self._streams:
                seen = desk.wake.generation
                now = seen, self._version()
                if now != told:
                    told = now
                    self._say(self._wake_all)
                else:
                    desk.wake.wait(seen, LOOK_S)
        finally:
            desk.ledger.close()
            self._say(self._ended)

    def _version(self) -> int:
        try:
            return self._desk.ledger.version()
        except JobdeskError:  # the streams say it themselves when they look
            return -1

    def _say(self, what: "object") -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(what)  # type: ignore[arg-type]

    def _wake_all(self) -> None:
        for stream in self._streams:
            stream.wake()

    def _ended(self) -> None:
        """The thread is over; one that came since needs another."""
        self._thread = None
        if self._streams:
            self._begin()
