"""Slow reads of which only the latest is wanted: those before it are left out, or ended where they are."""

from collections.abc import Callable
from typing import Any, TypeVar

from jobdesk.core.errors import LedgerError
from jobdesk.ledger.database import Ledger

T = TypeVar("T")
Aside = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""Runs the first on a thread of its own, one after another, and the second with its answer on the screen's."""


class Latest:
    """Reads one thing at a time, beside the screen. Its methods are the screen's thread's."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._number = 0
        self._interrupt: Callable[[], None] | None = None
        """Ends the statement of the read that runs."""

    def read(self, aside: Aside, read: Callable[[], T], deliver: Callable[[T], None]) -> None:
        """Read this instead of what was asked for before; `deliver` the answer, if nothing else was asked for since."""
        self.stop()
        number = self._number

        def work() -> T | None:
            if number != self._number:
                return None
            self._interrupt = self._ledger.interrupter()
            try:
                return read()
            except LedgerError:
                if number == self._number:
                    raise
                return None  # it was ended
            finally:
                self._interrupt = None

        def delivered(answer: T | None) -> None:
            if answer is not None and number == self._number:
                deliver(answer)

        aside(work, delivered)

    def stop(self) -> None:
        """Nobody waits any more."""
        self._number += 1
        interrupt = self._interrupt
        if interrupt is not None:
            interrupt()
