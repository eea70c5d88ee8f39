"""What a schedule is: when which job is to be made, what becomes of missed times, and how it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.redaction import shown


class Missed(StrEnum):
    """What becomes of times that passed while nobody worked (downtime, suspend, a clock set forward)."""

    SKIP = "skip"
    """None of them runs."""
    ONCE = "once"
    """One run stands for all of them."""
    ALL = "all"
    """Each runs, the latest hundred at the most."""


class Overlap(StrEnum):
    """What happens at a time when a job of the schedule has not ended yet."""

    SKIP = "skip"
    """Nothing; the time counts as missed."""
    ALLOW = "allow"
    """Another job is made beside it."""


class Origin(StrEnum):
    """Where a schedule is written down."""

    SETTINGS = "settings"
    ADDED = "added"
    PLUGIN = "plugin"
    """With a processor: `@processor(schedule=…)`."""


class Reason(StrEnum):
    """Why a time made no job, or not by itself."""

    DOWNTIME = "downtime"
    """Nobody worked then."""
    OVERLAP = "overlap"
    """A job of the schedule had not ended."""
    PAUSED = "paused"
    """Somebody had paused the schedule."""
    PASSED = "passed"
    """The one-off time lay in the past when the schedule was first seen."""
    PROBLEM = "problem"
    """No job could be made: unknown type, data that does not fit, a full queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSpec:
    """What somebody asked for. Either `cron`, read in `timezone`, or `at` (epoch seconds, once)."""

    name: str
    type: str
    cron: str | None = None
    at: float | None = None
    timezone: str = "UTC"
    data: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    priority: int | None = None
    missed: Missed = Missed.ONCE
    overlap: Overlap = Overlap.ALLOW
    source: str = "schedule"
    """Of its jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule as the ledger has it. Instants are epoch seconds."""

    spec: ScheduleSpec
    origin: Origin
    user: str | None
    created_at: float
    changed_at: float
    cursor_at: float
    """Every time up to here has been dealt with."""
    next_at: float | None
    """The next time; None when there is none any more."""
    paused_at: float | None = None
    paused_by: str | None = None
    last_at: float | None = None
    last_job: str | None = None
    last_state: str | None = None
    fired: int = 0
    missed: int = 0
    problem: str | None = None
    """Why the last time made no job, in a sentence."""

    @property
    def name(self) -> str:
        return self.spec.name

    def to_json(self) -> dict[str, Any]:
        """The shape that commands print with --json."""
        spec = self.spec
        return {
            "name": spec.name,
            "type": spec.type,
            "cron": spec.cron,
            "at": iso(spec.at),
            "timezone": spec.timezone,
            "data": shown(spec.data),
            "queue": spec.queue,
            "priority": spec.priority,
            "missed": spec.missed.value,
            "overlap": spec.overlap.value,
            "origin": self.origin.value,
            "user": self.user,
            "created_at": iso(self.created_at),
            "next_at": None if self.paused_at is not None else iso(self.next_at),
            "paused": self.paused_at is not None,
            "paused_at": iso(self.paused_at),
            "paused_by": self.paused_by,
            "last_at": iso(self.last_at),
            "last_job": self.last_job,
            "last_state": self.last_state,
            "fired_count": self.fired,
            "missed_count": self.missed,
            "problem": self.problem,
        }
