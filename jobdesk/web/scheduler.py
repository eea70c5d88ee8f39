"""Routes of the scheduler: jobs that come later, or again and again; and how the whole desk does."""

from typing import Any

from pydantic import BaseModel, Field

from jobdesk.core.clock import iso
from jobdesk.core.errors import UsageError
from jobdesk.web.bodies import DelayedJob, Repeating
from jobdesk.web.jobs import SOURCE, may_submit, submitted
from jobdesk.web.queues import MetricsAsked, every
from jobdesk.web.route import Answer, Ask, Route, Shown
from jobdesk.web.shapes import Created, created


class ScheduleShown(Shown):
    """A schedule: what `jobdesk schedules list --json` prints."""

    name: str
    type: str
    cron: str | None
    timezone: str
    next: list[str]


class QueueHealth(BaseModel):
    """How a queue does, in short."""

    name: str
    health_status: str = Field(alias="healthStatus")
    health_reason: str | None = Field(alias="healthReason")
    processing_rate: float = Field(alias="processingRate")
    total_jobs: int = Field(alias="totalJobs")
    waiting: int
    active: int
    failed: int


class SchedulerStats(BaseModel):
    """Schedules and queues, in short."""

    scheduled_jobs_count: int = Field(alias="scheduledJobsCount")
    scheduled_jobs: list[str] = Field(alias="scheduledJobs")
    queue_health: list[QueueHealth] = Field(alias="queueHealth")
    uptime: int = Field(description="Seconds that a consumer works; 0 if none does.")
    last_health_check: str = Field(alias="lastHealthCheck")


class HealthSummary(BaseModel):
    """How the queues do; the worst of them gives the status."""

    status: str
    healthy: int
    warning: int
    error: int
    queues: list[QueueHealth]


class Removed(BaseModel):
    """A schedule that is gone; the jobs it made stay."""

    name: str
    removed: bool


def _in_short(ask: Ask) -> list[dict[str, Any]]:
    return [
        {
            "name": one["name"],
            "healthStatus": one["healthStatus"],
            "healthReason": one["healthReason"],
            "processingRate": one["processingRate"],
            "totalJobs": one["liveStats"]["total"],
            "waiting": one["liveStats"]["waiting"],
            "active": one["liveStats"]["active"],
            "failed": one["liveStats"]["failed"],
        }
        for one in every(ask)
    ]


def _stats(ask: Ask) -> dict[str, Any]:
    """Schedules, the health of the queues, and how long somebody works."""
    names, now = [one.name for one in ask.desk.schedules()], ask.desk.clock.now()
    began = min((one.started_at for one in ask.desk.consumers()), default=now)
    return {
        "scheduledJobsCount": len(names),
        "scheduledJobs": names,
        "queueHealth": _in_short(ask),
        "uptime": max(0, round(now - began)),
        "lastHealthCheck": iso(now),
    }


def _health(ask: Ask) -> dict[str, Any]:
    """How the queues do."""
    queues = _in_short(ask)
    counts = {
        status: sum(one["healthStatus"] == status for one in queues) for status in ("healthy", "warning", "error")
    }
    worst = next((status for status in ("error", "warning") if counts[status]), "healthy")
    return {"status": worst, **counts, "queues": queues}


def _metrics(ask: Ask) -> dict[str, Any]:
    """Counts, rates (percent) and times (milliseconds) of the desk, as `jobdesk metrics --json` prints them."""
    return ask.desk.metrics(hours=ask.query.hours)


def _delayed(ask: Ask) -> Answer:
    """Store a job that starts later."""
    body: DelayedJob = ask.body
    if body.delay is not None or body.run_at is not None or (body.options and body.options.delay is not None):
        raise UsageError("delayMs says when it starts: leave delay and runAt out")
    return submitted(ask, body, delay=body.delay_ms / 1000)


def _repeating(ask: Ask) -> Answer:
    """Make jobs of a type by a cron expression, from now on."""
    body: Repeating = ask.body
    job, desk = body.job, ask.desk
    may_submit(ask, job.type)
    desk.renew_registry()
    made = desk.add_schedule(
        body.name or job.type,
        job.type,
        cron=body.cron,
        timezone=body.timezone,
        data=job.data,
        queue=job.queue,
        priority=desk.config.http.priority(job.priority),
        replace=body.replace,
        source=SOURCE,
    )
    return Answer(desk.schedule_json(made), status=201)


def _list(ask: Ask) -> list[dict[str, Any]]:
    """Every schedule with its next times."""
    return [_seen(ask, ask.desk.schedule_json(one)) for one in ask.desk.schedules()]


def _show(ask: Ask) -> dict[str, Any]:
    """Everything about a schedule."""
    return _seen(ask, ask.desk.schedule_json(ask.desk.schedule(ask.path["jobName"])))


def _seen(ask: Ask, schedule: dict[str, Any]) -> dict[str, Any]:
    """A schedule as whoever asks may see it: its payload is nobody's but an admin's."""
    return schedule if ask.caller.admin else schedule | {"data": None}


def _remove(ask: Ask) -> dict[str, Any]:
    """Forget a schedule that was added; the jobs it made stay."""
    ask.desk.remove_schedule(ask.path["jobName"])
    return {"name": ask.path["jobName"], "removed": True}


def _pause(ask: Ask) -> dict[str, Any]:
    """Let a schedule make no jobs."""
    ask.desk.pause_schedule(ask.path["jobName"])
    return _show(ask)


def _resume(ask: Ask) -> dict[str, Any]:
    """Let a schedule make jobs again, from its next time on; a built-in one is switched on."""
    ask.desk.resume_schedule(ask.path["jobName"])
    return _show(ask)


def _trigger(ask: Ask) -> Answer:
    """Make the job of a schedule now; its times stay as they are."""
    may_submit(ask, ask.desk.schedule(ask.path["jobName"]).spec.type)
    return Answer(created(ask.desk.trigger_schedule(ask.path["jobName"]), ask.words), status=201)


_JOB = "/scheduler/jobs/{jobName}"
ROUTES = (
    Route("GET", "/scheduler/stats", _stats, SchedulerStats),
    Route("GET", "/scheduler/health", _health, HealthSummary),
    Route("GET", "/scheduler/metrics", _metrics, query=MetricsAsked),
    Route("POST", "/scheduler/delayed", _delayed, Created, body=DelayedJob, status=201, changes=True),
    Route(
        "POST", "/scheduler/repeating", _repeating, ScheduleShown, body=Repeating, status=201, changes=True, admin=True
    ),
    Route("POST", "/jobs/schedule", _repeating, ScheduleShown, body=Repeating, status=201, changes=True, admin=True),
    Route("GET", "/scheduler/jobs", _list, ScheduleShown, many=True),
    Route("GET", _JOB, _show, ScheduleShown),
    Route("DELETE", _JOB, _remove, Removed, changes=True, admin=True),
    Route("POST", f"{_JOB}/pause", _pause, ScheduleShown, changes=True, admin=True),
    Route("POST", f"{_JOB}/resume", _resume, ScheduleShown, changes=True, admin=True),
    Route("POST", f"{_JOB}/trigger", _trigger, Created, status=201, changes=True, admin=True),
)
