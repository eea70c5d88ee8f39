"""The service that folds ended jobs into the rollups of `jobdesk metrics`, and notes how full the queues are."""

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import folding, glance
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.depth import Depths
from jobdesk.runtime.quiet import Measure

ENOUGH = 20_000
"""Ends that are worth folding at once: so many can be read beside the rollups in some 100 ms."""
LEAST, MOST = 10_000, 50_000
"""Events of one step. Each writes the rows of the minute, the hour and the day anew: few large ones cost less."""


class Summarizer(Service):
    """Takes up what has ended since, and forgets minutes and hours that are past their time.

    It rests while nothing happens. Whoever ends jobs tells it how many; enough of them wake it.
    """

    name = "summarizer"
    interval_s = 10.0
    pause_s = 0.05
    """The least rest between two steps: each costs this process some milliseconds of computing."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._events = Measure(LEAST, MOST)
        self._depths = Depths(ledger)
        self._folded = -1
        """The newest event when nothing was left to fold."""
        self._ended = 0

    def ended(self, count: int) -> None:
        """So many jobs have just ended here."""
        self._ended += count
        if self._ended >= ENOUGH:
            self._ended = 0
            self.wake()

    def run_once(self) -> float | None:
        self._depths.look(self.clock.now())
        newest = glance.newest_event(self._ledger)
        if newest == self._folded:
            return None
        step = folding.fold(self._ledger, self._events.size)
        self._events.learn(step.held_s)
        if not step.more:
            step = folding.forget(self._ledger, self.clock.now())
        if not step.more:
            self._folded = newest
            return None
        return max(self.pause_s, 2 * step.held_s)
