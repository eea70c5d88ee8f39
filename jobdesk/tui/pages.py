"""A list of jobs of any length, read a page at a time by key, never by skipping rows of the wide table.

`Pages` lives on the database thread. A list is pinned to its newest job when it was opened, so that
nothing moves under the cursor while new jobs arrive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.clock import Clock
from jobdesk.core.query import Query
from jobdesk.ledger import search
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.search import Line

PAGE = 128
_CHEAP_S = 0.01
_RECOUNT_S = 3.0


@dataclass(frozen=True, slots=True)
class Top:
    """The newest page of a list, and how long the list is; `exact` False: at least so long."""

    lines: Sequence[Line]
    total: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What a tick read for the table."""

    list_number: int
    seqs: tuple[int, ...]
    """Those that were seen when it was read, and `lines` those of them that are there."""
    lines: dict[int, Line]
    total: int
    exact: bool
    top: Top | None
    """The newest page, read anew, while the table follows."""


class Pages:
    """Reads one list: the jobs that match a query, newest first."""

    def __init__(self, ledger: Ledger, clock: Clock, query: Query) -> None:
        self._ledger = ledger
        self._clock = clock
        self.query = query
        self._anchors: dict[int, int] = {}
        self._pinned = 0
        self._count = (0, True)
        self._count_took_s = 0.0
        self._counted_at = -_RECOUNT_S

    def first(self, rows: int) -> Top:
        """The newest `rows` at once; how long the list is only where that costs nothing, else `length` says it."""
        lines, known = search.opening(self._ledger, self.query, rows)
        self._anchor(lines)
        known = len(lines) if len(lines) < rows else known
        self._pinned = max(known or 0, len(lines))
        return Top(tuple(lines), self._pinned, known is not None)

    def top(self) -> Top:
        """Read the list anew from its newest job on, and pin it there."""
        lines = self._newest()
        total, exact = self.count()
        if len(lines) < PAGE:
            total, exact = len(lines), True
        self._pinned = max(total, len(lines))
        return Top(tuple(lines), self._pinned, exact)

    def _newest(self) -> list[Line]:
        lines = search.lines(self._ledger, self.query, limit=PAGE)
        self._anchor(lines)
        return lines

    def _anchor(self, lines: Sequence[Line]) -> None:
        """Pages are found from these, the newest, on."""
        self._anchors = {0: lines[0].seq + 1} if lines else {}
        if len(lines) == PAGE:
            self._anchors[1] = lines[-1].seq

    def length(self) -> tuple[int, bool]:
        """How long the list is that `first` began, and whether that is exact."""
        total, exact = self.count()
        self._pinned = max(total, self._pinned)
        return self._pinned, exact

    def page(self, number: int) -> list[Line]:
        """Page `number` of the pinned list, counted from 0; shorter than PAGE only at the end."""
        anchor = self._anchors.get(number)
        if anchor is None:
            anchor = self._find(number)
            if anchor is None:
                return []
        lines = search.lines(self._ledger, self.query, before_seq=anchor, limit=PAGE)
        if len(lines) == PAGE:
            self._anchors.setdefault(number + 1, lines[-1].seq)
        return lines

    def lines(self, seqs: Sequence[int]) -> dict[int, Line]:
        """These jobs as they are now."""
        return search.lines_by_seq(self._ledger, seqs)

    def _find(self, number: int) -> int | None:
        """The seq that page `number` comes below."""
        total, exact = self.count()
        newer = max(0, total - self._pinned) if exact else 0
        seq = search.seq_at(self._ledger, self.query, number * PAGE + newer)
        if seq is None:
            return None
        self._anchors[number] = seq + 1
        return seq + 1

    def count(self) -> tuple[int, bool]:
        """How many match now, and whether that is exact; a count that costs much is made seldom."""
        now = self._clock.monotonic()
        if self._count_took_s < _CHEAP_S or now - self._counted_at >= _RECOUNT_S:
            self._count = search.count(self._ledger, self.query)
            self._counted_at = self._clock.monotonic()
            self._count_took_s = self._counted_at - now
        return self._count


class SortedPages(Pages):
    """Reads one list in another order, as it was when it was sorted."""

    def __init__(self, ledger: Ledger, clock: Clock, query: Query, seqs: Sequence[int]) -> None:
        super().__init__(ledger, clock, query)
        self._seqs = seqs

    def first(self, rows: int) -> Top:
        return self.top()

    def top(self) -> Top:
        return Top(tuple(self.page(0)), len(self._seqs), True)

    def page(self, number: int) -> list[Line]:
        """Page `number`, counted from 0; a job that is gone meanwhile is left out."""
        wanted = self._seqs[number * PAGE : (number + 1) * PAGE]
        found = search.lines_by_seq(self._ledger, wanted) if wanted else {}
        return [found[seq] for seq in wanted if seq in found]
