"""Charts as shapes in a rectangle: whoever draws pages (PDF) or writes pictures (SVG) draws the same ones.

Lengths are points, y goes down. Colours are those of `look`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from . import look
from .report_model import Chart, Series
from .wording import number, short, shortened

Anchor = Literal["start", "middle", "end"]
_TEXT = 7.5
_CHARACTER = 0.55
"""Width of a usual character, by the size of the text."""
_MOST_RANKED = 12


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Path:
    """Points joined by straight lines."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    points: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True, slots=True)
class Words:
    """`y` is the baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"


Shape = Box | Path | Area | Words
Y = Callable[[float], float]


def height(chart: Chart) -> float:
    """How high a chart wants to be."""
    if not _any(chart):
        return 44.0
    if chart.kind == "ranking":
        return 16.0 * max(1, min(len(chart.labels), _MOST_RANKED)) + 6
    return 150.0


def shapes(chart: Chart, width: float) -> list[Shape]:
    """A chart without its title, in a rectangle of that width and of `height(chart)`."""
    if not _any(chart):
        return _empty(width, height(chart))
    return _ranking(chart, width) if chart.kind == "ranking" else _over_time(chart, width)


def _any(chart: Chart) -> bool:
    return any(value for one in chart.series for value in one.values)


def _empty(width: float, high: float) -> list[Shape]:
    return [
        Box(0, 0, width, high, look.PAPER_2),
        Words(width / 2, high / 2 + 3, "Nothing in this period", 8.5, look.MUTED, "middle"),
    ]


def _over_time(chart: Chart, width: float) -> list[Shape]:
    high = height(chart)
    legend = len(chart.series) > 1
    top, bottom = (18.0 if legend else 6.0), high - 16
    stacked = chart.kind == "bars"
    low, most, step = _scale(chart.series, stacked)
    ticks = [low + step * n for n in range(round((most - low) / step) + 1)]
    left = 8 + max(len(short(one, chart.unit)) for one in ticks) * _TEXT * _CHARACTER
    made: list[Shape] = list(_legend(chart, left)) if legend else []

    def y(value: float) -> float:
        return bottom - (value - low) / (most - low) * (bottom - top)

    for tick in ticks:
        colour = look.AXIS if tick == max(low, 0) else look.GRID
        made.append(Path(((left, y(tick)), (width, y(tick))), colour, 0.5))
        made.append(Words(left - 5, y(tick) + 2.6, short(tick, chart.unit), _TEXT, look.MUTED, "end"))
    slot = (width - left) / max(1, len(chart.labels))
    made += _labels(chart.labels, left, slot, high - 4, width)
    if stacked:
        made += _bars(chart.series, left, slot, y)
    else:
        made += _lines(chart.series, left, slot, y, low)
    return made


def _bars(series: Sequence[Series], left: float, slot: float, y: Y) -> list[Shape]:
    made: list[Shape] = []
    wide = min(26.0, slot * 0.72)
    floors = [0.0] * max(len(one.values) for one in series)
    for number_, one in enumerate(one for one in series if not one.before):
        for at, value in enumerate(one.values):
            if not value or value < 0:
                continue
            foot, head = y(floors[at]), y(floors[at] + value)
            floors[at] += value
            made.append(Box(left + slot * at + (slot - wide) / 2, head, wide, foot - head, _colour(one, number_)))
    for one in series:
        if one.before:
            made += _marks(one, left, slot, wide, y)
    return made


def _marks(one: Series, left: float, slot: float, wide: float, y: Y) -> list[Shape]:
    """The period before: a short line across each bar."""
    made: list[Shape] = []
    for at, value in enumerate(one.values):
        if value:
            start = left + slot * at + (slot - wide) / 2 - 1.5
            made.append(Path(((start, y(value)), (start + wide + 3, y(value))), look.BEFORE, 1.2))
    return made


def _lines(series: Sequence[Series], left: float, slot: float, y: Y, low: float) -> list[Shape]:
    made: list[Shape] = []
    shown = [one for one in series if not one.before]
    order = [one for one in series if one.before] + shown
    for one in order:
        colour = look.BEFORE if one.before else _colour(one, shown.index(one))
        for run in _runs(one):
            points = tuple((left + slot * (at + 0.5), y(value)) for at, value in run)
            if len(shown) == 1 and not one.before and len(points) > 1:
                foot = y(max(low, 0))
                made.append(Area(((points[0][0], foot), *points, (points[-1][0], foot)), look.WASH))
            if len(points) == 1:
                x, level = points[0]
                made.append(Box(x - 1.5, level - 1.5, 3, 3, colour))
            else:
                made.append(Path(points, colour, 1.0 if one.before else 1.5, dashed=one.before))
    return made


def _runs(one: Series) -> list[list[tuple[int, float]]]:
    """Values side by side: a line breaks where there is none."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(one.values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _ranking(chart: Chart, width: float) -> list[Shape]:
    values = chart.series[0].values
    before = next((one.values for one in chart.series[1:] if one.before), [])
    rows = [(label, value or 0, at) for at, (label, value) in enumerate(zip(chart.labels, values, strict=False))]
    rows = sorted(rows, key=lambda row: -row[1])[:_MOST_RANKED]
    most = max([abs(value) for _, value, _ in rows] + [before[at] or 0 for *_, at in rows if at < len(before)]) or 1
    named = min(width * 0.38, 8 + max(len(label) for label, *_ in rows) * 8 * _CHARACTER)
    said = 10 + max(len(number(value, chart.unit)) for _, value, _ in rows) * 8 * _CHARACTER
    room = width - named - said
    made: list[Shape] = []
    for place, (label, value, at) in enumerate(rows):
        top = 3 + 16 * place
        text = shortened(label, int((named - 8) / (8 * _CHARACTER)))
        made.append(Words(named - 8, top + 9, text, 8, look.INK, "end"))
        long = max(0.8 if value else 0.0, room * max(0, value) / most)
        if long:
            made.append(Box(named, top + 1.5, long, 10, _colour(chart.series[0], 0)))
        if at < len(before) and before[at]:
            x = named + room * (before[at] or 0) / most
            made.append(Path(((x, top), (x, top + 13)), look.BEFORE, 1.2))
        made.append(Words(named + long + 5, top + 9, number(value, chart.unit), 8, look.MUTED))
    return made


