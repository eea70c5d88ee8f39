"""When a service that can wait may work: in moments in which few jobs move."""

from jobdesk.core.clock import Clock
from jobdesk.ledger import glance
from jobdesk.ledger.database import Ledger

BUSY = 500.0
"""Events a second from which on the desk is busy."""
LOOK_S = 0.25
"""How long events are counted to say so."""
PATIENCE_S = 60.0
"""After so long without a quiet moment a service takes one step at each look all the same."""


class Quiet:
    """Looks how many events there are, each time it is asked."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._seen = (clock.monotonic(), glance.newest_event(ledger))
        self.busy = True  # until a look has shown that it is not
        self._waits_since = clock.monotonic()

    def look(self) -> bool:
        """Whether to work now: it is quiet, or has not been for long."""
        at, event = self._seen
        now = self._clock.monotonic()
        if now - at >= LOOK_S:
            last = glance.newest_event(self._ledger)
            self.busy = (last - event) / (now - at) >= BUSY
            self._seen = now, last
        if not self.busy:
            self._waits_since = now
        return not self.busy or now - self._waits_since >= PATIENCE_S


class Measure:
    """How much one step does, between `least` and `most`, so that it keeps others from writing for `held_s` at most."""

    def __init__(self, least: int, most: int, held_s: float) -> None:
        self._least, self._most, self._held_s = least, most, held_s
        self.size = (least + most) // 4

    def learn(self, held_s: float) -> None:
        if held_s > self._held_s:
            self.size = max(self._least, self.size * 3 // 4)
        elif held_s < self._held_s / 2:
            self.size = min(self._most, self.size + self.size // 4 + 1)
