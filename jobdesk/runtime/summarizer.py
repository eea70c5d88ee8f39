"""The service that folds ended jobs into the rollups of `jobdesk metrics`, when the desk has nothing better to do."""

from jobdesk.core.clock import Clock
from jobdesk.ledger import folding
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.step import Step
from jobdesk.runtime.quiet import Measure, QuietService


class Summarizer(QuietService):
    """Takes up what has ended since, and forgets minutes and hours that are past their time."""

    name = "summarizer"
    pause_s = 0.05  # each step costs this process some milliseconds of computing

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(ledger, clock)
        self._events = Measure(200, 5_000)

    def _step(self) -> Step:
        step = folding.fold(self._ledger, self._events.size)
        if step.more:
            self._events.learn(step.held_s)
            return step
        return folding.forget(self._ledger, self.clock.now())
