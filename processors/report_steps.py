"""The parts of a period that charts go by: hours of a day, days of a week or month."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from . import periods
from .periods import Window

NOT_OVER = "This period is not over yet: the one before is whole."


def steps(window: Window) -> list[Window]:
    """Its hours if it is a day (or an hour), else its days."""
    grain: periods.Grain = "hourly" if window.grain in ("daily", "hourly") else "daily"
    return list(periods.windows(window.start, window.end, grain, window.zone))


def labels(parts: Sequence[Window]) -> list[str]:
    """Short names of parts: 14, Mon 16, 16."""
    form = "%H" if parts[0].grain == "hourly" else "%a %d" if len(parts) <= 7 else "%d"
    return [f"{one.start.astimezone(ZoneInfo(one.zone)):{form}}" for one in parts]
