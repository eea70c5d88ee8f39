"""Routes of queues: how each does, pause and resume, clean."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from jobdesk.core.clock import iso
from jobdesk.core.dead_letters import queue_of
from jobdesk.core.job import DEAD, State
from jobdesk.ledger.reads import Queue
from jobdesk.web.bodies import Cleaning, span_s
from jobdesk.web.lists import JobsAsked, Number, listed
from jobdesk.web.route import Answer, Ask, Asked, Route, Shown
from jobdesk.web.words import in_bull, states


class LiveStats(BaseModel):
    """Jobs of a queue now, in the words of Bull."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    cancelled: int
    expired: int
    total: int


class QueueShown(Shown):
    """A queue: what `jobdesk queues show --json` prints, and how it does."""

    name: str
    description: str
    is_active: bool = Field(alias="isActive", description="It is not paused.")
    live_stats: LiveStats = Field(alias="liveStats")
    health_status: Literal["healthy", "warning", "error"] = Field(alias="healthStatus")
    health_reason: str | None = Field(alias="healthReason")
    processing_rate: float = Field(alias="processingRate", description="Jobs a minute, of the last day.")
    average_processing_time: int = Field(alias="averageProcessingTime", description="Milliseconds, of the last day.")
    last_processed_at: str | None = Field(alias="lastProcessedAt", description="The minute of its last end.")


class QueueWhole(QueueShown):
    """A queue with its counts one by one, and what the settings say of it."""

    total_jobs: int = Field(alias="totalJobs")
    completed_jobs: int = Field(alias="completedJobs")
    failed_jobs: int = Field(alias="failedJobs")
    active_jobs: int = Field(alias="activeJobs")
    waiting_jobs: int = Field(alias="waitingJobs")
    delayed_jobs: int = Field(alias="delayedJobs")
    configuration: dict[str, Any] = Field(description="retryDelay in milliseconds; null: as the desk has it.")
    last_health_check: str = Field(alias="lastHealthCheck")


class Cleaned(BaseModel):
    """What a clean removed."""

    queue: str
    status: str
    removed: int


class MetricsAsked(Asked):
    """Of how many hours."""

    hours: Number = Field(default=24, ge=1, le=87_600)


class ClearAsked(Asked):
    """Which ended jobs."""

    status: str = Field(default="completed,failed,cancelled,expired", description="Ended states, commas in between.")


def every(ask: Ask) -> list[dict[str, Any]]:
    """All queues as `QueueShown` says."""
    health, work, last = ask.desk.queue_health(), ask.desk.metrics()["queues"], ask.desk.last_ends()
    return [_shown(queue, health, work, last) for queue in ask.desk.queues()]


def _shown(
    queue: Queue, health: Mapping[str, Any], work: Mapping[str, Any], last: Mapping[str, float]
) -> dict[str, Any]:
    own, done = health.get(queue.name, {}), work.get(queue.name, {})
    return {
        **queue.to_json(),
        "isActive": queue.paused_at is None,
        "liveStats": in_bull(queue.counts),
        "healthStatus": own.get("status", "healthy"),
        "healthReason": own.get("reason"),
        "processingRate": done.get("processingRate", 0.0),
        "averageProcessingTime": done.get("averageProcessingTime", 0),
        "lastProcessedAt": iso(last.get(queue.name)),
    }


def _list(ask: Ask) -> list[dict[str, Any]]:
    """Every queue: its jobs now, its health, how much it does."""
    return every(ask)


