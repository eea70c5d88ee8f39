"""Rates as people write them: "10/s", "100/m", "500/h", "1000/d", "5/10s"."""

import re
from dataclasses import dataclass
from typing import Any

from jobdesk.core.durations import seconds

_UNITS = {"s": "1s", "sec": "1s", "second": "1s", "m": "1m", "min": "1m", "minute": "1m", "h": "1h", "hour": "1h"}
_UNITS |= {"d": "1d", "day": "1d"}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `most` in any `span_s` seconds."""

    most: int
    span_s: float

    def __str__(self) -> str:
        word = {1.0: "s", 60.0: "m", 3600.0: "h", 86400.0: "d"}.get(self.span_s) or f"{self.span_s:g}s"
        return f"{self.most}/{word}"


def rate(text: Any) -> Rate:
    """Read a rate such as 100/m.

    Raises:
        ValueError: the text is not a rate; the message says what is.
    """
    if isinstance(text, Rate):
        return text
    found = re.fullmatch(r"\s*(\d{1,7})\s*/\s*(\S+)\s*", str(text))
    try:
        made = found and Rate(int(found[1]), seconds(_UNITS.get(found[2], found[2])))
    except ValueError:
        made = None
    if made is None or made.most < 1 or made.span_s <= 0:
        raise ValueError(f"'{text}' is not a rate: write it like 10/s, 100/m, 500/h or 5/10s")
    return made
