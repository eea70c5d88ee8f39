"""Leaving cleanly whatever happens to the terminal.

Textual alone dies of SIGTERM and SIGHUP with the terminal left in its alternate screen, spins when the
terminal goes away while SIGHUP is ignored, and starts a second reader at each stray SIGCONT. This turns all
of them into one orderly exit, with a last resort for a terminal that blocks the writer.
"""

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

LOST, TERMINATED = 128 + signal.SIGHUP, 128 + signal.SIGTERM
PATIENCE_S = 2.0


class Guard:
    """Calls `leave(code)` on the event loop once; `last_resort(code)` on a thread if that does not end the app soon."""

    def __init__(self, leave: Callable[[int], None], last_resort: Callable[[int], None]) -> None:
        self._leave = leave
        self._last_resort = last_resort
        self._timer: threading.Timer | None = None
        self.code: int | None = None
        """128 + signal once the app must go; LOST also if the terminal went away in silence."""

    def watch(self, driver: Any) -> None:
        """Begin; call it on the running event loop, on the main thread."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.go, 128 + number)
        signal.signal(signal.SIGCONT, lambda *_: _resume(driver))
        threading.Thread(target=self._watch_terminal, args=(loop,), name="jobdesk-terminal", daemon=True).start()

    def done(self) -> None:
        """The app has ended by itself: no last resort is needed."""
        if self._timer is not None:
            self._timer.cancel()

    def go(self, code: int) -> None:
        """Leave now."""
        if self.code is not None:
            return
        self.code = code
        self._timer = threading.Timer(PATIENCE_S, self._last_resort, (code,))
        self._timer.daemon = True
        self._timer.start()
        self._leave(code)

    def _watch_terminal(self, loop: asyncio.AbstractEventLoop) -> None:
        poll = select.poll()
        try:
            poll.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]  # only hang-up and error wake it
        except (AttributeError, OSError, ValueError):
            return
        poll.poll()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self.go, LOST)


def _resume(driver: Any) -> None:
    """Only a driver that was really suspended starts again: the kernel sends a SIGCONT on hang-up too."""
    if getattr(driver, "_must_signal_resume", False):
        driver._sigcont_application()


def die(code: int) -> None:
    """End this process at once; the terminal is gone or does not listen."""
    os._exit(code)