def _show(ask: Ask) -> dict[str, Any]:
    """Everything about a queue."""
    queue = ask.desk.queue(ask.path["queueName"])
    name = queue.name
    shown = next((one for one in every(ask) if one["name"] == name), None) or _shown(queue, {}, {}, {})
    live, config = shown["liveStats"], ask.desk.config
    own = config.queues.get(name)
    delay_s = None if own is None else own.retry_delay
    return {
        **shown,
        "totalJobs": live["total"],
        "completedJobs": live["completed"],
        "failedJobs": live["failed"],
        "activeJobs": live["active"],
        "waitingJobs": live["waiting"],
        "delayedJobs": live["delayed"],
        "configuration": {
            "concurrency": shown["concurrency"],
            "retryAttempts": None if own is None else own.retries,
            "retryDelay": None if delay_s is None else round(delay_s * 1000),
            "removeOnComplete": shown["keep_completed"],
            "removeOnFail": shown["keep_failed"],
        },
        "lastHealthCheck": iso(ask.desk.clock.now()),
    }


def _jobs(ask: Ask) -> Answer:
    """Jobs of a queue, newest first."""
    return listed(ask, queue=ask.desk.queue(ask.path["queueName"]).name)


def _pause(ask: Ask) -> dict[str, Any]:
    """Start no more jobs of a queue; what runs goes on."""
    ask.desk.pause(ask.desk.queue(ask.path["queueName"]).name)
    return _show(ask)


def _resume(ask: Ask) -> dict[str, Any]:
    """Start jobs of a queue again."""
    ask.desk.resume(ask.desk.queue(ask.path["queueName"]).name)
    return _show(ask)


def _clean(ask: Ask) -> dict[str, Any]:
    """Remove ended jobs of a queue, with their history."""
    body: Cleaning = ask.body
    name = ask.desk.queue(ask.path["queueName"]).name
    before = ask.desk.clock.now() - (span_s(body.older_than) or 0.0)
    return {"queue": name, "status": body.status, "removed": ask.desk.clean(name, State(body.status), before)}


def _clear(ask: Ask) -> dict[str, Any]:
    """Remove all ended jobs of a queue, or those of a status, with their history; what waits and runs stays."""
    name, now = ask.desk.queue(ask.path["queueName"]).name, ask.desk.clock.now()
    wanted, queues = ended(ask.query.status), [name]
    if (meant := queue_of(name)) is not None:
        wanted = [state for state in wanted if state in DEAD]
        queues = [meant] if meant else [one.name for one in ask.desk.queues() if one.dead]
    removed = sum(ask.desk.clean(one, state, now) for one in queues for state in wanted)
    return {"queue": name, "status": ask.query.status, "removed": removed}


def ended(text: str) -> list[State]:
    """The states that a status means, all of them such that end a job.

    Raises:
        UsageError: one is not.
    """
    from jobdesk.core.errors import UsageError
    from jobdesk.core.job import FINAL

    found = states(text)
    for state in found:
        if state not in FINAL:
            raise UsageError(f"jobs that are {state} have not ended: cancel them one by one, or `jobdesk queues drain`")
    return found


def _metrics(ask: Ask) -> dict[str, Any]:
    """Counts, rates (percent) and times (milliseconds) of what a queue did, as `jobdesk metrics --json` prints them."""
    return ask.desk.metrics(queue=ask.path["queueName"], hours=ask.query.hours)


ROUTES = (
    Route("GET", "/queues", _list, QueueShown, many=True),
    Route("GET", "/queues/{queueName}", _show, QueueWhole),
    Route("GET", "/queues/{queueName}/jobs", _jobs, query=JobsAsked, many=True),
    Route("POST", "/queues/{queueName}/pause", _pause, QueueWhole, changes=True, admin=True),
    Route("POST", "/queues/{queueName}/resume", _resume, QueueWhole, changes=True, admin=True),
    Route(
        "POST",
        "/queues/{queueName}/clean",
        _clean,
        Cleaned,
        body=Cleaning,
        body_optional=True,
        changes=True,
        admin=True,
    ),
    Route("GET", "/queues/{queueName}/metrics", _metrics, query=MetricsAsked),
    Route("GET", "/jobs/queues/{queueName}", _show, QueueWhole),
    Route("DELETE", "/jobs/queues/{queueName}", _clear, Cleaned, query=ClearAsked, changes=True, admin=True),
)
