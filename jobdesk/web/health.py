"""Routes that say how the desk does: health, counts, metrics."""

import os
from typing import Any

from pydantic import BaseModel, Field

from jobdesk.core.job import DEAD, State
from jobdesk.web.queues import LiveStats, MetricsAsked
from jobdesk.web.route import Answer, Ask, Route, Shown
from jobdesk.web.words import in_bull

_RATES = ("processingRate", "completionRate", "failureRate", "retryRate")
_TIMES = ("averageProcessingTime", "averageQueueTime", "averageTotalTime")


class HealthShown(Shown):
    """Whether all is well; 503 if `status` is error."""

    status: str = Field(description="healthy, warning or error.")
    timestamp: str
    uptime: int = Field(description="Seconds that a consumer works.")
    checks: dict[str, bool]
    problems: list[dict[str, str]]
    details: dict[str, Any]
    services: dict[str, Any]


class JobsHealth(Shown):
    """Whether jobs are run."""

    status: str
    consumers: int
    workers: int
    busy: int
    problems: list[str]
    metrics: LiveStats


class QueuesHealth(Shown):
    """Whether the queue itself works, and how deep each queue is."""

    status: str
    connected: bool
    queues: dict[str, LiveStats]


class Overview(LiveStats):
    """Jobs in the words of Bull, of all queues and of each."""

    dead_letters: int = Field(alias="deadLetters")
    queues: dict[str, LiveStats]


class Performed(BaseModel):
    """Jobs now, and how they were done lately."""

    metrics: dict[str, int]
    performance: dict[str, float] = Field(description="Rates in percent, processingRate a minute; times milliseconds.")


class JobMetricsAsked(MetricsAsked):
    """Of what."""

    queue: str | None = Field(default=None, min_length=1)
    type: str | None = Field(default=None, min_length=1)


def _status(found: dict[str, Any]) -> int:
    return 503 if found["status"] == "error" else 200


def _health(ask: Ask) -> Answer:
    """Whether the desk is well."""
    found = ask.desk.health()
    queues = {queue.name: in_bull(queue.counts) for queue in ask.desk.queues()} if found["checks"]["database"] else {}
    found["details"] = {"queues": len(queues), "memory": _memory()}
    found["services"] = {
        "database": found["checks"]["database"],
        "queues": {name: {"waiting": one["waiting"], "active": one["active"]} for name, one in queues.items()},
    }
    return Answer(found, status=_status(found))


def _memory() -> dict[str, Any]:
    """Of this process, in megabytes, beside what the machine has."""
    import psutil

    used, total = psutil.Process(os.getpid()).memory_info().rss, psutil.virtual_memory().total
    return {
        "heapUsed": round(used / 1e6),
        "heapTotal": round(total / 1e6),
        "usage": f"{100 * used / total:.2f}%",
    }


def _detailed(ask: Ask) -> Answer:
    """Whether the desk is well, with the numbers of every check, as `jobdesk health --detailed --json` prints it."""
    found = ask.desk.health(detailed=True)
    return Answer(found, status=_status(found))


def _of_jobs(ask: Ask) -> Answer:
    """Whether jobs are run: who works, and what is wrong."""
    found = ask.desk.health(detailed=True)
    told = ("consumers", "queues", "database")
    problems = [one for one in found["problems"] if one["check"] in told]
    worst = next((rank for rank in ("error", "warning") if any(one["status"] == rank for one in problems)), "healthy")
    work = found["details"]["consumers"]
    said = {
        "status": worst,
        "consumers": work["alive"],
        "workers": work["workers"],
        "busy": work["busy"],
        "problems": [one["message"] for one in problems],
        "metrics": in_bull(_counts(ask)),
    }
    return Answer(said, status=503 if worst == "error" else 200)


def _of_queues(ask: Ask) -> dict[str, Any]:
    """Whether the queue itself works, and how deep each queue is.

    The ledger is the queue: there is no broker beside it.
    """
    queues = {queue.name: in_bull(queue.counts) for queue in ask.desk.queues()}
    return {"status": "healthy", "connected": True, "queues": queues}


def _counts(ask: Ask) -> dict[State, int]:
    counts = dict.fromkeys(State, 0)
    for queue in ask.desk.queues():
        for state, count in queue.counts.items():
            counts[state] += count
    return counts


def _overview(ask: Ask) -> dict[str, Any]:
    """How many jobs there are, by status, in all queues and in each."""
    counts = _counts(ask)
    return {
        **in_bull(counts),
        "deadLetters": sum(counts[state] for state in DEAD),
        "queues": {queue.name: in_bull(queue.counts) for queue in ask.desk.queues()},
    }


def _of_work(ask: Ask) -> dict[str, Any]:
    """How many jobs there are in each state, and how they were done lately."""
    asked: JobMetricsAsked = ask.query
    found = ask.desk.metrics(queue=asked.queue, type=asked.type, hours=asked.hours)
    return {
        "metrics": {"total": found["total"], **{state.value: found[state.value] for state in State}},
        "performance": {name: found[name] for name in (*_RATES, *_TIMES)},
    }


def _prometheus(ask: Ask) -> str:
    """Metrics as text for Prometheus."""
    from jobdesk.monitoring.prometheus import exposition

    return exposition(ask.desk.metrics())


ROUTES = (
    Route("GET", "/health", _health, HealthShown, bare=True),
    Route("GET", "/health/detailed", _detailed, Shown, bare=True, admin=True),
    Route("GET", "/health/jobs", _of_jobs, JobsHealth),
    Route("GET", "/health/queues", _of_queues, QueuesHealth),
    Route("GET", "/health/rabbitmq", _of_queues, QueuesHealth),
    Route("GET", "/jobs/stats", _overview, Overview),
    Route("GET", "/jobs/stats/overview", _overview, Overview),
    Route("GET", "/jobs/metrics", _of_work, Performed, query=JobMetricsAsked),
    Route("GET", "/metrics", _prometheus, text="text/plain; version=0.0.4; charset=utf-8"),
)
