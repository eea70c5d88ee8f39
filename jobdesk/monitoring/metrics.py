"""Numbers about the work done, in the words of job metrics: counts, rates per minute, percent, milliseconds."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.job import DEAD, State
from jobdesk.ledger import rollups
from jobdesk.ledger.database import Ledger

_MINUTES = 60
"""Length of the throughput series."""


@dataclass(frozen=True, slots=True)
class Recent:
    """How it goes now: `per_minute` over the last five minutes, the rest over the last hour."""

    per_minute: float
    completed: int
    failed: int

    @property
    def failure_rate(self) -> float:
        """Percent of the ended jobs that went to the dead letters."""
        return _percent(self.failed, self.completed + self.failed)


def metrics(
    ledger: Ledger, *, queue: str | None = None, type: str | None = None, hours: float = 24, now: float
) -> dict[str, Any]:
    """Everything that `jobdesk metrics` prints, exact over the jobs that ended in the last `hours`.

    Reads each of them: some 7 s for a million. Rates are percent of those that ended, times milliseconds.
    """
    since = now - hours * 3600
    states: Counter[State] = Counter()
    errors: Counter[str] = Counter()
    series: Counter[tuple[int, bool]] = Counter()
    waited, took, total = array("d"), array("d"), array("d")
    again = 0
    for job in rollups.ended(ledger, since, queue, type):
        states[job.state] += 1
        again += job.attempt > 1
        if job.state in DEAD:
            errors[job.error_type or str(job.state)] += 1
        if job.state is not State.CANCELLED:
            series[int(job.at // 60), job.state is State.COMPLETED] += 1
            total.append(job.total_s)
        if job.waited_s is not None:
            waited.append(max(0.0, job.waited_s))
        if job.took_s is not None and job.state is not State.CANCELLED:
            took.append(job.took_s)
    ended, failed = states.total(), sum(states[state] for state in DEAD)
    counts = rollups.counts(ledger, queue, type)
    oldest = rollups.oldest_pending(ledger, queue, type)
    begun = max(since, rollups.first_created(ledger) or since)
    return {
        "queue": queue,
        "type": type,
        "hours": hours,
        "timestamp": iso(now),
        "total": sum(counts.values()),
        **{state.value: n for state, n in counts.items()},
        "window": {"ended": ended, **{state.value: states[state] for state in _ENDS}},
        "processingRate": round((states[State.COMPLETED] + failed) / max(1.0, (now - begun) / 60), 2),
        "completionRate": _percent(states[State.COMPLETED], ended),
        "failureRate": _percent(failed, ended),
        "retryRate": _percent(again, ended),
        "averageProcessingTime": _average_ms(took),
        "averageQueueTime": _average_ms(waited),
        "averageTotalTime": _average_ms(total),
        "queueTime": _percentiles_ms(waited),
        "processingTime": _percentiles_ms(took),
        "totalTime": _percentiles_ms(total),
        "lag": 0 if oldest is None else max(0, round((now - oldest) * 1000)),
        "errors": dict(errors.most_common()),
        "throughput": [
            {"at": iso(minute * 60.0), "completed": series[minute, True], "failed": series[minute, False]}
            for minute in _last_minutes(now, _MINUTES)
        ],
    }


def throughput(ledger: Ledger, now: float, minutes: int = _MINUTES, queue: str | None = None) -> list[tuple[int, int]]:
    """Completed and failed jobs of each of the last minutes, oldest first; the last is the running one."""
    wanted = _last_minutes(now, minutes)
    found = {at: (completed, failed) for at, completed, failed in rollups.minutes(ledger, wanted[0], queue)}
    return [found.get(at, (0, 0)) for at in wanted]


def recent(ledger: Ledger, now: float) -> Recent:
    """The numbers of the top line; reads counters only."""
    hour = throughput(ledger, now, 61)
    whole = hour[-6:-1]  # the running minute would make every rate dip
    return Recent(
        per_minute=sum(map(sum, whole)) / len(whole),
        completed=sum(completed for completed, _ in hour),
        failed=sum(failed for _, failed in hour),
    )


_ENDS = (State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED)


def _last_minutes(now: float, count: int) -> range:
    last = int(now // 60)
    return range(last - count + 1, last + 1)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _average_ms(spans_s: Sequence[float]) -> int:
    return round(1000 * sum(spans_s) / len(spans_s)) if spans_s else 0


def _percentiles_ms(spans_s: Sequence[float]) -> dict[str, int]:
    """The smallest span that so many percent of the jobs did not exceed (nearest rank); 0 without jobs."""
    ordered = sorted(spans_s)
    return {
        f"p{percent}": round(1000 * ordered[ceil(len(ordered) * percent / 100) - 1]) if ordered else 0
        for percent in (50, 95, 99)
    }
