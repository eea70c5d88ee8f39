"""What happens, by name. Every move of a job writes one of these in its own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jobdesk.core.clock import iso


class Kind(StrEnum):
    """The kinds of event. Commands, history and the terminal app's feed show these words."""

    JOB_CREATED = "job_created"
    JOB_STARTED = "job_started"
    JOB_PROGRESS = "job_progress"
    JOB_LOG = "job_log"
    JOB_RETRY = "job_retry"
    JOB_COMPLETED = "job_completed"
    JOB_FAILED = "job_failed"
    JOB_CANCELLED = "job_cancelled"
    JOB_EXPIRED = "job_expired"
    JOB_STALLED = "job_stalled"
    JOB_DELETED = "job_deleted"
    QUEUE_PAUSED = "queue_paused"
    QUEUE_RESUMED = "queue_resumed"
    QUEUE_CLEANED = "queue_cleaned"
    SCHEDULE_FIRED = "schedule_fired"
    SCHEDULE_MISSED = "schedule_missed"
    FILE_ACCEPTED = "file_accepted"
    FILE_REJECTED = "file_rejected"
    FILE_DUPLICATE = "file_duplicate"
    ALERT_RAISED = "alert_raised"
    ALERT_CLEARED = "alert_cleared"
    BREAKER_OPENED = "breaker_opened"
    BREAKER_CLOSED = "breaker_closed"
    CONSUMER_STARTED = "consumer_started"
    CONSUMER_STOPPED = "consumer_stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `id` rises; `at` is epoch seconds; `data` is what belongs to its kind."""

    id: int
    at: float
    kind: Kind
    job_id: str | None = None
    queue: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        head: dict[str, Any] = {"id": self.id, "at": iso(self.at), "event": self.kind.value}
        if self.job_id:
            head["job_id"] = self.job_id
        if self.queue:
            head["queue"] = self.queue
        return head | dict(self.data)
