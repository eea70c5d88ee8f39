"""How old something must be, as people and the reference documents write it: 30d, "30 days", or a number of days."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from jobdesk import Reject

from .spelling import either

_SECONDS = {
    "ms": 0.001, "s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400,
    "w": 604800, "week": 604800, "month": 30 * 86400, "year": 365 * 86400,
}  # fmt: skip
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def seconds(age: str) -> float:
    """An age in seconds.

    Raises:
        ValueError: it is none.
    """
    found = _AGE.fullmatch(age.strip().lower())
    unit = found[2] if found and found[2] in _SECONDS else found[2].removesuffix("s") if found else ""
    if found is None or unit not in _SECONDS:
        raise ValueError(f"'{age}' is not an age: write it like 30d, 12h or 30 days")
    return float(found[1]) * _SECONDS[unit]


def _checked(age: str) -> str:
    seconds(age)
    return age


Age = Annotated[str, Field(max_length=40), AfterValidator(_checked)]
OlderThan = Annotated[Age | None, either("older_than")]
OlderThanDays = Annotated[Annotated[float, Field(ge=0, le=36_500)] | None, either("older_than_days")]
DryRun = Annotated[bool, either("dry_run")]


def chosen(older_than: str | None, older_than_days: float | None) -> float | None:
    """The age that a payload asks for, in seconds; None if it says nothing.

    Raises:
        Reject: it says both.
    """
    if older_than is not None and older_than_days is not None:
        raise Reject("give either olderThan or olderThanDays", "data")
    if older_than is not None:
        return seconds(older_than)
    return None if older_than_days is None else older_than_days * 86400


def spoken(counts: Mapping[str, Any]) -> str:
    """Numbers for a line of a log: 3 files, 1,024 bytes."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
