"""Leaving cleanly whatever happens to the terminal, and stepping aside for the shell.

Textual alone dies of SIGTERM and SIGHUP with the terminal left in its alternate screen, spins when the
terminal goes away while SIGHUP is ignored, and starts a second reader at each stray SIGCONT. This turns all
of them into one orderly exit, with a last resort for a terminal that blocks the writer.

Textual stops its own process only, so that a program which started the app (`uv run`, a script) goes on and the shell
never comes back; and nothing mends the terminal after a SIGSTOP. Here the whole group stops, as of a ctrl+z.
"""

import asyncio
import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

LOST, TERMINATED = 128 + signal.SIGHUP, 128 + signal.SIGTERM
PATIENCE_S = {LOST: 2.0}
"""Until the last resort. A terminal that is there gets longer: it is to be left in order, also by a busy machine."""
USUAL_PATIENCE_S = 15.0
_LOCAL = 3
"""Where tcgetattr has the local modes."""


class Guard:
    """Calls `leave(code)` on the event loop once; `last_resort(code)` on a thread if that does not end the app soon.

    Args:
        parting: what to tell the shell when the app is suspended.
        between_writes: while it is suspended; stopped in the middle of a write it would keep all others from writing.
    """

    def __init__(
        self,
        leave: Callable[[int], None],
        last_resort: Callable[[int], None],
        parting: Callable[[], str],
        between_writes: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._leave = leave
        self._last_resort = last_resort
        self._parting = parting
        self._between_writes = between_writes
        self._timer: threading.Timer | None = None
        self.code: int | None = None
        """128 + signal once the app must go; LOST also if the terminal went away in silence."""

    def watch(self, driver: Any) -> None:
        """Begin; call it on the running event loop, on the main thread."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.go, 128 + number)
        if driver.can_suspend:
            signal.signal(signal.SIGTSTP, lambda *_: self._suspend(driver))
            signal.signal(signal.SIGCONT, lambda *_: _mend(driver))
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
        self._timer = threading.Timer(PATIENCE_S.get(code, USUAL_PATIENCE_S), self._last_resort, (code,))
        self._timer.daemon = True
        self._timer.start()
        self._leave(code)

    def _suspend(self, driver: Any) -> None:
        """Of SIGTSTP: give the terminal back, stop with all that the shell started with us, and come back.

        The kernel stops nobody in a group that no shell looks after: it would stay stopped for ever.
        """
        former = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        aside = not driver._auto_restart  # another program has the terminal
        if not aside:
            driver.suspend_application_mode()
            if said := self._parting():
                os.write(driver.fileno, f"{said}\r\n".encode())
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        with self._between_writes():
            os.killpg(0, signal.SIGTSTP)  # goes on here after SIGCONT
        signal.signal(signal.SIGCONT, lambda *_: _mend(driver))
        signal.signal(signal.SIGTSTP, former)
        if not aside:
            _enter(driver)

    def _watch_terminal(self, loop: asyncio.AbstractEventLoop) -> None:
        poll = select.poll()
        try:
            poll.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]  # only hang-up and error wake it
        except (AttributeError, OSError, ValueError):
            return
        poll.poll()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self.go, LOST)


def _mend(driver: Any) -> None:
    """Continued after a SIGSTOP: if the shell had the terminal meanwhile, it is in the modes of the shell.

    The kernel sends a SIGCONT on hang-up too, and others may: then nothing has changed, or there is no terminal.
    """
    if driver._auto_restart and driver._writer_thread is not None:
        with contextlib.suppress(termios.error):
            if termios.tcgetattr(driver.fileno)[_LOCAL] & termios.ICANON:
                driver.suspend_application_mode()
                _enter(driver)


def _enter(driver: Any) -> None:
    """Take the terminal again. In the background, after `bg`, asking for it stops the process until `fg`."""
    with contextlib.suppress(termios.error):  # nobody has stopped us: there is no shell
        termios.tcsetattr(driver.fileno, termios.TCSANOW, termios.tcgetattr(driver.fileno))
    driver._must_signal_resume = True
    driver.resume_application_mode()


def die(code: int) -> None:
    """End this process at once; the terminal is gone or does not listen."""
    os._exit(code)
