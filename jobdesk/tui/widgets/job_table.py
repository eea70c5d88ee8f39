"""The table of jobs: moving in its rows, following and marking them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.geometry import clamp
from textual.message import Message

from jobdesk.ledger.search import Line
from jobdesk.ledger.sorting import KEYS, Order
from jobdesk.tui.columns import GAP
from jobdesk.tui.pages import PAGE
from jobdesk.tui.widgets.job_rows import JobRows
from jobdesk.tui.widgets.lines import RIGHT

_GREATEST_FIRST = frozenset({"priority", "try", "took"})


class JobTable(JobRows, can_focus=True):
    """A windowed table; see the module."""

    BINDINGS = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("home,g", "jump(0)", show=False),
        Binding("end,G", "jump(-1)", show=False),
    ]

    @dataclass
    class Opened(Message):
        """A second click on a row."""

    _left: int | None = None
    """Where the cursor was when it was last drawn, while it moves."""

    def when_empty(self, text: str) -> None:
        """What it says when it has no rows."""
        if text != self._empty:
            self._empty = text
            if not self.total:
                self.refresh()

    @property
    def matching(self) -> int:
        """How many jobs match now: those of the list as it was pinned, and what has come or gone since."""
        return max(0, self.total + self.newer)

    # ── moving ──

    def _go(self, at: int, *, follows: bool = False) -> None:
        if not self.total:
            return
        self.following = follows
        if self._left is None:
            self._left = self.cursor
            self.call_later(self._arrive)  # once, however many keys came at once
        self.cursor = clamp(at, 0, self.total - 1)
        self._want(self.cursor // PAGE)  # it is read while the keys behind this one are looked at

    def _arrive(self) -> None:
        """Bring the cursor into view, and repaint what it has left and where it is."""
        left, self._left = self._left, None
        top, body = self.scroll_offset.y, max(1, self.size.height - 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + body:
            self.scroll_to(y=self.cursor - body + 1, animate=False, force=True)
        if self.marks.range_from is not None:
            self.refresh()
        elif left is not None:
            self.refresh_line(left + 1)
            self.refresh_line(self.cursor + 1)
        self.post_message(self.Changed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._seqs = tuple(line.seq for _, line in self._visible())
        if round(new_value) > 0 and self.following:
            self.following = False
            self.post_message(self.Changed())

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._go(self.cursor + by * max(1, self.size.height - 2))

    def action_jump(self, to: int) -> None:
        self._go(self.total - 1 if to < 0 else to)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)  # the event counts the border too
        if place is None:
            return
        at = self.scroll_offset.y + place.y - 1
        if place.y == 0 and event.button == 1:
            self._sort_by_column_at(place.x)
        if place.y < 1 or at >= self.total:
            return
        again = at == self.cursor
        self._go(at)
        if event.button == RIGHT:
            event.stop()  # above it would be a click beside the dialog
            self.desk_app.do("actions")
        elif again and event.chain > 1:
            self.post_message(self.Opened())

    def _sort_by_column_at(self, x: int) -> None:
        """A click on a title: by that column, then the other way round, then newest first again."""
        start = 2
        for column, width in self._columns_for(self.size.width):
            if start <= x < start + width and column.key in KEYS:
                self.do_sort(column.key)
                return
            start += width + GAP

    def do_sort(self, key: str | None) -> None:
        """Sort by a key: the same again turns it round, a third time and None end it."""
        if key is None:
            self.sort(None)
        elif self.order is None or self.order.key != key:
            self.sort(Order(key, descending=key in _GREATEST_FIRST))
        elif self.order.descending == (key in _GREATEST_FIRST):
            self.sort(self.order.reversed)
        else:
            self.sort(None)

    def do_reverse(self) -> None:
        """Turn the order round."""
        self.sort(Order("age") if self.order is None else self.order.reversed)

    # ── following and marking; called by actions ──

    def do_follow(self) -> None:
        """Follow new jobs from the top, or freeze the list as it is."""
        if self.following:
            self.following = False
            self.post_message(self.Changed())
        else:
            self.following = True
            self.sort(None)

    def do_mark(self) -> None:
        """Mark or unmark the job under the cursor and go on; ends a range by marking it."""
        if self.marks.range_from is not None:
            self._mark_range()
        elif (line := self.current) is not None:
            self.marks.toggle(line)
            self._go(self.cursor + 1)
        self.refresh()

    def do_range(self) -> None:
        """Begin a range at the cursor, or mark what lies between."""
        if self.marks.range_from is None:
            self.following = False
            self.marks.range_from = self.cursor
            self.post_message(self.Changed())
        else:
            self._mark_range()
        self.refresh()

    def do_all(self) -> None:
        """Mark all that match, as a query, or unmark them."""
        self.marks.everything = not self.marks.everything
        self.following = False
        self.refresh()
        self.post_message(self.Changed())

    def do_clear(self) -> None:
        """Mark nothing."""
        self.marks.clear()
        self.refresh()
        self.post_message(self.Changed())

    def _mark_range(self) -> None:
        start, end = self.marks.take_range(self.cursor)
        numbers, kept = range(start // PAGE, end // PAGE + 1), self._in_memory
        missing = [number for number in numbers if not kept.is_whole(number, self.total)]
        self._mark_between(start, end, {number: kept.page(number) for number in numbers if number not in missing})
        pages, listed = self._pages, self._list
        if missing and pages is not None:
            self.desk_app.feed.ask(
                lambda: {number: pages.page(number) for number in missing},
                lambda found: self._mark_between(start, end, found) if listed == self._list else None,
            )

    def _mark_between(self, start: int, end: int, found: Mapping[int, Sequence[Line]]) -> None:
        for number, lines in found.items():
            for offset, line in enumerate(lines):
                if start <= number * PAGE + offset <= end:
                    self.marks.add(line)
        self.refresh()
        self.post_message(self.Changed())
