"""The service that keeps the index of words up to date, when the desk has nothing better to do."""

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import indexing
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.indexing import Step
from jobdesk.runtime.quiet import Measure, Quiet

PAUSE_S = 0.001
"""Between two steps at the least; it is twice as long as the step kept others from writing."""
HELD_S = 0.01
"""How long a step may keep others from writing: it does less the next time if it was longer."""


class Indexer(Service):
    """Brings the index of words up to date in small steps, in moments in which few jobs move."""

    name = "indexer"
    interval_s = 1.0

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._jobs, self._pages = Measure(20, 500, HELD_S), Measure(4, 32, HELD_S)
        self._merging = False
        self._quiet = Quiet(ledger, clock)

    def run_once(self) -> float | None:
        if not self._quiet.look():
            return None
        step = self._step()
        return max(PAUSE_S, 2 * step.held_s) if step.more and not self._quiet.busy else None

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
