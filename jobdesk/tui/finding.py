"""What is looked for in a log: which lines have it, as far as was read by now, and on which of them one stands."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from jobdesk.tui.format import number

_MOST = 100_000


class Finding:
    """A search from the first line to the last; it goes on as the log grows.

    Args:
        start: id of the line from which the first match is wanted; if there is none, the last before it.
    """

    def __init__(self, pattern: re.Pattern[str], start: int) -> None:
        self.pattern = pattern
        self.upto = 0
        """Id of the last line that was read."""
        self.idle = True
        """It has come to the end of the log."""
        self.at = 0
        """Id of the line one stands on; 0: on none."""
        self._start = start
        self._ids = array("q")

    def take(self, ids: Sequence[int], upto: int, more: bool) -> int | None:
        """What one more stretch held; the line to go to now, if it is the first that is known."""
        self._ids.extend(ids[: _MOST - len(self._ids)])
        self.upto, self.idle = upto, not more
        if self.at or not self._ids:
            return None
        first = bisect_left(self._ids, self._start)
        if first == len(self._ids) and more:
            return None
        self.at = self._ids[min(first, len(self._ids) - 1)]
        return self.at

    def step(self, by: int) -> int | None:
        """The line of the next match, or of the one before; behind the last comes the first."""
        if not self._ids:
            return None
        here = bisect_right(self._ids, self.at) - 1 if by < 0 else bisect_left(self._ids, self.at)
        self.at = self._ids[(here + by) % len(self._ids)]
        return self.at

    @property
    def said(self) -> str:
        """`3 of 214`, as far as is known."""
        count = len(self._ids)
        if not count:
            return "nothing found" if self.idle else "looking"
        of = f"{number(count)}{'' if self.idle and count < _MOST else '+'}"
        return f"{number(bisect_right(self._ids, self.at))} of {of}" if self.at else of
