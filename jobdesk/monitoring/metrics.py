"""Numbers about the work done, in the words of job metrics: counts, rates per minute, percent, milliseconds."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.job import State
from jobdesk.ledger import rollups, windows
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.spans import Spans
from jobdesk.ledger.totals import Totals, Worked
from jobdesk.ledger.windows import Window
from jobdesk.ledger.workers import Consumer

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
    ledger: Ledger,
    *,
    queue: str | None = None,
    type: str | None = None,
    hours: float = 24,
    now: float,
    consumers: Sequence[Consumer] = (),
) -> dict[str, Any]:
    """Everything that `jobdesk metrics` prints, of what ended in the last `hours`.

    Counts, rates and averages are exact, percentiles within one percent. Rates are percent of what ended, times
    milliseconds. A job that was run again by hand ended twice; what was removed since counts too. The window begins
    at a whole minute, one of more than three days at a whole hour, one of more than ninety at a whole day.

    Args:
        consumers: those whose process is alive.
    """
    window = windows.read(ledger, now, hours, minutes=_MINUTES, queue=queue, type_=type)
    all_ = _sum(window, lambda _: "").get("", Totals())
    minutes = max(1.0, (now - max(window.since, window.began or window.since)) / 60)
    errors: Counter[str] = Counter()
    for (_, _, error), n in window.errors.items():
        errors[error] += n
    return {
        "queue": queue,
        "type": type,
        "hours": hours,
        "timestamp": iso(now),
        "since": iso(window.since),
        "total": sum(window.counts.values()),
        **{state.value: n for state, n in window.counts.items()},
        "window": {"ended": all_.ended, **{state.value: getattr(all_, state.value) for state in _ENDS}},
        **_rates(all_, minutes),
        "lag": 0 if window.oldest_pending is None else max(0, round((now - window.oldest_pending) * 1000)),
        "cpu": {
            "average": round(all_.cpu_ms / all_.cpu_jobs) if all_.cpu_jobs else 0,
            "max": all_.cpu_most_ms,
            "total": all_.cpu_ms,
        },
        "memory": {
            "average": round(all_.rss_bytes / all_.rss_jobs) if all_.rss_jobs else 0,
            "max": all_.rss_most_bytes,
        },
        "databaseSize": database_bytes(ledger),
        "errors": dict(errors.most_common()),
        "queues": _parts(window, lambda key: key[0], minutes),
        "types": _parts(window, lambda key: key[1], minutes),
        "workers": {name: _worker(one) for name, one in sorted(window.workers.items())},
        "consumers": {one.id: consumer(one) for one in consumers},
        "throughput": [
            {"at": iso(minute * 60.0), "completed": completed, "failed": failed}
            for minute in _last_minutes(now, _MINUTES)
            for completed, failed in (window.minutes.get(minute, (0, 0)),)
        ],
    }


def between(ledger: Ledger, since: float, until: float) -> dict[str, Any]:
    """What ended from one instant to another (epoch seconds), as `metrics` says it, and how many in each hour.

    Older than ninety days, it is whole days of UTC.
    """
    window = windows.between(ledger, since, until)
    all_ = _sum(window, lambda _: "").get("", Totals())
    minutes = max(1.0, (until - since) / 60)
    errors: Counter[str] = Counter()
    for (_, _, error), n in window.errors.items():
        errors[error] += n
    return {
        "since": iso(since),
        "until": iso(until),
        "window": {"ended": all_.ended, **{state.value: getattr(all_, state.value) for state in _ENDS}},
        **_rates(all_, minutes),
        "errors": dict(errors.most_common()),
        "queues": _parts(window, lambda key: key[0], minutes),
        "types": _parts(window, lambda key: key[1], minutes),
        "throughput": [
            {"at": iso(float(at)), "completed": completed, "failed": failed}
            for at, (completed, failed) in sorted(window.steps.items())
        ],
    }


def _rates(totals: Totals, minutes: float) -> dict[str, Any]:
    return {
        "processingRate": round((totals.completed + totals.dead) / minutes, 2),
        "completionRate": _percent(totals.completed, totals.ended),
        "failureRate": _percent(totals.dead, totals.ended),
        "retryRate": _percent(totals.again, totals.ended),
        **_times(totals),
    }


def _times(of: Totals | Worked) -> dict[str, Any]:
    return {
        "averageProcessingTime": _ms(of.took.average_s()),
        "averageQueueTime": _ms(of.waited.average_s()),
        "averageTotalTime": _ms(of.total.average_s()),
        "queueTime": _percentiles(of.waited),
        "processingTime": _percentiles(of.took),
        "totalTime": _percentiles(of.total),
    }


def _sum(window: Window, name: Callable[[tuple[str, str]], str]) -> dict[str, Totals]:
    summed: dict[str, Totals] = {}
    for key, totals in window.groups.items():
        summed.setdefault(name(key), Totals()).merge(totals)
    return summed


def _parts(window: Window, name: Callable[[tuple[str, str]], str], minutes: float) -> dict[str, dict[str, Any]]:
    return {
        part: {"ended": totals.ended, **{state.value: getattr(totals, state.value) for state in _ENDS}}
        | _rates(totals, minutes)
        for part, totals in sorted(_sum(window, name).items())
    }


def _worker(worked: Worked) -> dict[str, Any]:
    ended = worked.completed + worked.failed
    return {
        "completed": worked.completed,
        "failed": worked.failed,
        "failureRate": _percent(worked.failed, ended),
        **_times(worked),
    }


def consumer(one: Consumer) -> dict[str, Any]:
    """A consumer and what its process uses itself: `cpu` is percent of a core lately, `cpuTotal` milliseconds."""
    uses = one.footprint
    return {
        "kind": one.kind,
        "pid": one.pid,
        "workers": one.workers,
        "heartbeat": iso(one.heartbeat_at),
        "cpu": None if uses is None else round(100 * uses.cpu_share, 2),
        "cpuTotal": None if uses is None else _ms(uses.cpu_s),
        "memory": None if uses is None else uses.rss_bytes,
    }


def database_bytes(ledger: Ledger) -> int:
    """Bytes of the database and what is not yet copied into it."""
    found = 0
    for path in (ledger.path, ledger.path.with_name(ledger.path.name + "-wal")):
        with suppress(FileNotFoundError):  # the second comes and goes
            found += path.stat().st_size
    return found


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
_PERCENTS = (50, 95, 99)


def _last_minutes(now: float, count: int) -> range:
    last = int(now // 60)
    return range(last - count + 1, last + 1)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _ms(span_s: float) -> int:
    return round(1000 * span_s)


def _percentiles(spans: Spans) -> dict[str, int]:
    found = spans.percentiles_s(*_PERCENTS)
    return {f"p{percent}": _ms(span_s) for percent, span_s in zip(_PERCENTS, found, strict=True)}
