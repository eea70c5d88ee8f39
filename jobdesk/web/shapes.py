"""Jobs as answers show them: the record that commands print, and the names that other systems give to parts of it."""

from typing import Any

from pydantic import Field

from jobdesk.core.job import Job, State
from jobdesk.web.route import Shown
from jobdesk.web.words import Words


class JobShown(Shown):
    """A job: what `jobdesk jobs show --json` prints, with these names beside or in the place of its own."""

    job_id: str = Field(alias="jobId", description="The same as id.")
    type: str
    queue: str
    state: State
    status: str = Field(description="The state; on / and /api in the words of Bull: waiting, active, delayed …")
    priority: int = Field(ge=0, le=100)
    user_id: str | None = Field(alias="userId")
    data: dict[str, Any]
    result: Any
    error: str | None = Field(description="Its message; errorDetails has the rest.")
    error_details: dict[str, Any] | None = Field(alias="errorDetails")
    progress: float | None = Field(description="Percent; progressDetails has the rest.")
    progress_details: dict[str, Any] | None = Field(alias="progressDetails")
    attempts: int = Field(description="Begun so far.")
    max_attempts: int = Field(alias="maxAttempts")
    delay: int = Field(description="Milliseconds between its creation and the time it is for.")
    processing_time: int | None = Field(alias="processingTime", description="Milliseconds.")
    created_at: str = Field(alias="createdAt")
    started_at: str | None = Field(alias="startedAt")
    completed_at: str | None = Field(alias="completedAt")
    failed_at: str | None = Field(alias="failedAt")


class Created(Shown):
    """A job that was stored just now, or the one that has its unique key."""

    job_id: str = Field(alias="jobId")
    queue: str
    type: str
    state: State
    status: str
    created_at: str = Field(alias="createdAt")
    existed: bool = Field(description="It was there already: nothing was stored.")


class Standing(Shown):
    """How a job stands."""

    job_id: str = Field(alias="jobId")
    state: State
    status: str
    progress: float | None
    attempts: int
    max_attempts: int = Field(alias="maxAttempts")
    error: str | None


def shown(job: Job, words: Words) -> dict[str, Any]:
    """A job as `JobShown` says."""
    record = job.to_json()
    error, progress = record.pop("error"), record.pop("progress")
    percent = 100.0 if job.state is State.COMPLETED else None if job.progress is None else job.progress.percent
    return {
        "jobId": job.id,
        "status": words.status(job.state),
        "userId": job.user,
        "attempts": job.attempt,
        "maxAttempts": job.max_attempts,
        "delay": max(0, round((job.run_at - job.created_at) * 1000)) if job.attempt == 0 else 0,
        "processingTime": job.processing_ms,
        "createdAt": record["created_at"],
        "startedAt": record["started_at"],
        "completedAt": record["finished_at"] if job.state is State.COMPLETED else None,
        "failedAt": record["finished_at"] if job.state is State.FAILED else None,
        "error": None if error is None else error["message"],
        "errorDetails": error,
        "progress": percent,
        "progressDetails": progress,
        **record,
    }


def created(job: Job, words: Words) -> dict[str, Any]:
    """A job as `Created` says."""
    whole = shown(job, words)
    kept = ("jobId", "queue", "type", "state", "status", "priority", "userId", "createdAt", "run_at")
    return {name: whole[name] for name in kept} | {"existed": job.existed}


def standing(job: Job, words: Words) -> dict[str, Any]:
    """A job as `Standing` says."""
    whole = shown(job, words)
    kept = ("jobId", "state", "status", "progress", "progressDetails", "attempts", "maxAttempts", "error")
    return {name: whole[name] for name in kept}
