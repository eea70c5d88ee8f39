"""When a schedule is due: cron expressions in a timezone, through both changes of the clocks.

croniter is asked in wall time only, where every day has 24 hours; this module turns wall times into
instants. A wall time that does not exist (clocks go forward) means the first instant after the gap, so
several of them are one. A wall time that exists twice (clocks go back) means the first of the two.
"""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from jobdesk.core.nearest import nearest

if TYPE_CHECKING:
    from croniter import croniter

_FIELDS = 5


def check_cron(text: str) -> str:
    """The expression, tidied up.

    Raises:
        ValueError: it is none, or names a time that never comes; the message says what would fit.
    """
    cron = " ".join(text.split())
    fields = cron.split(" ")
    if not cron.startswith("@") and len(fields) != _FIELDS:
        raise ValueError(
            f"'{text}' is not a cron expression: it has {len(fields) if cron else 0} fields instead of five "
            "(minute, hour, day, month, weekday), like '30 2 * * mon-fri'"
        )
    if any(field[:1] in ("R", "r", "H", "h") for field in fields):
        raise ValueError(f"'{text}' is not a cron expression: R and H stand for no fixed time")
    try:
        _at(cron, 0.0).get_next(float)
    except (ValueError, KeyError) as error:  # croniter lets a KeyError through for some words
        from croniter import CroniterBadDateError

        if isinstance(error, CroniterBadDateError):
            raise ValueError(f"'{text}' never comes: no month has that day") from None
        raise ValueError(
            f"'{text}' is not a cron expression: write minute, hour, day, month and weekday like '30 2 * * mon-fri', "
            "or @hourly, @daily, @weekly, @monthly, @yearly"
        ) from None
    return cron


def zone(name: str) -> ZoneInfo:
    """A timezone by its name.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(name, available_timezones()) or ": write it like Europe/Berlin or UTC"
        raise ValueError(f"'{name}' is not a timezone{hint}") from None


def instant(wall: datetime, where: ZoneInfo) -> float:
    """The instant of a wall time, epoch seconds; one in a gap is the end of the gap, one that comes twice the first."""
    first = wall.replace(tzinfo=where, fold=0).timestamp()
    if datetime.fromtimestamp(first, where).replace(tzinfo=None, fold=0) == wall.replace(tzinfo=None, fold=0):
        return first
    before, behind = wall.replace(tzinfo=where, fold=1).timestamp(), first
    return _change_of_clocks(before, behind, where)


def moment(text: str | datetime, where: ZoneInfo | None) -> float:
    """Read a one-off time: ISO 8601; without an offset it is wall time in `where`, or of this machine if None.

    Raises:
        ValueError: it is not ISO 8601.
    """
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError(f"'{text}' is not an instant: write it like 2026-01-31T18:00 or 2026-01-31T18:00Z") from None
    if at.tzinfo is not None or where is None:
        return at.timestamp()
    return instant(at, where)


def after(cron: str, where: ZoneInfo, since: float) -> Iterator[float]:
    """The instants of an expression later than `since`, in order, without end."""
    last = since
    walls = _at(cron, _wall(since, where))
    while True:
        found = instant(datetime.fromtimestamp(walls.get_next(float), UTC).replace(tzinfo=None), where)
        if found > last:
            yield found
            last = found


def between(cron: str, where: ZoneInfo, since: float, until: float, limit: int) -> list[float]:
    """The latest `limit` instants later than `since` and not later than `until`, in order."""
    walls = _at(cron, _wall(until, where) + _repeated_s(until, where) + 1)
    found: list[float] = []
    while len(found) < limit:
        at = instant(datetime.fromtimestamp(walls.get_prev(float), UTC).replace(tzinfo=None), where)
        if at <= since:
            break
        if at <= until and (not found or at < found[-1]):
            found.append(at)
    return found[::-1]


def words(cron: str) -> str | None:
    """The expression in words, None where they fail."""
    from cron_descriptor import FormatError, MissingFieldError, Options, WrongArgumentError, get_description

    try:
        return str(get_description(_ALIASES.get(cron.lower(), cron), Options(use_24hour_time_format=True)))
    except (FormatError, MissingFieldError, WrongArgumentError, ValueError, IndexError, KeyError):
        return None


_ALIASES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip


def _at(cron: str, wall: float) -> "croniter":
    from croniter import croniter

    return croniter(cron, wall)


def _wall(at: float, where: ZoneInfo) -> float:
    """Wall time as if it were UTC, whole seconds: what croniter counts in."""
    local = datetime.fromtimestamp(at, where)
    return float(int(local.replace(tzinfo=UTC, fold=0, microsecond=0).timestamp()))


def _repeated_s(at: float, where: ZoneInfo) -> float:
    """By how much the clocks went back just before `at`, if its wall time comes for the second time."""
    local = datetime.fromtimestamp(at, where)
    if not local.fold:
        return 0.0
    later, earlier = local.utcoffset(), local.replace(fold=0).utcoffset()
    assert later is not None
    assert earlier is not None
    return (earlier - later).total_seconds()


@functools.lru_cache(maxsize=256)
def _change_of_clocks(before: float, behind: float, where: ZoneInfo) -> float:
    """The first instant with the offset that holds at `behind`, found by halving."""
    low, high = int(before), int(behind)
    offset = _offset(high, where)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, where) == offset else (middle, high)
    return float(high)


def _offset(at: float, where: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, where).utcoffset()