def _legend(chart: Chart, left: float) -> list[Shape]:
    made: list[Shape] = []
    x, shown = left, [one for one in chart.series if not one.before]
    for one in chart.series:
        colour = look.BEFORE if one.before else _colour(one, shown.index(one))
        if one.before:
            made.append(Path(((x, 5.5), (x + 10, 5.5)), colour, 1.2, dashed=chart.kind == "lines"))
        else:
            made.append(Box(x, 2.5, 10, 6, colour))
        text = shortened(one.name, 30)
        made.append(Words(x + 14, 8.2, text, _TEXT, look.MUTED))
        x += 14 + len(text) * _TEXT * _CHARACTER + 16
    return made


def _labels(labels: Sequence[str], left: float, slot: float, baseline: float, width: float) -> list[Shape]:
    """As many of them as there is room for, the first always."""
    texts = [shortened(label, 24) for label in labels]
    widest = max((len(text) for text in texts), default=1) * _TEXT * _CHARACTER + 8
    every = max(1, math.ceil(widest / slot))
    made: list[Shape] = []
    for at in range(0, len(texts), every):
        x, half = left + slot * (at + 0.5), widest / 2 - 4
        anchor: Anchor = "middle"
        if x + half > width:
            if every > 1:
                continue
            x, anchor = width, "end"
        made.append(Words(x, baseline, texts[at], _TEXT, look.MUTED, anchor))
    return made


def _scale(series: Sequence[Series], stacked: bool) -> tuple[float, float, float]:
    """Where an axis begins and ends, and its step: a round one, four or five of them."""
    values = [value for one in series for value in one.values if value is not None]
    most, low = max(values), min(0.0, *values)
    if stacked:
        now = [one.values for one in series if not one.before]
        most = max([most, *(sum(value or 0 for value in column) for column in zip(*now, strict=False))])
        low = 0.0
    span = max(most - low, 1e-9)
    raw = span / 4
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= raw * 0.999)
    if all(float(value).is_integer() for value in values):
        step = max(1.0, float(math.ceil(step)))
    first = math.floor(low / step) * step
    return first, first + step * max(1, math.ceil((most - first) / step - 1e-9)), step


def _colour(one: Series, place: int) -> str:
    return look.BAD if one.bad else look.COLOURS[place % len(look.COLOURS)]
