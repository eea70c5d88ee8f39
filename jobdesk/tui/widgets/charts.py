"""Charts: lines over minutes, drawn by plotext in the colours of the theme, anew only when what they show changed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from textual.color import Color
from textual.content import Content
from textual_plotext import PlotextPlot

from jobdesk.tui.drawings import Drawing, Line
from jobdesk.tui.format import clean, fit
from jobdesk.tui.palette import Palette
from jobdesk.tui.widgets.lines import retitle

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_VARIABLES = {
    "ok": "$success", "warn": "$warning", "bad": "$error", "run": "$primary", "accent": "$accent",
    "later": "$secondary",
}  # fmt: skip
"""The theme's colours of the tones of lines."""
_NAME = 12
"""Cells of a line's name, at least; where there is room for fewer names, there are fewer lines."""


class Chart(PlotextPlot):
    """One chart; `show` is called at each tick."""

    _shown: object = None
    _drawing: Drawing | None = None
    _plain = False
    """Only 7-bit signs."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.theme = "clear"  # the background shows through, the axes are in the terminal's own colour

    def show(self, drawing: Drawing) -> None:
        """Draw this, unless it is what stands there in these colours and this size."""
        app = cast("JobdeskApp", self.app)
        self._drawing = drawing
        now = (drawing, app.theme, self.size)
        if now == self._shown or not self.size.width:
            return
        self._shown = now
        self._plain = app.glyphs.dash == "-"
        if not drawing.lines:
            self._clear()
            retitle(self, drawing.title, drawing.empty)
        else:
            lines = _with_room(drawing.lines, self.size.width)
            retitle(self, drawing.title)
            self.border_subtitle = self._legend(lines, app.glyphs.more)
            self._draw(drawing, lines, app.palette)
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._drawing is not None:
            self.show(self._drawing)

    def _legend(self, lines: tuple[Line, ...], more: str) -> Content:
        """The names of its lines, each behind a piece of it."""
        piece = "--" if self._plain else "━━"
        room = (self.size.width - 4) // len(lines) - 5
        names = [fit(clean(line.name), min(room, len(line.name)), more=more) for line in lines]
        return Content("  ").join(
            Content.assemble((piece, _VARIABLES[line.tone]), f" {name}")
            for line, name in zip(lines, names, strict=True)
        )

    def _clear(self) -> None:
        self.plt.clear_figure()
        self.plt.frame(False)
        self.plt.grid(False)

    def _draw(self, drawing: Drawing, lines: tuple[Line, ...], palette: Palette) -> None:
        self._clear()
        plt = self.plt
        plt.ticks_color(_colour(palette, "muted"))
        marker = "*" if self._plain else "braille"
        bottom, top = drawing.ticks[0][0], drawing.ticks[-1][0]
        for line in reversed(lines):  # the first lies on top
            for part in _parts(line, bottom):
                plt.plot([at for at, _ in part], [value for _, value in part], marker=marker,
                         color=_colour(palette, line.tone))  # fmt: skip
        plt.ylim(bottom, top + (top - bottom) * 0.05)
        plt.xlim(1 - drawing.span, 0)
        plt.yticks([height for height, _ in drawing.ticks], [f"{said} " for _, said in drawing.ticks])
        marks = [float(1 - drawing.span), -drawing.span / 2, 0.0]
        plt.xticks(marks, [f"-{drawing.span}m", f"-{drawing.span // 2}m", "now"])


def _with_room(lines: tuple[Line, ...], width: int) -> tuple[Line, ...]:
    """As many as can be named below the chart."""
    room, kept = width - 4, 0
    for line in lines:
        room -= min(_NAME, len(line.name)) + 5
        kept += room >= 0
    return lines[: max(1, kept)]


def _parts(line: Line, bottom: float) -> Iterator[list[tuple[float, float]]]:
    """The pieces of a line that do not lie on the ground."""
    part: list[tuple[float, float]] = []
    points = line.points
    for at, point in enumerate(points):
        near = points[max(0, at - 1) : at + 2]
        if any(height > bottom for _, height in near):
            part.append(point)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _colour(palette: Palette, tone: str) -> tuple[int, int, int] | int:
    """As plotext takes it: one of the terminal's own sixteen by its number."""
    colour = palette[tone].color
    if colour is not None and colour.number is not None:
        return colour.number
    if colour is None or colour.triplet is None:
        return Color.parse("white").rgb
    triplet = colour.triplet
    return triplet.red, triplet.green, triplet.blue
