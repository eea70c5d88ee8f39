"""What is watched, when that is an alert, and what an alert is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from jobdesk.core.clock import iso
from jobdesk.core.durations import bytes_, seconds, short, size

NOTICE_TYPE = "send-notification"
"""The job type that sends notices: what becomes of its jobs is never a reason for another notice."""
Unit = Literal["percent", "jobs", "seconds", "bytes", "times", "count"]


class Severity(StrEnum):
    """How bad it is; `health` takes a warning for a warning and an error for an error."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Measure(StrEnum):
    """What a rule looks at; each subject (a queue, a job, a folder …) is an alert of its own."""

    FAILURE_RATE = "failure_rate"
    QUEUE_DEPTH = "queue_depth"
    LAG = "lag"
    DEAD_LETTERS = "dead_letters"
    SLOW_JOB = "slow_job"
    MEMORY = "memory"
    DISK_FREE = "disk_free"
    WORKER_LOST = "worker_lost"
    SCHEDULE_MISSED = "schedule_missed"
    FOLDER_UNREADABLE = "folder_unreadable"
    SERVICE_DOWN = "service_down"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class About:
    """What a measure is: its unit, and which keys of a rule mean something to it."""

    unit: Unit
    says: str
    window_s: float | None = None
    """How far back it looks if the rule does not say; None: it looks at what is now."""
    sampled: bool = False
    """Whether `minimum` jobs may be asked for."""
    by_queue: bool = False


_HOUR, _DAY = 3600.0, 86400.0
ABOUT = {
    Measure.FAILURE_RATE: About(
        "percent", "percent of a queue's jobs that ended in the dead letters", _HOUR, sampled=True, by_queue=True
    ),
    Measure.QUEUE_DEPTH: About("jobs", "jobs of a queue that are ready", by_queue=True),
    Measure.LAG: About("seconds", "how long a ready job of a queue has waited; paused queues aside", by_queue=True),
    Measure.DEAD_LETTERS: About(
        "jobs", "jobs of a queue that went to the dead letters and lie there still", 900.0, by_queue=True
    ),
    Measure.SLOW_JOB: About(
        "times", "how many times its type's average a job has run for", 7 * _DAY, sampled=True, by_queue=True
    ),
    Measure.MEMORY: About("percent", "percent of the machine's memory in use"),
    Measure.DISK_FREE: About("bytes", "space left for the home, the storage or a drop folder"),
    Measure.WORKER_LOST: About("count", "consumers that died or fell silent", 900.0),
    Measure.SCHEDULE_MISSED: About("count", "times of a schedule that made no job, or are overdue", _HOUR),
    Measure.FOLDER_UNREADABLE: About("count", "a drop folder that is gone, or may not be read and written"),
    Measure.SERVICE_DOWN: About("count", "a service whose circuit breaker is open"),
    Measure.QUERY: About("jobs", "jobs that match a query"),
}


def level(value: str | float, unit: Unit) -> float:
    """Read a threshold in its unit: 10 or "10%", "5m", "1GB".

    Raises:
        ValueError: it is not one.
    """
    if unit == "seconds":
        return seconds(value)
    if unit == "bytes":
        return float(bytes_(str(value)))
    try:
        return float(str(value).strip().removesuffix("%" if unit == "percent" else ""))
    except ValueError:
        raise ValueError(f"'{value}' is not a number") from None


def in_unit(value: float, unit: Unit) -> str:
    """A value for a person: 12.5%, 1,024 jobs, 5m, 1.0 GB, 2.4 times, 3."""
    if unit == "seconds":
        return short(value)
    if unit == "bytes":
        return size(round(value))
    text = f"{value:,.1f}".removesuffix(".0")
    return text + {"percent": "%", "jobs": " job" if value == 1 else " jobs", "times": " times"}.get(unit, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When something is an alert. Spans are seconds; exactly one of `above` and `below` is set."""

    name: str
    measure: Measure
    query: str | None = None
    above: float | None = None
    below: float | None = None
    window_s: float = 0.0
    minimum: int = 0
    for_s: float = 0.0
    """How long it must hold before it is raised."""
    cooldown_s: float = 0.0
    """How long after it was cleared it is not raised again."""
    severity: Severity = Severity.WARNING
    queues: Sequence[str] = ("*",)

    @property
    def unit(self) -> Unit:
        return ABOUT[self.measure].unit

    @property
    def threshold(self) -> float:
        limit = self.below if self.above is None else self.above
        assert limit is not None
        return limit

    def breached(self, value: float) -> bool:
        return value > self.threshold if self.above is not None else value < self.threshold

    def limit(self) -> str:
        """The threshold in words: above 10%, below 1.0 GB."""
        return f"{'below' if self.above is None else 'above'} {in_unit(self.threshold, self.unit)}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule sees of one subject now. `queue` and `job` (its id) are what it is about, if it is."""

    subject: str
    value: float
    message: str
    queue: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One condition of one subject, from when it was first seen until it ended. Instants are epoch seconds."""

    id: int
    rule: str
    subject: str
    severity: Severity
    value: float
    threshold: float
    message: str
    queue: str | None
    job: str | None
    since_at: float
    raised_at: float | None
    """None: it has not held long enough, is silenced, or cools down."""
    cleared_at: float | None
    acked_at: float | None
    acked_by: str | None
    silenced_until: float | None

    @property
    def state(self) -> str:
        """cleared, pending (not raised yet), silenced, acknowledged or active."""
        if self.cleared_at is not None:
            return "cleared"
        if self.silenced_until is not None:
            return "silenced"
        if self.raised_at is None:
            return "pending"
        return "active" if self.acked_at is None else "acknowledged"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "rule": self.rule,
            "subject": self.subject,
            "severity": self.severity.value,
            "state": self.state,
            "value": self.value,
            "threshold": self.threshold,
            "message": self.message,
            "queue": self.queue,
            "job": self.job,
            "since": iso(self.since_at),
            "raised_at": iso(self.raised_at),
            "cleared_at": iso(self.cleared_at),
            "acked_at": iso(self.acked_at),
            "acked_by": self.acked_by,
            "silenced_until": iso(self.silenced_until),
        }
