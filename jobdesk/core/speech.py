"""What people may say to a running job: one of these words, with what belongs to it.

    {"pause": true}   {"continue": true}   {"signal": 15}   {"send": "text", "end": whether nothing follows}

A processor that understands some of them says which (`@processor(…, hears=…)`) and looks for them with `ctx.heard()`.
"""

import signal
from collections.abc import Mapping
from typing import Any, Literal

from jobdesk.core.nearest import nearest

Word = Literal["pause", "continue", "signal", "send"]
Speech = Mapping[str, Any]
WORDS: tuple[Word, ...] = ("pause", "continue", "signal", "send")
LONGEST = 10_000
"""Characters that are sent at once."""


def signal_of(name: str) -> signal.Signals:
    """The signal that is meant by INT, SIGINT, int or 2.

    Raises:
        ValueError: there is none.
    """
    text = name.strip().upper()
    known = {one.name: one for one in signal.Signals}
    try:
        return signal.Signals(int(text)) if text.isdecimal() else known[text if text in known else f"SIG{text}"]
    except (KeyError, ValueError):
        near = nearest(f"SIG{text.removeprefix('SIG')}", list(known))
        raise ValueError(f"'{name}' is no signal of this system{near}") from None


class Pauses:
    """How long something has stood still in all. Monotonic seconds."""

    __slots__ = ("_since", "_sum_s")

    def __init__(self) -> None:
        self._since: float | None = None
        self._sum_s = 0.0

    def hear(self, speech: Speech, now: float) -> None:
        """It may have been told to pause, or to go on."""
        if "pause" in speech and self._since is None:
            self._since = now
        elif "continue" in speech and self._since is not None:
            self._sum_s, self._since = self._sum_s + now - self._since, None

    def total_s(self, now: float) -> float:
        return self._sum_s if self._since is None else self._sum_s + now - self._since
