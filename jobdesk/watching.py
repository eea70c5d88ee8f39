"""What happens to jobs, told in the shapes that other systems' clients know: updates of one job, or of all."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.clock import iso
from jobdesk.core.errors import NotFound
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import FINAL, Job, State
from jobdesk.ledger import reads

if TYPE_CHECKING:
    from jobdesk.desk import Desk

_STATES: Mapping[Kind, State] = {
    Kind.JOB_STARTED: State.PROCESSING,
    Kind.JOB_PROGRESS: State.PROCESSING,
    Kind.JOB_COMPLETED: State.COMPLETED,
    Kind.JOB_FAILED: State.FAILED,
    Kind.JOB_CANCELLED: State.CANCELLED,
    Kind.JOB_EXPIRED: State.EXPIRED,
    Kind.JOB_STALLED: State.PENDING,
}


class Watching:
    """The methods of `Desk` that stream; no object of its own."""

    def watch(self, id_: str) -> Iterator[dict[str, Any]]:
        """A job until it has ended: one `connected`, an `update` for each change, and a `final`; or an `error`.

        Each is a JSON value with `type` and `jobId`; `final` has the result, or the error of a job that failed.

        Raises:
            NotFound: there is no such job.
        """
        desk = self._desk
        full = desk.full_id(id_)
        yield {"type": "connected", "jobId": full}
        told: tuple[Any, ...] | None = None
        while True:
            seen = desk.wake.generation
            try:
                job = reads.job(desk.ledger, full, with_ties=False)
            except NotFound:
                yield {"type": "error", "jobId": full, "message": f"job {full} was deleted"}
                return
            if job.state in FINAL:
                yield _final(job)
                return
            now = job.state, job.attempt, job.progress
            if now != told:
                told = now
                yield {"type": "update", **_standing(job)}
            else:
                desk.wake.wait(seen, 0.1)

    def updates(self, *, after: int = 0, follow: bool = False) -> Iterator[dict[str, Any]]:
        """Each change of any job, oldest first, as `{"type": "job_update", "data": {jobId, status, …}}`."""
        for event in self._desk.events(after=after, follow=follow):
            if event.job_id is not None and (status := _status(event)) is not None:
                yield {"type": "job_update", "data": self._update(event, status)}

    def _update(self, event: Event, status: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "jobId": event.job_id,
            "status": status,
            "queue": event.queue,
            "event": event.kind.value,
            "id": event.id,
            "at": iso(event.at),
        }
        if event.kind is Kind.JOB_PROGRESS:
            made["progress"] = event.data.get("percent")
        elif event.kind is Kind.JOB_COMPLETED:
            found = reads.jobs(self._desk.ledger, [str(event.job_id)]).get(str(event.job_id))
            made["result"] = None if found is None else found.result
        elif event.kind is Kind.JOB_FAILED:
            made["error"] = event.data.get("message")
        return made

    @property
    def _desk(self) -> "Desk":
        return cast("Desk", self)


def _status(event: Event) -> str | None:
    """The state that a job is in by its event; None of an event that changes none."""
    if event.kind is Kind.JOB_CREATED:
        return str(event.data.get("state", State.PENDING))
    if event.kind is Kind.JOB_RETRY:
        if event.data.get("snoozed"):
            return State.SCHEDULED
        return State.RETRYING if event.data.get("delay_s") else State.PENDING
    return _STATES.get(event.kind)


def _standing(job: Job) -> dict[str, Any]:
    made: dict[str, Any] = {"jobId": job.id, "status": job.state.value, "attempt": job.attempt}
    if job.progress is not None:
        made |= {"progress": job.progress.percent, "message": job.progress.message}
    return made


def _final(job: Job) -> dict[str, Any]:
    made = {"type": "final", **_standing(job), "result": job.result}
    if job.error is not None and job.state is not State.COMPLETED:
        made["error"] = {"type": job.error.type, "message": job.error.message}
    return made
