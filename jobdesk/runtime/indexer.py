"""The service that keeps the index of words up to date, when the desk has nothing better to do."""

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import glance, indexing
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.indexing import Step

PAUSE_S = 0.001
"""Between two steps at the least; it is twice as long as the step kept others from writing."""
BUSY = 500.0
"""Events a second from which on the desk is busy and the index waits: searches stay right meanwhile."""
LOOK_S = 0.25
"""How long events are counted to say so."""
PATIENCE_S = 60.0
"""After so long without a quiet moment it takes one step at each look all the same: some hundredth of the time."""
HELD_S = 0.01
"""How long a step may keep others from writing: it does less the next time if it was longer."""


class _Measure:
    """How much one step does, between `least` and `most`."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self.size = (least + most) // 4

    def learn(self, held_s: float) -> None:
        if held_s > HELD_S:
            self.size = max(self._least, self.size * 3 // 4)
        elif held_s < HELD_S / 2:
            self.size = min(self._most, self.size + self.size // 4 + 1)


class Indexer(Service):
    """Brings the index of words up to date in small steps, in moments in which few jobs move."""

    name = "indexer"
    interval_s = 1.0

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._jobs, self._pages = _Measure(20, 500), _Measure(4, 32)
        self._merging = False
        self._seen = (clock.monotonic(), glance.newest_event(ledger))
        self._busy = True  # until a look has shown that it is not
        self._waits_since = clock.monotonic()

    def run_once(self) -> float | None:
        self._look()
        now = self.clock.monotonic()
        if not self._busy:
            self._waits_since = now
        elif now - self._waits_since < PATIENCE_S:
            return None
        step = self._step()
        return max(PAUSE_S, 2 * step.held_s) if step.more and not self._busy else None

    def _look(self) -> None:
        at, event = self._seen
        now = self.clock.monotonic()
        if now - at >= LOOK_S:
            last = glance.newest_event(self._ledger)
            self._busy = (last - event) / (now - at) >= BUSY
            self._seen = now, last

    def _step(self) -> Step:
        if self._merging:
            step = indexing.merge(self._ledger, self._pages.size)
            self._pages.learn(step.held_s)
            self._merging = step.more
            return Step(True, step.held_s)
        if not indexing.is_behind(self._ledger):
            return Step(False)
        step = self._index()
        self._jobs.learn(step.held_s)
        self._merging = step.more
        return step

    def _index(self) -> Step:
        step = indexing.refresh(self._ledger, self._jobs.size)
        return step if step.more else indexing.extend(self._ledger, self._jobs.size)
