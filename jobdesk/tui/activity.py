"""What ended lately: the minutes of the last hour from the ledger's counters, and how long the newest jobs took."""

from collections import deque
from dataclasses import dataclass

from jobdesk.ledger import glance
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.glance import Ending

MINUTES = 60
_AT_FIRST = 500
_AT_ONCE = 20_000
_SAMPLE = 2000
_QUEUE_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Rates:
    """Numbers for people. `minutes` is (completed, failed) of each minute, the oldest first, the current one last."""

    minutes: tuple[tuple[int, int], ...] = ()
    last_minute: int = 0
    waited_p50_s: float | None = None
    waited_p95_s: float | None = None
    took_p50_s: float | None = None
    took_p95_s: float | None = None
    queue_p95_s: tuple[tuple[str, float], ...] = ()

    @property
    def completed(self) -> int:
        return sum(done for done, _ in self.minutes)

    @property
    def failed(self) -> int:
        return sum(failed for _, failed in self.minutes)

    @property
    def failed_share(self) -> float | None:
        """Of the last hour, 0 to 1; None if nothing ended."""
        total = self.completed + self.failed
        return self.failed / total if total else None


class Activity:
    """Follows the endings of jobs: reads the newest once, then only what is new."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._event: int | None = None
        self._instants: deque[float] = deque()
        self._waits: deque[float] = deque(maxlen=_SAMPLE)
        self._takes: deque[float] = deque(maxlen=_SAMPLE)
        self._by_queue: dict[str, deque[float]] = {}

    def read(self, now: float) -> Rates:
        """Take in what ended since the last call; the rates as of `now`."""
        if self._event is None:
            self._event = glance.newest_event(self._ledger)
            found = glance.newest_endings(self._ledger, now - MINUTES * 60, _AT_FIRST)
        else:
            self._event, found = glance.endings_after(self._ledger, self._event, _AT_ONCE)
        for ending in found:
            self._take(ending)
        return self._rates(now)

    def _take(self, ending: Ending) -> None:
        self._instants.append(ending.at)
        if ending.waited_s is not None:
            self._waits.append(ending.waited_s)
        if ending.took_s is not None:
            self._takes.append(ending.took_s)
            self._by_queue.setdefault(ending.queue, deque(maxlen=_QUEUE_SAMPLE)).append(ending.took_s)

    def _rates(self, now: float) -> Rates:
        from jobdesk.monitoring.metrics import throughput  # with all it needs, after the first frame

        while self._instants and self._instants[0] <= now - 60:
            self._instants.popleft()
        waits, takes = sorted(self._waits), sorted(self._takes)
        return Rates(
            minutes=tuple(throughput(self._ledger, now, MINUTES)),
            last_minute=len(self._instants),
            waited_p50_s=_share(waits, 0.5),
            waited_p95_s=_share(waits, 0.95),
            took_p50_s=_share(takes, 0.5),
            took_p95_s=_share(takes, 0.95),
            queue_p95_s=tuple(
                (queue, _share(sorted(spans), 0.95) or 0.0) for queue, spans in sorted(self._by_queue.items())
            ),
        )


def _share(ordered: list[float], share: float) -> float | None:
    """The value that `share` of the ordered values do not exceed, to two digits, so that it seldom flickers."""
    if not ordered:
        return None
    return float(f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2g}")
