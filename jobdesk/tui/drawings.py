"""What charts show: lines over the last minutes. Pure functions from what was read to lines and their ticks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from jobdesk.ledger.latency import Minute

MINUTES = 60
_SERIES = ("run", "accent", "warn", "later")
"""Tones of lines that are alike."""
_STOPS_S = (0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36000.0, 360000.0, 3600000.0)
_STOPS = ("1ms", "10ms", "100ms", "1s", "10s", "1m", "10m", "1h", "10h", "100h", "1000h")
"""Heights of the chart of spans: seconds, and what stands beside them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, the tone it is drawn in, and its points (minutes ago as minus, value)."""

    name: str
    tone: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a chart shows. `ticks` are heights and what stands beside them, the lowest first."""

    title: str
    lines: tuple[Line, ...]
    empty: str
    span: int
    """Minutes."""
    ticks: tuple[tuple[float, str], ...] = ()


def throughput(minutes: Sequence[tuple[int, int]], span: int) -> Drawing:
    """Jobs that completed and failed in each of the last minutes; the oldest first, the current one last."""
    last = len(minutes) - 1
    lines = [
        Line(name, tone, tuple((float(at - last), float(numbers[which])) for at, numbers in enumerate(minutes)))
        for which, (name, tone) in enumerate((("completed", "ok"), ("failed", "bad")))
    ]
    return _counts("Jobs a minute", lines, "No job ended in the last hour.", span)


def latency(minutes: Sequence[Minute], now: float, span: int) -> Drawing:
    """How long jobs ran in each of the last minutes, as percentiles, each ten times as high as the one below."""
    shown = [one for one in minutes if one.at - now // 60 > -span]
    title, empty = "How long jobs ran", "Percentiles come in a minute."
    if not shown:
        return Drawing(title, (), empty, span)
    lines = tuple(
        Line(name, tone, tuple((one.at - now // 60, _height(one.took_s[at])) for one in shown))
        for at, (name, tone) in enumerate((("p50", "ok"), ("p95", "warn"), ("p99", "bad")))
    )
    heights = [height for line in lines for _, height in line.points]
    stops = [log10(stop) for stop in _STOPS_S]
    low = bisect_right(stops, min(heights)) - 1
    high = max(low + 1, bisect_left(stops, max(heights)))
    return Drawing(title, lines, empty, span, tuple(zip(stops[low : high + 1], _STOPS[low : high + 1], strict=True)))


def _height(span_s: float) -> float:
    return log10(min(max(_STOPS_S[0], span_s), _STOPS_S[-1]))


def depths(found: Iterable[tuple[int, str, int]], ready: Iterable[tuple[str, int]], now: float, span: int) -> Drawing:
    """Ready jobs of the fullest queues in each of the last minutes, and how many there are now."""
    current = [(int(now // 60), queue, count) for queue, count in ready if count]
    lines = _series([*found, *current], now, span)
    return _counts("Ready jobs, by queue", lines, "No job had to wait.", span)


def by_type(found: Iterable[tuple[int, str, int]], now: float, span: int) -> Drawing:
    """Jobs of the commonest types that ended in each of the last minutes."""
    return _counts("Jobs a minute, by type", _series(found, now, span), "No job ended in the last hour.", span)


def _series(found: Iterable[tuple[int, str, int]], now: float, span: int) -> list[Line]:
    """A line for each of the names that come to most; a minute that is named twice counts with the higher number."""
    minute, values = int(now // 60), dict[str, dict[int, int]]()
    for at, name, count in found:
        if -span < at - minute <= 0:
            of = values.setdefault(name, {})
            of[at - minute] = max(count, of.get(at - minute, 0))
    most = sorted(values, key=lambda name: (-sum(values[name].values()), name))[: len(_SERIES)]
    return [
        Line(name, tone, tuple((float(at), float(values[name].get(at, 0))) for at in range(1 - span, 1)))
        for name, tone in zip(most, _SERIES, strict=False)
    ]


def _counts(title: str, lines: Sequence[Line], empty: str, span: int) -> Drawing:
    """Lines from zero, which itself is not drawn."""
    shown = tuple(
        Line(line.name, line.tone, tuple(point for point in line.points if point[0] > -span))
        for line in lines
        if any(value for at, value in line.points if at > -span)
    )
    top = max((value for line in shown for _, value in line.points), default=0.0)
    heights = (0.0, top // 2, top) if top >= 2 else (0.0, top)
    return Drawing(title, shown, empty, span, tuple((height, f"{height:,.0f}") for height in heights))
