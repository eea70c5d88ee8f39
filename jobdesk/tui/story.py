"""Everything there is to tell about one job, read on the database thread."""

from collections.abc import Collection
from dataclasses import dataclass

from jobdesk.core.errors import NotFound
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import FINAL, Job, State
from jobdesk.desk import Desk
from jobdesk.ledger import glance, reads, speaking, timeline
from jobdesk.monitoring.why import why
from jobdesk.tui.log_pages import NO_LOG, LogReader, LogState

TIMELINE = tuple(
    kind for kind in Kind if kind.value.startswith("job_") and kind not in (Kind.JOB_LOG, Kind.JOB_PROGRESS)
)
_WAITING = frozenset(State) - FINAL - {State.PROCESSING}
_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Story:
    """One job with all that belongs to it."""

    job: Job
    events: tuple[Event, ...] = ()
    attempts: tuple[dict[str, object], ...] = ()
    flow: tuple[Job, ...] = ()
    before: tuple[Job, ...] = ()
    behind: tuple[Job, ...] = ()
    why: tuple[str, ...] = ()
    """Why it does not run yet; nothing where that is no question."""
    log: LogState = NO_LOG
    looked_upto: int = 0
    """While a long history is read by stretches, how far that is; 0: all of it is here."""
    paused: tuple[float, str] | None = None
    """Since when it stands still though it runs, and who wanted that."""
    same_error: int = 0
    """Other dead letters with the same fingerprint."""


class Teller:
    """Reads one job again and again; its log by windows."""

    def __init__(self, desk: Desk, job_id: str, types: Collection[str] | None) -> None:
        self._desk = desk
        self.job_id = job_id
        self._types = types
        self.log = LogReader(desk.ledger, job_id)
        self._told: tuple[Event, ...] = ()
        self._told_upto = 0
        self._more = False

    def read(self) -> Story | None:
        """The story as it stands; None if the job is gone."""
        ledger = self._desk.ledger
        try:
            job = reads.job(ledger, self.job_id)
        except NotFound:
            return None
        before, behind = reads.relatives(ledger, job.id)
        events, log = self._timeline(), self.log.look()
        return Story(
            job=job,
            events=events,
            attempts=tuple(reads.attempts(ledger, job.id)),
            flow=tuple(reads.flow_jobs(ledger, job.flow)) if job.flow else (),
            before=tuple(before),
            behind=tuple(behind),
            why=self._why(job),
            log=log,
            looked_upto=self._told_upto if self._more else self.log.counted,
            paused=speaking.paused(ledger, job),
            same_error=self._same_error(job),
        )

    def _timeline(self) -> tuple[Event, ...]:
        """What happened to it; of a long log the events in its midst come by and by."""
        ledger = self._desk.ledger
        part = timeline.part(ledger, self.job_id, after=self._told_upto, kinds=TIMELINE)
        self._told, self._told_upto = (*self._told, *part.events)[-_EVENTS:], part.upto
        self._more = part.more
        if not part.more:
            return self._told
        late = timeline.newest(ledger, self.job_id, TIMELINE)
        return (*self._told, *(event for event in late if event.id > part.upto))[-_EVENTS:]

    def _why(self, job: Job) -> tuple[str, ...]:
        if job.state not in _WAITING:
            return ()
        desk = self._desk
        types = {job.type} if self._types is None else self._types
        service = None if self._types is None else desk.needed_by(job)
        return tuple(why(desk.ledger, job, types, desk.clock.now(), consumers=desk.consumers(), service=service))

    def _same_error(self, job: Job) -> int:
        if job.error is None or job.error.fingerprint is None:
            return 0
        return glance.same_error(self._desk.ledger, job.error.fingerprint, job.seq)
