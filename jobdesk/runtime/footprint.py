"""What this process uses itself: processor time and memory, without the children that run jobs."""

import os
import time

from jobdesk.core.clock import Clock
from jobdesk.ledger.workers import Footprint
from jobdesk.runtime import processes

_WEIGHT = 0.65
"""Of the last look in the share of a core: it is that of some ten seconds."""


class Meter:
    """Measures from look to look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at, self._cpu_s = clock.monotonic(), time.process_time()
        self._share: float | None = None

    def look(self) -> Footprint:
        """What is used now; costs some microseconds."""
        at, cpu_s = self._clock.monotonic(), time.process_time()
        if at > self._at:
            share = max(0.0, (cpu_s - self._cpu_s) / (at - self._at))
            self._share = share if self._share is None else (1 - _WEIGHT) * self._share + _WEIGHT * share
            self._at, self._cpu_s = at, cpu_s
        return Footprint(cpu_s, self._share or 0.0, processes.resident(os.getpid()) or 0)
