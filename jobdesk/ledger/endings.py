"""Ends of jobs, and how the ledger knows which of them are not in the rollups yet.

Storing, claiming and completing a job do not touch the rollups: `ledger.folding` adds ends to them later, in the order
of their events, up to a mark. What ends above the mark is read from its event and its job. Before such a job runs
again or goes, a trigger keeps its end in `unfolded`: the rollups, those, and the jobs of the other events above the
mark are together every end there ever was, each once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger.database import Ledger, Row
from jobdesk.ledger.spans import Spans

MARK_KEY = "rollup"
ENDS = (Kind.JOB_COMPLETED, Kind.JOB_FAILED, Kind.JOB_CANCELLED, Kind.JOB_EXPIRED)


@dataclass(frozen=True, slots=True)
class Ended:
    """An end of a job. Instants are epoch seconds, None where it never came so far."""

    event: int
    at: float
    queue: str
    type: str
    state: State
    attempt: int
    worker: str | None
    created_at: float
    ready_at: float | None
    started_at: float | None
    cpu_ms: int | None
    max_rss_bytes: int | None
    error_type: str | None

    @property
    def ran(self) -> bool:
        """Whether it ended by running."""
        return self.started_at is not None and self.state in (State.COMPLETED, State.FAILED)

    @property
    def waited_s(self) -> float | None:
        """From ready to started; None if it did not start since it was last ready."""
        if self.started_at is None or self.ready_at is None or (not self.ran and self.started_at < self.ready_at):
            return None
        return max(0.0, self.started_at - self.ready_at)

    @property
    def took_s(self) -> float | None:
        return max(0.0, self.at - self.started_at) if self.ran and self.started_at is not None else None

    @property
    def total_s(self) -> float | None:
        """From stored to ended; None for a cancelled job."""
        return None if self.state is State.CANCELLED else max(0.0, self.at - self.created_at)


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

    def add(self, end: Ended) -> None:
        setattr(self, end.state.value, getattr(self, end.state.value) + 1)
        self.again += end.attempt > 1
        for spans, span_s in zip(self.spans, (end.waited_s, end.took_s, end.total_s), strict=True):
            if span_s is not None:
                spans.add(span_s)
        if not end.ran:
            return
        if end.cpu_ms is not None:
            self.cpu_jobs += 1
            self.cpu_ms += end.cpu_ms
            self.cpu_most_ms = max(self.cpu_most_ms, end.cpu_ms)
        if end.max_rss_bytes is not None:
            self.rss_jobs += 1
            self.rss_bytes += end.max_rss_bytes
            self.rss_most_bytes = max(self.rss_most_bytes, end.max_rss_bytes)

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


def mark(ledger: Ledger) -> int:
    """Id of the event up to which all ends are in the rollups."""
    row = ledger.row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (MARK_KEY,))
    return int(row[0]) if row else 0


def last_of(ledger: Ledger, mark: int, most: int) -> int:
    """Id of the event up to which a look at `most` events above the mark goes; the mark itself if there is none."""
    row = ledger.row(
        "SELECT max(id) FROM (SELECT id FROM (SELECT id FROM event WHERE id > ?1 ORDER BY id LIMIT ?2) UNION "
        "SELECT event FROM unfolded ORDER BY 1 LIMIT ?2)",
        (mark, most),
    )
    return int(row[0]) if row and row[0] is not None else mark


_KINDS = ", ".join(f"'{kind.value}'" for kind in ENDS)
_COLUMNS = (
    "queue", "type", "state", "attempt", "worker", "created_at", "ready_at", "started_at", "cpu_ms",
    "max_rss_bytes", "error_type",
)  # fmt: skip
_BEYOND = (
    f"SELECT event, at, {', '.join(_COLUMNS)} FROM unfolded WHERE event <= :last AND at >= :since UNION ALL "
    f"SELECT e.id, j.finished_at, {', '.join('j.' + name for name in _COLUMNS)} "
    "FROM event e NOT INDEXED CROSS JOIN job j ON j.seq = e.job "
    f"WHERE e.id > :mark AND e.id <= :last AND e.kind IN ({_KINDS}) AND j.finished_at >= :since "
    "AND e.id NOT IN (SELECT event FROM unfolded)"
)


def beyond(ledger: Ledger, mark: int, last: int = 2**62, since: float = -1e300) -> Iterator[Ended]:
    """Ends above the mark, up to an event, not before an instant (epoch seconds); in one consistent state."""
    values = {"mark": mark, "last": last, "since": since}
    return map(_ended, ledger.rows(_BEYOND, values))


def _ended(row: Row) -> Ended:
    fields: list[Any] = list(row)
    fields[4] = State(fields[4])
    return Ended(*fields)
