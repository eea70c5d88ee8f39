"""What happens to jobs, told in the shapes that other systems' clients know: updates of one job, or of all."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.clock import iso
from jobdesk.core.errors import NotFound
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import FINAL, Job, State
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger

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
        desk, watched = self._desk, self.watched(id_)
        while not watched.over:
            seen = desk.wake.generation
            said = watched.look()
            yield from said
            if not said:
                desk.wake.wait(seen, 0.1)

    def watched(self, id_: str) -> "Watched":
        """The same for who waits by other means: each `look` says what is new.

        Raises:
            NotFound: there is no such job.
        """
        return Watched(self._desk.ledger, self._desk.full_id(id_))

    def updates(self, *, after: int = 0, follow: bool = False) -> Iterator[dict[str, Any]]:
        """Each change of any job, oldest first, as `{"type": "job_update", "data": {jobId, status, …}}`."""
        for event in self._desk.events(after=after, follow=follow):
            if (update := self.update(event)) is not None:
                yield update

    def update(self, event: Event) -> dict[str, Any] | None:
        """The change of a job that an event is; None of an event that changes none."""
        if event.job_id is None or (status := _status(event)) is None:
            return None
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
        return {"type": "job_update", "data": made}

    @property
    def _desk(self) -> "Desk":
        return cast("Desk", self)


class Watched:
    """One job that somebody watches; `over` once there is nothing more to say."""

    def __init__(self, ledger: Ledger, id_: str) -> None:
        self.id = id_
        self.over = False
        self._ledger = ledger
        self._told: tuple[Any, ...] | None = None
        self._connected = False

    def look(self) -> list[dict[str, Any]]:
        """What is new since the last look, at first `connected`."""
        said: list[dict[str, Any]] = [] if self._connected else [{"type": "connected", "jobId": self.id}]
        self._connected = True
        try:
            job = reads.job(self._ledger, self.id, with_ties=False)
        except NotFound:
            self.over = True
            return [*said, {"type": "error", "jobId": self.id, "message": f"job {self.id} was deleted"}]
        if job.state in FINAL:
            self.over = True
            return [*said, _final(job)]
        now = job.state, job.attempt, job.progress
        if now != self._told:
            self._told = now
            said.append({"type": "update", **_standing(job)})
        return said


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
