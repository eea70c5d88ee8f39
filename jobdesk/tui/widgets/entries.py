"""A list of entries, each of a line or several, with a cursor: the tree of a payload, the jobs of a flow."""

from collections.abc import Sequence

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from jobdesk.tui.fold import Entry
from jobdesk.tui.format import Spans
from jobdesk.tui.widgets.lines import Painted


class Entries(Painted, can_focus=True):
    """Enter, space or a second click chooses what folds or stands for a job."""

    BINDINGS = [
        Binding("down,j", "step(1)", show=False),
        Binding("up,k", "step(-1)", show=False),
        Binding("pagedown,ctrl+f", "leaf(1)", show=False),
        Binding("pageup,ctrl+b", "leaf(-1)", show=False),
        Binding("home,g", "step(-1000000)", show=False),
        Binding("end,G", "step(1000000)", show=False),
        Binding("enter,space", "choose", show=False),
    ]

    class Chosen(Message):
        """Somebody wants to see what is in it or behind it."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._rows: list[tuple[int, Spans]] = []
        self._at = 0

    def show(self, entries: Sequence[Entry]) -> None:
        """Put these in place of the former; the cursor stays at its entry."""
        if entries == self._entries:
            return
        current = self.current
        self._entries = entries
        found = (n for n, one in enumerate(entries) if current is not None and one.key == current.key)
        self._at = next(found, min(self._at, max(0, len(entries) - 1)))
        if entries and not entries[self._at].key:
            self._at = self._next(self._at, 1)
        self._rows = [(at, line) for at, entry in enumerate(entries) for line in entry.lines]
        self.virtual_size = Size(0, len(self._rows))
        self.refresh()

    def start(self, key: str | None = None) -> None:
        """Put the cursor on the entry with this key or job, or on the first."""
        wanted = (n for n, one in enumerate(self._entries) if key is not None and key in (one.key, one.job))
        self._at = next(wanted, self._next(-1, 1))
        self._scroll()

    @property
    def current(self) -> Entry | None:
        """The entry under the cursor."""
        return self._entries[self._at] if self._at < len(self._entries) else None

    def _next(self, at: int, by: int) -> int:
        """The next entry the cursor may stand on; without a key it is but text."""
        way = range(at + 1, len(self._entries)) if by > 0 else range(at - 1, -1, -1)
        return next((n for n in way if self._entries[n].key), at if at >= 0 else 0)

    def action_step(self, by: int) -> None:
        before = self._at
        for _ in range(min(abs(by), len(self._entries))):
            self._at = self._next(self._at, by)
        if self._at != before:
            self._scroll()
        elif by < 0:
            self.scroll_to(y=0, animate=False)

    def action_leaf(self, by: int) -> None:
        self.action_step(by * max(1, self.size.height - 1))

    def _scroll(self) -> None:
        rows = [y for y, (at, _) in enumerate(self._rows) if at == self._at]
        if rows:
            top, height = self.scroll_offset.y, self.size.height
            if rows[0] < top:
                self.scroll_to(y=rows[0], animate=False)
            elif rows[-1] >= top + height:
                self.scroll_to(y=min(rows[0], rows[-1] - height + 1), animate=False)
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is nothing to open the key goes on to others."""
        current = self.current
        return action != "choose" or (current is not None and (current.folds or current.job is not None))

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self.current))

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None or self.visual_row(place.y) >= len(self._rows):
            return
        at = self._rows[self.visual_row(place.y)][0]
        if not self._entries[at].key:
            return
        self._at = at
        self.refresh()
        if self._entries[at].folds or event.chain > 1:
            self.action_choose()

    def render_line(self, y: int) -> Strip:
        row, width = self.visual_row(y), self.size.width
        if row >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        at, line = self._rows[row]
        over = self.component("cursor") if at == self._at and self.has_focus else None
        return self.paint(line, width, over)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
