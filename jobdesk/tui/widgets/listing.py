"""A short list with a cursor: queues, running jobs, what needs attention. Long ones are `JobTable`'s matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip

from jobdesk.tui.columns import Column, Placed, header, longest, place, row
from jobdesk.tui.format import Spans, wrap
from jobdesk.tui.widgets.lines import RIGHT, Painted


@dataclass(frozen=True, slots=True)
class Item:
    """One row: the key that the cursor stays on, what it stands for, and its cells by column."""

    key: str
    value: object
    cells: Mapping[str, Spans]


class Listing(Painted, can_focus=True):
    """Rows in columns that fit, one of them under the cursor, which stays on its key when rows move."""

    BINDINGS = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("home,g", "move(-100000)", show=False),
        Binding("end,G", "move(100000)", show=False),
        Binding("enter", "open", show=False),
    ]

    @dataclass
    class Opened(Message):
        """Enter or a second click on a row."""

        listing: "Listing"
        value: object

    @dataclass
    class Moved(Message):
        """Another row is under the cursor."""

        listing: "Listing"

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Listing.Moved)

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        titles: bool = False,
        empty: str = "",
        always: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`always`: the cursor shows even while the focus is elsewhere."""
        super().__init__(id=id, classes=classes)
        self._columns = columns
        self._titles = titles
        self._empty = empty
        self._always = always
        self._items: Sequence[Item] = ()
        self._at = 0
        self._placed: Placed = ()
        self._placed_for = -1
        self._said: dict[str, int] = {}

    def show(self, items: Sequence[Item]) -> None:
        """Put these rows in place of the former."""
        old, key = self._items, self.key
        self._items = tuple(items)
        at = next((n for n, item in enumerate(self._items) if item.key == key), None)
        before, self._at = self._at, min(self._at, max(0, len(self._items) - 1)) if at is None else at
        said = longest((item.cells for item in self._items), self._said)
        wider, self._said = said != self._said, said
        if wider or len(old) != len(self._items):
            self._placed_for = -1
        if len(old) != len(self._items):
            self.virtual_size = Size(0, len(self._items) + self._head)
            self.refresh()
        elif before != self._at or wider:
            self.refresh()
        else:
            for number, (was, item) in enumerate(zip(old, self._items, strict=True)):
                if was.cells != item.cells:
                    self.refresh_line(number + self._head)

    def when_empty(self, said: str) -> None:
        """What stands here while there is no row."""
        if said != self._empty:
            self._empty = said
            self.refresh()

    @property
    def items(self) -> Sequence[Item]:
        return self._items

    @property
    def hidden(self) -> int:
        """Rows that there is no room for."""
        return max(0, len(self._items) + self._head - self.size.height) if self.size.height else 0

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._items[self._at].key if self._at < len(self._items) else None

    @property
    def value(self) -> object | None:
        """What the row under the cursor stands for."""
        return self._items[self._at].value if self._at < len(self._items) else None

    @property
    def _head(self) -> int:
        return 1 if self._titles and self._items else 0

    def _columns_for(self, width: int) -> Placed:
        """The columns as they fit; asked while painting, since only then the width is certain."""
        room = width - 2 - bool(self.hidden)
        if self._placed_for != room:
            self._placed_for, self._placed = room, place(self._columns, room, self._said)
        return self._placed

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def on_resize(self) -> None:
        self._said = longest((item.cells for item in self._items), {})
        self._placed_for = -1
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._items:
            words = wrap(self._empty, max(10, width - 2))
            return self.paint(((" " + words[y], "muted"),) if y < len(words) else (), width)
        if self._head and y == 0:
            return self.paint(((" ", "head"), *header(self._columns_for(width), self.glyphs.more)), width)
        at = self.visual_row(y) - self._head
        if at >= len(self._items):
            return Strip.blank(width, self.rich_style)
        over = self.component("cursor") if at == self._at and (self.has_focus or self._always) else None
        sign = self.glyphs.cursor if over else " "
        return self.paint(
            ((sign, "accent"), *row(self._columns_for(width), self._items[at].cells, self.glyphs.more)), width, over
        )

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_move(self, by: int) -> None:
        self._go(self._at + by)

    def action_open(self) -> None:
        if self.key is not None:
            self.post_message(self.Opened(self, self.value))

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)  # the event counts the border too
        if place is None:
            return
        at = self.visual_row(place.y) - self._head
        if 0 <= at < len(self._items):
            if at == self._at and event.chain > 1 and event.button != RIGHT:
                self.action_open()
            self._go(at)
            if event.button == RIGHT and not isinstance(self.screen, ModalScreen):
                event.stop()  # above it would be a click beside the dialog
                self.desk_app.do("actions")

    def _go(self, at: int) -> None:
        at = max(0, min(at, len(self._items) - 1))
        if at == self._at:
            return
        self._at = at
        top, room = self.scroll_offset.y, max(1, self.size.height - self._head)
        if at < top:
            self.scroll_to(y=at, animate=False)
        elif at >= top + room:
            self.scroll_to(y=at - room + 1, animate=False)
        self.refresh()
        self.post_message(self.Moved(self))
