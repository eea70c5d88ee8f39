"""Charts: lines over minutes, drawn by plotext in the colours of the theme, anew only when what they show changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.color import Color
from textual.content import Content
from textual_plotext import PlotextPlot

from jobdesk.core.durations import short
from jobdesk.ledger.latency import Minute
from jobdesk.tui.palette import Palette
from jobdesk.tui.widgets.lines import retitle

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, the tone it is drawn in, and a point a minute (minutes ago, value)."""

    name: str
    tone: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a chart shows."""

    title: str
    lines: tuple[Line, ...]
    empty: str
    seconds: bool = False
    """The values are spans of time."""


def throughput(minutes: Sequence[tuple[int, int]]) -> Drawing:
    """Jobs that completed and failed in each of the last minutes; the oldest first, the current one last."""
    last = len(minutes) - 1
    done = tuple((float(at - last), float(one)) for at, (one, _) in enumerate(minutes))
    lost = tuple((float(at - last), float(one)) for at, (_, one) in enumerate(minutes))
    if not any(value for _, value in (*done, *lost)):
        done = lost = ()
    return Drawing(
        "Jobs a minute", (Line("completed", "ok", done), Line("failed", "bad", lost)), "No job ended in the last hour."
    )


def latency(minutes: Sequence[Minute], now: float) -> Drawing:
    """How long jobs ran in each of the last minutes, as percentiles."""
    lines = []
    for at, (name, tone) in enumerate((("p50", "ok"), ("p95", "warn"), ("p99", "bad"))):
        lines.append(Line(name, tone, tuple((float(one.at - now // 60), one.took_s[at]) for one in minutes)))
    return Drawing("Jobs ran", tuple(lines), "Percentiles come a minute after the first job.", seconds=True)


_VARIABLES = {"ok": "$success", "warn": "$warning", "bad": "$error"}
"""The theme's colours of the tones of lines."""


class Chart(PlotextPlot):
    """One chart; `show` is called at each tick."""

    _shown: object = None
    _plain = False
    """Only 7-bit signs."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.theme = "clear"  # the background shows through, the axes are in the terminal's own colour

    def show(self, drawing: Drawing) -> None:
        """Draw this, unless it is what stands there in these colours and this size."""
        app = cast("JobdeskApp", self.app)
        now = (drawing, app.theme, self.size)
        if now == self._shown or not self.size.width:
            return
        self._shown = now
        self._plain = app.glyphs.dash == "-"
        retitle(self, drawing.title)
        self.border_subtitle = self._legend(drawing)
        self._draw(drawing, app.palette)
        self.refresh()

    def _legend(self, drawing: Drawing) -> Content:
        """The names of its lines, each behind a piece of it."""
        piece = "--" if self._plain else "━━"
        named = [line for line in drawing.lines if line.points]
        return Content("   ").join(Content.assemble((piece, _VARIABLES[line.tone]), f" {line.name}") for line in named)

    def _draw(self, drawing: Drawing, palette: Palette) -> None:
        plt = self.plt
        plt.clear_figure()
        plt.frame(False)
        plt.grid(False)
        lines = [line for line in drawing.lines if line.points]
        if not lines:
            retitle(self, drawing.title, drawing.empty)
            return
        top = max(value for line in lines for _, value in line.points) or 1.0
        first = min(at for line in lines for at, _ in line.points)
        marker = "*" if self._plain else "braille"
        for line in lines:
            plt.plot(
                [at for at, _ in line.points], [value for _, value in line.points], marker=marker,
                color=_colour(palette, line.tone),
            )  # fmt: skip
        plt.ylim(0, top * 1.05)
        plt.xlim(min(first, -5.0), 0)
        ticks = [0.0, top / 2, top]
        plt.yticks(ticks, [f"{short(tick) if drawing.seconds else f'{tick:,.0f}'} " for tick in ticks])
        marks = [min(first, -5.0), min(first, -5.0) / 2, 0.0]
        plt.xticks(marks, [f"{-mark:.0f}m ago" if mark else "now" for mark in marks])


def _colour(palette: Palette, tone: str) -> tuple[int, int, int] | int:
    """As plotext takes it: one of the terminal's own sixteen by its number."""
    colour = palette[tone].color
    if colour is not None and colour.number is not None:
        return colour.number
    if colour is None or colour.triplet is None:
        return Color.parse("white").rgb
    triplet = colour.triplet
    return triplet.red, triplet.green, triplet.blue
