"""How many requests a client may make: a bucket for each, that fills as time goes by."""

from collections import OrderedDict

from jobdesk.core.clock import Clock
from jobdesk.core.rate import Rate

REMEMBERED = 10_000
"""Clients; of more, those that asked longest ago begin anew."""


class RateLimit:
    """Lives in the server's event loop: no two threads ask at once."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._most = float(rate.most)
        self._fill = rate.most / rate.span_s
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What is left in the bucket of each client, and when that was."""

    def wait_s(self, client: str) -> float:
        """0 if the client may ask now, which is counted; else how many seconds it has to wait."""
        now = self._clock.monotonic()
        left, at = self._left.pop(client, (self._most, now))
        left = min(self._most, left + (now - at) * self._fill)
        may = left >= 1.0
        self._left[client] = (left - 1.0 if may else left), now
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return 0.0 if may else (1.0 - left) / self._fill
