"""The rows of the table of jobs: any number of them, of which only what is seen is in memory.

Rows are known by their place in a list that is pinned when it is opened. Each tick reads the visible
rows by key and repaints those that changed; new jobs wait until the list follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from jobdesk.core.query import Query
from jobdesk.ledger import sorting
from jobdesk.ledger.search import Line
from jobdesk.ledger.sorting import Order
from jobdesk.tui.columns import Placed, header, longest, place, row
from jobdesk.tui.format import Spans, wrap
from jobdesk.tui.job_cells import COLUMNS, cells
from jobdesk.tui.kept_pages import KeptPages
from jobdesk.tui.latest import Latest
from jobdesk.tui.pages import PAGE, Look, Pages, SortedPages, Top
from jobdesk.tui.widgets.lines import Painted
from jobdesk.tui.widgets.marks import Marks

_MEASURED_KEPT = 2000
_PACE = 4
"""So often a second a row is written anew: ages change once a second."""
_NEAR = 40
"""Rows from a page's edge at which the next page is fetched."""


class JobRows(Painted):
    """Reads, keeps and paints rows; `JobTable` moves in them."""

    @dataclass
    class Changed(Message):
        """Cursor, marks or counts are no longer what they were."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, JobRows.Changed)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.query_asked = Query()
        self.total = 0
        self.exact = True
        self.newer = 0
        """By how many jobs the list has grown since it was pinned; below 0: so many have left it."""
        self.following = True
        self.cursor = 0
        self.marks = Marks()
        self.loaded = False
        self.sorting = False
        """Another order is being made."""
        self._empty = ""
        """What it says when it has no rows."""
        self.order: Order | None = None
        """None: newest first, and new ones appear."""
        self._list = 0
        self._pages: Pages | None = None
        self._in_memory = KeptPages()
        self._wanted: set[int] = set()
        self._placed: Placed = ()
        self._placed_for = -1
        self._said: dict[str, int] = {}
        self._measured: dict[int, Line] = {}
        """By seq, rows that `_said` takes account of."""
        self._drawn: dict[int, tuple[Spans, bool, bool]] = {}
        self._written: dict[int, tuple[Line, Spans]] = {}
        """By seq, rows as they were written at `_written_at`, a quarter of a second, for the columns `_written_for`."""
        self._written_at = -1
        self._written_for: Placed = ()
        self._seqs: tuple[int, ...] = ()

    # ── the list ──

    def show(self, query: Query) -> None:
        """List the jobs that match, from the newest on."""
        self.query_asked = query
        self._list += 1
        self.desk_app.feed.hurry()
        if self.order is not None:
            self.sort(self.order)
            return
        self._sorts.stop()
        self._pages = Pages(self.desk_app.desk.ledger, self.desk_app.desk.clock, query)
        self.marks.clear()
        self.following, self.loaded, self.sorting = True, False, False
        self._reload()

    def sort(self, order: Order | None) -> None:
        """List them in another order, or None: newest first again."""
        self.order = order
        if order is None:
            self.show(self.query_asked)
            return
        self._list += 1
        query, ledger = self.query_asked, self.desk_app.desk.ledger
        self.sorting, self.following = True, False
        self.post_message(self.Changed())
        self._sorts.read(self.desk_app.aside, lambda: sorting.seqs(ledger, query, order), self._sorted)

    @cached_property
    def _sorts(self) -> Latest:
        return Latest(self.desk_app.desk.ledger)

    def _sorted(self, seqs: Sequence[int]) -> None:
        self.sorting = False
        self._pages = SortedPages(self.desk_app.desk.ledger, self.desk_app.clock, self.query_asked, seqs)
        self._reload()

    def _reload(self) -> None:
        pages, number = self._pages, self._list
        if pages is None:
            return
        rows = min(PAGE, self.desk_app.size.height)  # what is seen comes first, the rest of the page behind it
        self.desk_app.feed.ask(
            lambda: pages.first(rows) if number == self._list else None,  # the next letter was typed meanwhile
            lambda top: self._put_top(number, top),
            lambda: number == self._list,
        )

    def _complete(self, number: int) -> None:
        """Once the first rows are on the screen, read the rest of their page, and how long the list is if unknown."""
        pages = self._pages
        if pages is None or number != self._list:
            return
        self._fetch(0)
        if self.exact:
            return
        self.desk_app.feed.ask(
            lambda: pages.length() if number == self._list else None,
            lambda length: self._put_length(number, length),
            lambda: number == self._list,
        )

    def _put_length(self, number: int, length: tuple[int, bool] | None) -> None:
        if length is None or number != self._list or self.exact:
            return
        self.total, self.exact = length
        self._resize_list()
        self.redraw()
        self.post_message(self.Changed())

    def _put_top(self, number: int, top: Top | None) -> None:
        if top is None or number != self._list:
            return
        self._in_memory.clear()
        self._wanted.clear()
        self._said, self._placed_for = {}, -1
        self._measured.clear()
        self._in_memory.keep(0, top.lines)
        self.total, self.exact, self.newer, self.loaded = top.total, top.exact, 0, True
        self.cursor = 0
        self._resize_list()
        self.scroll_to(y=0, animate=False, force=True)
        self._drawn.clear()
        self.redraw()
        self.refresh()
        self.post_message(self.Changed())
        if not (top.exact and self._in_memory.is_whole(0, self.total)):
            self.call_after_refresh(self._complete, number)  # two threads that compute are slower than one

    def _resize_list(self) -> None:
        self.virtual_size = Size(0, self.total + 1)

    def look(self) -> Look | None:
        """Read what is visible; runs on the database thread as a lens."""
        pages, number = self._pages, self._list
        if pages is None:
            return None
        seqs = self._seqs
        total, exact = pages.count()
        top = pages.top() if self.following and self.loaded else None
        lines = pages.lines(seqs) if seqs and top is None else {}
        return Look(number, seqs, lines, total, exact, top)

    def take(self, look: Any) -> None:
        """Bring the rows in line with what a tick read."""
        if not self.loaded:
            return
        if not isinstance(look, Look) or look.list_number != self._list:
            self.redraw()  # nothing new about this list, but its ages go on
            return
        if look.top is not None and self.following:
            self._follow_to(look.top)
        elif not self.following:
            for at, old in self._visible():
                new = look.lines.get(old.seq)
                if new is not None and new != old:
                    self._in_memory.put(at, new)
                    self.marks.update(new)
            changed = look.total - self.total if look.exact and self.exact else 0
            if changed != self.newer:
                self.newer = changed
                self.post_message(self.Changed())
        self.redraw()
        if not (self.following or set(self._seqs) <= set(look.seqs)):
            self.desk_app.feed.poke()  # what has come into view since may have changed while nobody looked at it

    def _follow_to(self, top: Top) -> None:
        before = self._in_memory.page(0)
        if list(top.lines) == before and top.total == self.total:
            return
        if self.total != top.total or (top.lines and before and top.lines[0] != before[0]):
            self._in_memory.clear()
        self._in_memory.keep(0, top.lines)
        self.total, self.exact, self.newer = top.total, top.exact, 0
        self._resize_list()
        self.post_message(self.Changed())

    def redraw(self) -> None:
        """Repaint the visible rows that no longer look as they were drawn; ages make some do so each second."""
        now, visible = self.desk_app.desk.clock.now(), self._visible()
        self._seqs = tuple(line.seq for _, line in visible)
        self._make_room(visible, now)
        for at, line in visible:
            if self._drawn.get(at) != self._look_of(at, line, now):
                self.refresh_line(at + 1)

    def _visible(self) -> list[tuple[int, Line]]:
        top, found = self.scroll_offset.y, []
        for at in range(top, min(top + max(0, self.size.height - 1), self.total)):
            line = self._in_memory.line(at)
            if line is not None:
                found.append((at, line))
        return found

    @property
    def current(self) -> Line | None:
        """The job under the cursor, if it has been read."""
        return self._in_memory.line(self.cursor)

    def _want(self, number: int) -> None:
        if number < 0 or number in self._wanted or number in self._in_memory:
            return
        if self.loaded and number * PAGE < self.total:
            self._fetch(number)

    def _fetch(self, number: int) -> None:
        pages, listed = self._pages, self._list
        if pages is None:
            return
        self._wanted.add(number)

        def read() -> list[Line] | None:
            near = min(abs(number - at // PAGE) for at in (self.scroll_offset.y, self.cursor))
            return None if near > 3 or listed != self._list else pages.page(number)

        self.desk_app.feed.ask(read, lambda lines: self._put_page(listed, number, lines), lambda: listed == self._list)

    def _put_page(self, listed: int, number: int, lines: list[Line] | None) -> None:
        if listed != self._list:
            return
        self._wanted.discard(number)
        if lines is None:
            return  # the user has scrolled past it
        self._in_memory.keep(number, lines)
        if len(lines) < PAGE and self.exact and number * PAGE + len(lines) < self.total:
            self.total = max(1, number * PAGE + len(lines))
            self._resize_list()
            self.cursor = min(self.cursor, self.total - 1)
        elif not self.exact and len(lines) == PAGE and (number + 1) * PAGE >= self.total:
            self.total = (number + 2) * PAGE
            self._resize_list()
        self.redraw()
        self.post_message(self.Changed())

    # ── painting ──

    def _make_room(self, visible: list[tuple[int, Line]], now: float) -> None:
        """Widen columns that the visible rows need wider."""
        fresh = [line for _, line in visible if self._measured.get(line.seq) is not line]
        if len(self._measured) > _MEASURED_KEPT:
            self._measured.clear()
        self._measured.update((line.seq, line) for line in fresh)
        said = longest((cells(line, now, self.glyphs) for line in fresh), self._said)
        if said != self._said:
            self._said, self._placed_for = said, -1
            self.refresh()

    def _columns_for(self, width: int) -> Placed:
        """The columns as they fit; asked while painting, since only then the width is certain."""
        room = width - 3 - (self.total >= self.room.height)  # beside the scrollbar, if there is one
        if self._placed_for != room:
            self._placed_for, self._placed = room, place(COLUMNS, room, self._said)
            self._drawn.clear()
        return self._placed

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()
        self.refresh()

    def _look_of(self, at: int, line: Line, now: float) -> tuple[Spans, bool, bool]:
        return self._write(line, now), at == self.cursor, self.marks.has(line, at, self.cursor)

    def _write(self, line: Line, now: float) -> Spans:
        placed, pace = self._columns_for(self.room.width), int(now * _PACE)
        if pace != self._written_at or placed is not self._written_for:
            self._written.clear()
            self._written_at, self._written_for = pace, placed
        found = self._written.get(line.seq)
        if found is None or found[0] is not line:
            found = line, row(placed, cells(line, now, self.glyphs), self.glyphs.more)
            self._written[line.seq] = found
        return found[1]

    def render_line(self, y: int) -> Strip:
        width = self.room.width
        if y == 0:
            return self.paint((("  ", "head"), *self._header(width)), width)
        at = self.scroll_offset.y + y - 1
        if at >= self.total:
            words = wrap(self._empty, max(10, width - 4)) if not self.total and self.loaded else []
            return self.paint((("  " + words[y - 2], "muted"),) if 0 <= y - 2 < len(words) else (), width)
        self._want(at // PAGE)
        if at % PAGE > PAGE - _NEAR:
            self._want(at // PAGE + 1)
        elif at % PAGE < _NEAR:
            self._want(at // PAGE - 1)
        line = self._in_memory.line(at)
        if line is None:
            self._drawn.pop(at, None)
            return self.paint(
                ((f"  {at + 1:,} {self.glyphs.more}", "faint"),), width, self._over(at == self.cursor, False)
            )
        self._drawn[at] = spans, is_cursor, marked = self._look_of(at, line, self.desk_app.desk.clock.now())
        sign = self.glyphs.marked if marked else self.glyphs.cursor if is_cursor else " "
        return self.paint(((sign + " ", "accent"), *spans), width, self._over(is_cursor, marked))

    def _header(self, width: int) -> Spans:
        """The titles; that of the column it is sorted by has an arrow."""
        placed = self._columns_for(width)
        if self.order is None:
            return header(placed, self.glyphs.more)
        arrow = self.glyphs.below if self.order.descending else self.glyphs.new
        key = self.order.key
        return header(
            tuple((replace(one, title=f"{one.title}{arrow}") if one.key == key else one, room) for one, room in placed),
            self.glyphs.more,
        )

    def _over(self, cursor: bool, marked: bool) -> Style | None:
        return self.component("cursor") if cursor else self.component("marked") if marked else None
