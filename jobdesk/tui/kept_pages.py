"""The pages of a long list that are in memory: the last few that were read."""

from collections.abc import Sequence

from jobdesk.ledger.search import Line
from jobdesk.tui.pages import PAGE

_MOST = 32


class KeptPages:
    """Lines by their place in the list, page by page; of one just opened only what is seen, the rest comes later."""

    def __init__(self) -> None:
        self._pages: dict[int, list[Line]] = {}
        """The one that was read last at the end."""

    def keep(self, number: int, lines: Sequence[Line]) -> None:
        """Keep a page as it is now."""
        self._pages.pop(number, None)
        self._pages[number] = list(lines)
        if len(self._pages) > _MOST:
            del self._pages[next(iter(self._pages))]

    def clear(self) -> None:
        self._pages.clear()

    def __contains__(self, number: int) -> bool:
        return number in self._pages

    def page(self, number: int) -> Sequence[Line]:
        """What there is of a page."""
        return self._pages.get(number, ())

    def is_whole(self, number: int, total: int) -> bool:
        """Whether all of a page is there, of a list that is so long."""
        return len(self.page(number)) >= min(PAGE, total - number * PAGE)

    def line(self, at: int) -> Line | None:
        """The line at a place, if it has been read."""
        page = self.page(at // PAGE)
        return page[at % PAGE] if at % PAGE < len(page) else None

    def put(self, at: int, line: Line) -> None:
        """A line that is there has changed."""
        self._pages[at // PAGE][at % PAGE] = line
