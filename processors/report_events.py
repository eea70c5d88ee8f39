"""What a report says of events in a period, from their aggregates, beside the period before."""

from collections.abc import Sequence
from typing import Any

from jobdesk import Context

from . import analytics
from .periods import Window
from .report_model import Chart, Figure, Number, Section, Series, Table
from .report_steps import NOT_OVER, labels, steps

_MOST_CHARTS = 8
_Kept = Sequence[dict[str, Any] | None]


def section(ctx: Context, window: Window, title: str = "Events") -> Section | None:
    """Figures, a chart for each metric, and a table; None if there is nothing to tell of."""
    former = window.before()
    was, now = analytics.worked_out(ctx, [former, window])
    if now is None:
        return None
    parts, before = steps(window), steps(former)
    fine, faint = analytics.worked_out(ctx, parts), analytics.worked_out(ctx, before)
    units: dict[str, str] = now.get("units", {})
    names = list(now["metrics"])
    made = Section(title, "" if now["complete"] else NOT_OVER)
    made.figures = [Figure("Events", now["events"], None if was is None else was["events"])]
    for name in names:
        value = None if was is None else was["metrics"].get(name)
        made.figures.append(Figure(words(name), now["metrics"][name], value, units.get(name, ""), "more"))
    for name in names[:_MOST_CHARTS]:
        series = [
            Series("this period", _values(fine, name)),
            Series("period before", _values(faint, name)[: len(parts)], before=True),
        ]
        made.charts.append(Chart(words(name), "lines", labels(parts), series, units.get(name, "")))
    rows: list[list[str | float | int | None]] = [
        [one.words if one.grain == "daily" else f"{label}:00", *(_values([kept], name)[0] for name in names)]
        for one, label, kept in zip(parts, labels(parts), fine, strict=True)
    ]
    first = "Hour" if parts[0].grain == "hourly" else "Day"
    columns, of = [first, *map(words, names[:6])], ["", *(units.get(name, "") for name in names[:6])]
    made.tables.append(Table("In numbers", columns, [row[:7] for row in rows], of))
    return made


def _values(kept: _Kept, name: str) -> list[Number]:
    return [None if one is None else one["metrics"].get(name) for one in kept]


def words(name: str) -> str:
    """page_views as Page views."""
    said = name.replace("_", " ").strip()
    return said[:1].upper() + said[1:]
