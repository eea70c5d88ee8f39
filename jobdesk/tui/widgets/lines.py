"""Lines of text that scroll, painted one by one: the base of every panel, list and document of the app.

Repainting is decided by comparing lines: what is equal stays, so a tick that changes one number
sends one line to the terminal.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast
from weakref import WeakKeyDictionary

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from jobdesk.tui.format import Spans, fit_spans
from jobdesk.tui.glyphs import ASCII, Glyphs
from jobdesk.tui.palette import Palette
from jobdesk.tui.widgets.row_cache import RowCache

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


_KEPT = 512
_TITLES: WeakKeyDictionary[Widget, tuple[str, str]] = WeakKeyDictionary()


def retitle(widget: Widget, title: str, subtitle: str = "") -> None:
    """Set the titles of a border, if they differ. Textual repaints the whole widget then, this their rows."""
    before = _TITLES.get(widget)
    if before == (title, subtitle):
        return
    _TITLES[widget] = (title, subtitle)
    size, left, top = widget.outer_size, *widget.content_offset
    if before is None or not size:
        widget.border_title, widget.border_subtitle = Content(title), Content(subtitle)
        return
    widget._border_title, widget._border_subtitle = Content(title), Content(subtitle)
    rows = [row for row, at in ((0, 0), (size.height - 1, 1)) if before[at] != (title, subtitle)[at]]
    widget.refresh(*(Region(-left, row - top, size.width, 1) for row in rows))


RIGHT = 3
"""The mouse button that asks what can be done."""


class _PlainBar(ScrollBarRender):
    """Drawn by its background alone: eighths of a cell are no 7-bit signs."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.VERTICAL_BARS)


class Painted(ScrollView, can_focus=False, inherit_bindings=False):
    """A widget that paints spans. Subclasses give `line(y)`, and call `lines_changed` when their number changes."""

    COMPONENT_CLASSES = {"lines--cursor", "lines--marked", "lines--head"}

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)
    """As that of `ScrollView`, but a change lays out and repaints only what it moves."""
    _style: Style | None = None
    """The widget's own, while its lines are painted: Textual works it out anew each time it is asked for."""
    _room: Size | None = None
    """Its size, likewise."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_cache = RowCache()
        self._kept: dict[tuple[object, ...], Strip] = {}
        """By what they say and how: a row that is drawn again is the same strip, wherever it stands by then."""
        self._joined: dict[tuple[int, int], tuple[Strip, Strip, Strip]] = {}
        """By the identity of their parts, which are kept so that they stay the only ones."""

    def on_mount(self) -> None:
        if self.glyphs is ASCII:
            self.vertical_scrollbar.renderer = _PlainBar  # type: ignore[misc]  # of this one alone

    def watch_virtual_size(self, before: Size, now: Size) -> None:
        """Lay the screen out if a scrollbar comes or goes, or the height is that of the lines."""
        has_bar = now.height > self.container_size.height
        if self.styles.auto_dimensions or has_bar != self.show_vertical_scrollbar:
            self.refresh(layout=True)
            return
        if min(before.height, now.height) < self.scroll_offset.y + self.size.height:
            self.refresh()
        if has_bar:
            self.vertical_scrollbar.window_virtual_size = now.height
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._style, self._room = self.rich_style, self.size
        try:
            return super().render_lines(crop)
        finally:
            self._style = self._room = None

    @property
    def room(self) -> Size:
        """Its `size`, which takes long to ask for while its lines are painted."""
        return self._room or self.size

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Like that of `ScrollView`, but a scrollbar that would look the same is left alone."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = self._eighths(new_value)
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def _eighths(self, position: float) -> float:
        """A position at which the scrollbar, which is drawn in eighths of a cell, looks as at this one."""
        size, most = self.size.height, self.max_scroll_y
        steps = int((size - max(1.0, size * size / max(1, self.virtual_size.height))) * 8)
        if position >= most or steps <= 0 or most <= steps:
            return position
        return int(position * steps / most) * most / steps

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    @property
    def palette(self) -> Palette:
        return self.desk_app.palette

    @property
    def glyphs(self) -> Glyphs:
        return self.desk_app.glyphs

    def bindings_of(self, key: str) -> Sequence[Binding]:
        """What the key does here, where that is no matter of the app."""
        return self._bindings.key_to_bindings.get(key, ())

    def paint(self, spans: Spans, width: int, over: Style | None = None) -> Strip:
        """A strip of exactly `width` cells; `over` (the cursor, a mark) lies on top of the widget's own style."""
        own, palette = self._style or self.rich_style, self.palette
        key = spans, width, over, own, palette
        strip = self._kept.get(key)
        if strip is None:
            if len(self._kept) > _KEPT:
                self._kept.clear()
            strip = self._kept[key] = self._painted(spans, width, over, own, palette)
        return strip

    def _painted(self, spans: Spans, width: int, over: Style | None, own: Style, palette: Palette) -> Strip:
        base = own if over is None else own + over
        last = Style(color=over.color) if over is not None and over.color is not None else None
        fitted = fit_spans(spans, width, more=self.glyphs.more)
        segments = [Segment(text, base + palette[tone] + last) for text, tone in fitted if text]
        return Strip(segments, width)

    def beside(self, left: Strip, right: Strip) -> Strip:
        """Two painted strips as one, which is the same each time."""
        key = id(left), id(right)
        found = self._joined.get(key)
        if found is None:
            if len(self._joined) > _KEPT:
                self._joined.clear()
            found = self._joined[key] = left, right, Strip.join([left, right])
        return found[2]

    def component(self, name: str) -> Style:
        """The background of a component class, without its foreground: tones keep their colours under the cursor.

        In sixteen colours they would not be legible on it.
        """
        style = self.get_component_rich_style(f"lines--{name}")
        if self.app.current_theme.ansi:
            return Style(bgcolor=style.bgcolor, color="bright_white", bold=True)
        return Style(bgcolor=style.bgcolor, bold=style.bold or None, reverse=style.reverse or None)

    def visual_row(self, y: int) -> int:
        """The number of the line that is drawn at row `y` of the viewport."""
        return self.scroll_offset.y + y


class Lines(Painted):
    """A fixed sequence of lines: a panel without a cursor, or a document to scroll in."""

    def __init__(self, *, id: str | None = None, classes: str | None = None, focusable: bool = False) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = focusable
        self._lines: Sequence[Spans] = ()

    def show(self, lines: Sequence[Spans]) -> None:
        """Put these lines in place of the former; only those that differ are repainted."""
        old, self._lines = self._lines, tuple(lines)
        if len(old) != len(self._lines):
            self.virtual_size = Size(0, len(self._lines))
            self.refresh()
            return
        top, height = self.scroll_offset.y, self.size.height
        for y in range(top, min(top + height, len(old))):
            if old[y] != self._lines[y]:
                self.refresh_line(y)

    @property
    def lines(self) -> Sequence[Spans]:
        """What it shows now."""
        return self._lines

    def render_line(self, y: int) -> Strip:
        row, width = self.visual_row(y), self.size.width
        if row >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self.paint(self._lines[row], width)
