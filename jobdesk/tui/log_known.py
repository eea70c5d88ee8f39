"""What the screen knows of a log: its end, which comes with each look, and the pages around what is seen."""

from collections.abc import Callable
from typing import Any

from jobdesk.core.events import Event
from jobdesk.tui.log_pages import PAGE, LogReader, LogState

_PAGES_KEPT = 24
Ask = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""Runs the first on the database thread, and gives the second what came of it on the screen's."""


class KnownLines:
    """Lines of one log by their number; missing ones are asked for, and `changed` is called when they come."""

    def __init__(self, reader: LogReader, ask: Ask, changed: Callable[[], None]) -> None:
        self.reader = reader
        self.state = LogState()
        self._ask = ask
        self._changed = changed
        self._pages: dict[int, list[Event]] = {}
        self._asked: set[int] = set()

    def take(self, state: LogState) -> bool:
        """The log as a look found it; whether lines have other numbers now."""
        before, self.state = self.state, state
        if state.shape != before.shape or state.ready != before.ready:
            self._pages.clear()
            self._asked.clear()
            return True
        if state.total != before.total:
            self._pages.pop(before.total // PAGE, None)  # it had an end there
            self._asked.discard(before.total // PAGE)
        return False

    def line(self, at: int) -> Event | None:
        """A line, if it is known."""
        tail_at = self.state.total - len(self.state.tail)
        if at >= tail_at:
            return self.state.tail[at - tail_at] if at < self.state.total else None
        page = self._pages.get(at // PAGE)
        if page is None:
            self._want(at // PAGE)
            return None
        return page[at % PAGE] if at % PAGE < len(page) else None

    def _want(self, number: int) -> None:
        if number in self._asked or not self.state.ready:
            return
        self._asked.add(number)
        shape = self.state.shape

        def read(lines: list[Event]) -> None:
            if shape != self.state.shape:
                return
            self._asked.discard(number)
            self._pages[number] = lines
            for far in sorted(self._pages, key=lambda one: abs(one - number))[_PAGES_KEPT:]:
                del self._pages[far]
            self._changed()

        self._ask(lambda: self.reader.page(number), read)
