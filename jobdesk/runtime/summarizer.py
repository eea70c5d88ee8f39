"""The service that folds ended jobs into the rollups of `jobdesk metrics`, when the desk has nothing better to do."""

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import folding
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.folding import Folded
from jobdesk.runtime.quiet import Measure, Quiet

PAUSE_S = 0.05
"""Between two steps at the least: each costs this process some milliseconds of computing."""
HELD_S = 0.01
"""How long a step may keep others from writing: it does less the next time if it was longer."""


class Summarizer(Service):
    """Takes up what has ended since, and forgets minutes and hours that are past their time."""

    name = "summarizer"
    interval_s = 1.0

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._events = Measure(200, 5_000, HELD_S)
        self._quiet = Quiet(ledger, clock)

    def run_once(self) -> float | None:
        if not self._quiet.look():
            return None
        step = self._step()
        return max(PAUSE_S, 2 * step.held_s) if step.more and not self._quiet.busy else None

    def _step(self) -> Folded:
        step = folding.fold(self._ledger, self._events.size)
        if step.more:
            self._events.learn(step.held_s)
            return step
        return folding.forget(self._ledger, self.clock.now())
