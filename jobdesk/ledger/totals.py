"""What ends of jobs come to: counts and spans of a queue and type, of a worker, of a kind of error, in some period."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobdesk.ledger.spans import Spans

MINUTE, HOUR, DAY = 60, 3600, 86400
Key = tuple[int, int, str, str]
"""Grain (seconds), period (its number since the epoch), queue, type."""
Named = tuple[int, int, str, str, str]
"""The same, and a worker or an error."""
EVERY = ""
"""In place of queue and type in the rows of a worker: all that it ran, whatever it was."""


@dataclass(slots=True)
class Worked:
    """What one worker ran."""

    completed: int = 0
    failed: int = 0
    waited: Spans = field(default_factory=Spans)
    took: Spans = field(default_factory=Spans)
    total: Spans = field(default_factory=Spans)

    @property
    def spans(self) -> tuple[Spans, Spans, Spans]:
        return self.waited, self.took, self.total

    def merge(self, other: "Worked") -> None:
        self.completed += other.completed
        self.failed += other.failed
        for own, its in zip(self.spans, other.spans, strict=True):
            own.merge(its)


@dataclass(slots=True)
class Totals:
    """What ends come to: how many in each state, how many after more than one attempt, and their spans."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    again: int = 0
    cpu_jobs: int = 0
    cpu_ms: int = 0
    cpu_most_ms: int = 0
    rss_jobs: int = 0
    rss_bytes: int = 0
    rss_most_bytes: int = 0
    waited: Spans = field(default_factory=Spans)
    took: Spans = field(default_factory=Spans)
    total: Spans = field(default_factory=Spans)

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.cancelled + self.expired

    @property
    def dead(self) -> int:
        """What went to the dead letters."""
        return self.failed + self.expired

    @property
    def spans(self) -> tuple[Spans, Spans, Spans]:
        return self.waited, self.took, self.total

    def add_numbers(self, numbers: Sequence[int]) -> None:
        """Add those of another in the order of `NUMBERS`."""
        for name, number in zip(NUMBERS, numbers, strict=True):
            own = getattr(self, name)
            setattr(self, name, max(own, number) if "most" in name else own + number)

    def merge(self, other: "Totals") -> None:
        self.add_numbers([getattr(other, name) for name in NUMBERS])
        for own, its in zip(self.spans, other.spans, strict=True):
            own.merge(its)


NUMBERS = (
    "completed", "failed", "cancelled", "expired", "again", "cpu_jobs", "cpu_ms", "cpu_most_ms",
    "rss_jobs", "rss_bytes", "rss_most_bytes",
)  # fmt: skip
"""Of `Totals`, and columns of `rollup`."""


@dataclass(slots=True)
class Sums:
    """What some ends come to, by grain, period, queue and type."""

    totals: dict[Key, Totals] = field(default_factory=dict)
    errors: Counter[Named] = field(default_factory=Counter)
    workers: dict[Named, Worked] = field(default_factory=dict)
    """Of each queue and type, and of `EVERY`."""

    def of(self, key: Key) -> Totals:
        if key not in self.totals:
            self.totals[key] = Totals()
        return self.totals[key]

    def of_worker(self, key: Named) -> Worked:
        if key not in self.workers:
            self.workers[key] = Worked()
        return self.workers[key]

    def coarsen(self, grain: int, into: int) -> None:
        """Add all of one grain into a coarser one."""
        for (_, at, queue, type_), totals in [item for item in self.totals.items() if item[0][0] == grain]:
            self.of((into, at * grain // into, queue, type_)).merge(totals)
        for (_, at, queue, type_, error), n in [item for item in self.errors.items() if item[0][0] == grain]:
            self.errors[into, at * grain // into, queue, type_, error] += n
        for (_, at, queue, type_, name), worked in [item for item in self.workers.items() if item[0][0] == grain]:
            self.of_worker((into, at * grain // into, queue, type_, name)).merge(worked)
