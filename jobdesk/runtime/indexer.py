"""The service that keeps the index of words up to date, when the desk has nothing better to do."""

from jobdesk.core.clock import Clock
from jobdesk.ledger import indexing
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.step import Step
from jobdesk.runtime.quiet import Measure, QuietService


class Indexer(QuietService):
    """Brings the index of words up to date in small steps, in moments in which few jobs move."""

    name = "indexer"
    pause_s = 0.001

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(ledger, clock)
        self._jobs, self._pages = Measure(20, 500), Measure(4, 32)
        self._merging = False

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
