"""Hours, days, weeks and months in a timezone: the windows that events and reports are about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

Grain = Literal["hourly", "daily", "weekly", "monthly"]
MOST_WINDOWS = 10_000
"""Of one job."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` up to but not with `end`, both instants."""

    grain: Grain
    start: datetime
    end: datetime
    zone: str

    @property
    def name(self) -> str:
        """Fit for a file's name, and in the order of time: 2026-11-21, 2026-11-21T14+0100, 2026-W47, 2026-11."""
        local = self.start.astimezone(ZoneInfo(self.zone))
        if self.grain == "weekly":
            return local.strftime("%G-W%V")
        return local.strftime({"hourly": "%Y-%m-%dT%H%z", "daily": "%Y-%m-%d", "monthly": "%Y-%m"}[self.grain])

    @property
    def words(self) -> str:
        """For people: Saturday, 21 November 2026."""
        zone = ZoneInfo(self.zone)
        local, last = self.start.astimezone(zone), (self.end - timedelta(microseconds=1)).astimezone(zone)
        if self.grain == "hourly":
            return f"{local:%a} {local.day} {local:%B %Y, %H:%M} {local:%Z}"
        if self.grain == "daily":
            return f"{local:%A}, {local.day} {local:%B %Y}"
        if self.grain == "monthly":
            return f"{local:%B %Y}"
        first = f"{local.day} {local:%B}" + (f" {local:%Y}" if local.year != last.year else "")
        return f"Week {local:%V}, {first if local.month != last.month else local.day} to {last.day} {last:%B %Y}"

    def before(self) -> "Window":
        """The window before this one."""
        return containing(self.start - timedelta(microseconds=1), self.grain, self.zone)


def containing(moment: datetime, grain: Grain, zone: str) -> Window:
    """The window in which an instant lies."""
    local = moment.astimezone(ZoneInfo(zone))
    if grain == "hourly":  # by the clock on the wall, and yet each of the two hours that come twice in autumn
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        start = (moment.astimezone(UTC) - into).astimezone(UTC)
        return Window(grain, start, start + timedelta(hours=1), zone)
    day = local.date()
    if grain == "weekly":
        day -= timedelta(days=day.weekday())
        after = day + timedelta(days=7)
    elif grain == "monthly":
        day = day.replace(day=1)
        after = (day + timedelta(days=32)).replace(day=1)
    else:
        after = day + timedelta(days=1)
    return Window(grain, midnight(day, zone), midnight(after, zone), zone)


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins there."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def windows(start: datetime, end: datetime, grain: Grain, zone: str) -> Iterator[Window]:
    """The windows that hold anything from `start` up to but not with `end`, in order."""
    one = containing(start, grain, zone)
    while one.start < end:
        yield one
        one = containing(one.end, grain, zone)


def instant(said: str, zone: str, *, end: bool = False) -> datetime:
    """An instant from ISO 8601; without an offset it is meant there, and a mere day, as an end, counts as a whole.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        if len(said) == len("2026-11-21"):
            return midnight(date.fromisoformat(said) + timedelta(days=end), zone)
        found = datetime.fromisoformat(said)
    except (ValueError, OverflowError):
        raise ValueError(f"'{said}' is no time: write 2026-11-21 or 2026-11-21T14:00:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no timezone '{name}': write one like Europe/Berlin") from None


def iso(moment: datetime) -> str:
    """An instant as it is written down."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(window: Window) -> dict[str, Any]:
    return {
        "window": window.name,
        "granularity": window.grain,
        "timezone": window.zone,
        "start": iso(window.start),
        "end": iso(window.end),
    }


Zone = Annotated[str, AfterValidator(_zone)]
