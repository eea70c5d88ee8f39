"""When a service that can wait may work: in moments in which few jobs move."""

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import glance
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.step import Step

BUSY = 500.0
"""Events a second from which on the desk is busy."""
LOOK_S = 0.25
"""How long events are counted to say so."""
PATIENCE_S = 60.0
"""After so long without a quiet moment a service takes one step at each look all the same."""
WAITING_S, IDLE_S = 1.0, 5.0
"""The rest until it may be quiet, and once there is nothing to do."""

HELD_S = 0.01
"""How long a step may keep others from writing: it does less the next time if it was longer."""


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
    """How much one step does, between `least` and `most`, so that it keeps others from writing for `HELD_S` at most."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self.size = (least + most) // 4

    def learn(self, held_s: float) -> None:
        if held_s > HELD_S:
            self.size = max(self._least, self.size * 3 // 4)
        elif held_s < HELD_S / 2:
            self.size = min(self._most, self.size + self.size // 4 + 1)


class QuietService(Service):
    """Works in small steps while it is quiet, and rests twice as long as each kept others from writing."""

    interval_s = WAITING_S
    pause_s: float
    """The least rest between two steps."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._quiet = Quiet(ledger, clock)

    def run_once(self) -> float | None:
        self.interval_s = WAITING_S
        if not self._quiet.look():
            return None
        step = self._step()
        if not step.more:
            self.interval_s = IDLE_S
        return max(self.pause_s, 2 * step.held_s) if step.more and not self._quiet.busy else None

    def _step(self) -> Step:
        raise NotImplementedError
