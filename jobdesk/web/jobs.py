"""Routes of jobs: submit, look at, list, cancel, retry, and what is said of all of them."""

from typing import Any

from pydantic import BaseModel, Field

from jobdesk.core.clock import iso
from jobdesk.core.errors import Refused, UsageError
from jobdesk.core.job import Job
from jobdesk.web.bodies import NewJob, RetryOne, RetryThis
from jobdesk.web.lists import JobsAsked, UsersJobsAsked, listed
from jobdesk.web.route import Answer, Ask, Asked, Forbidden, Route, Shown
from jobdesk.web.shapes import Created, JobShown, Standing, created, shown, standing

SOURCE = "http"
"""Of what came this way: `[fetching]` lets it reach less."""


def found(ask: Ask) -> Job:
    """The job that the path names, if whoever asks may see it."""
    return named(ask, ask.path["jobId"])


def named(ask: Ask, id_: str) -> Job:
    """A job by its id or a unique beginning of it, if whoever asks may see it; only admins are told others' ids."""
    try:
        return ask.caller.see(ask.desk.job(id_))
    except UsageError as error:
        if ask.caller.admin:
            raise
        raise error.__class__("that is the beginning of several ids: give more of it") from None


def submitted(ask: Ask, body: NewJob, **options: Any) -> Answer:
    """Store a job; 201, or 200 and the job that has its unique key.

    Raises:
        Forbidden: its type is not taken over HTTP.
    """
    may_submit(ask, body.type)
    desk = ask.desk
    desk.renew_registry()
    given = body.wanted() | options
    given["priority"] = desk.config.http.priority(given["priority"])
    after = [named(ask, id_).id for id_ in given.pop("after")]
    job = desk.submit(body.type, body.data, queue=body.queue, user=ask.caller.user, source=SOURCE, after=after, **given)
    return Answer(created(ask.caller.see(job), ask.words), status=200 if job.existed else 201)


def may_submit(ask: Ask, type_: str) -> None:
    """
    Raises:
        Forbidden: the settings do not let jobs of this type come over HTTP.
    """
    if not ask.desk.config.http.may_submit(type_):
        raise Forbidden(f"jobs of type {type_} are not taken over HTTP: see types of [http] in the settings")


def _submit(ask: Ask) -> Answer:
    """Store a job. It is safe once this is answered."""
    return submitted(ask, ask.body)


def _list(ask: Ask) -> Answer:
    """Jobs that match, newest first."""
    return listed(ask, user=ask.query.user)


def _of_user(ask: Ask) -> Answer:
    """Jobs of a user, newest first."""
    user = ask.path["userId"]
    if not ask.caller.admin and user != ask.caller.user:
        raise Forbidden(f"only an admin may look at the jobs of {user}")
    return listed(ask, user=user)


def _show(ask: Ask) -> dict[str, Any]:
    """Everything about a job; its id may be shortened to a unique beginning."""
    return shown(found(ask), ask.words)


def _status(ask: Ask) -> dict[str, Any]:
    """How a job stands."""
    return standing(found(ask), ask.words)


def _cancel(ask: Ask) -> dict[str, Any]:
    """Cancel a job: at once if it waits; one that runs is asked to stop, and killed after a grace."""
    job = found(ask)
    ask.desk.cancel(job.id)
    return standing(ask.desk.job(job.id), ask.words)


def _retry(ask: Ask) -> dict[str, Any]:
    """Run an ended job again, with a fresh set of attempts."""
    return _again(ask, found(ask), ask.body.data)


def _retry_named(ask: Ask) -> dict[str, Any]:
    """Run an ended job again, with a fresh set of attempts."""
    body: RetryOne = ask.body
    job = named(ask, body.job_id)
    if body.queue_name is not None and body.queue_name != job.queue:
        raise Refused(f"job {job.id} is in the queue {job.queue}, not in {body.queue_name}")
    return _again(ask, job, body.data)


def _again(ask: Ask, job: Job, data: dict[str, Any] | None) -> dict[str, Any]:
    if data is not None:
        may_submit(ask, job.type)
    return standing(ask.desk.retry(job.id, data, source=None if data is None else SOURCE), ask.words)


class HistoryShown(BaseModel):
    """What happened to a job, and how each attempt went."""

    job_id: str = Field(alias="jobId")
    events: list[dict[str, Any]]


class Why(BaseModel):
    """Why a job does not run yet, or how it ended; the most telling sentence first."""

    job_id: str = Field(alias="jobId")
    status: str
    why: list[str]


class LogAsked(Asked):
    """Which lines."""

    level: str | None = Field(default=None, pattern="^(debug|info|warning|error)$", description="No less important.")


class Line(Shown):
    """A line of a log."""

    at: str
    message: str


def _history(ask: Ask) -> dict[str, Any]:
    """What happened to a job, oldest first."""
    job = found(ask)
    return {"jobId": job.id, "events": [event.to_json() for event in ask.desk.events(job=job.id)]}


def _logs(ask: Ask) -> list[dict[str, Any]]:
    """What a job wrote, line by line."""
    lines = ask.desk.logs(found(ask).id, level=ask.query.level)
    return [{"at": iso(line.at), "message": "", **line.data, "id": line.id} for line in lines]


def _why(ask: Ask) -> dict[str, Any]:
    """Why a job does not run yet, or how it ended."""
    job = found(ask)
    return {"jobId": job.id, "status": ask.words.status(job.state), "why": ask.desk.why(job.id)}


ROUTES = (
    Route("POST", "/jobs", _submit, Created, body=NewJob, status=201, changes=True),
    Route("GET", "/jobs", _list, JobShown, query=UsersJobsAsked, many=True),
    Route("GET", "/jobs/user/{userId}", _of_user, JobShown, query=JobsAsked, many=True),
    Route("POST", "/jobs/retry", _retry_named, Standing, body=RetryOne, changes=True),
    Route("GET", "/jobs/{jobId}", _show, JobShown),
    Route("DELETE", "/jobs/{jobId}", _cancel, Standing, changes=True),
    Route("GET", "/jobs/{jobId}/status", _status, Standing),
    Route("POST", "/jobs/{jobId}/retry", _retry, Standing, body=RetryThis, body_optional=True, changes=True),
    Route("GET", "/jobs/{jobId}/history", _history, HistoryShown),
    Route("GET", "/jobs/{jobId}/logs", _logs, Line, query=LogAsked, many=True),
    Route("GET", "/jobs/{jobId}/why", _why, Why),
)
