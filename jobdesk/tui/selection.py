"""What an action acts on: the job under the cursor, the marked ones, all that match, or a queue."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobdesk.core.job import FINAL, Job, State
from jobdesk.core.speech import Word

if TYPE_CHECKING:
    from jobdesk.ledger.search import Line


@dataclass(frozen=True, slots=True)
class Chosen:
    """A job as far as actions need to know it."""

    id: str
    type: str
    queue: str
    state: State
    subject: str = ""
    stopping: bool = False
    """A cancel was asked for already."""
    hears: Collection[Word] | None = None
    """What can be said to it while it runs; None: that is not known here."""
    reads: bool | None = None
    """Its input is open; None: that is not known here."""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Either jobs, or a query that stands for all its matches, or a queue, or nothing."""

    jobs: tuple[Chosen, ...] = ()
    query: str | None = None
    count: int = 0
    exact: bool = True
    queue: str | None = None
    paused: bool = False
    marked: bool = False
    """The jobs were marked, not just under the cursor."""
    flow: str | None = None
    """The query stands for the jobs of this flow, which is what is meant."""
    running: bool = False
    """It has not ended."""
    schedule: str | None = None
    alert: int | None = None
    rule: str = ""
    subject: str = ""
    """What an alert is about: its rule, and of what."""
    service: str | None = None
    off: bool = False
    """The schedule comes with jobdesk, and is not on."""
    folder: str | None = None
    """A drop folder, by its path."""
    file: str = ""
    """The state of the file that the query stands for the job of."""

    @property
    def one(self) -> Chosen | None:
        """The only job of it, if it is one."""
        return self.jobs[0] if len(self.jobs) == 1 and self.query is None else None

    @property
    def has_jobs(self) -> bool:
        return bool(self.jobs) or (self.query is not None and self.count > 0)

    @property
    def words(self) -> str:
        """For people: `IMAGE_RESIZE cat.jpg`, `3 jobs`, `at least 10,000 jobs`."""
        if self.query is not None:
            return f"{'' if self.exact else 'at least '}{self.count:,} job{'' if self.count == 1 else 's'}"
        if (job := self.one) is not None:
            return f"{job.type} {job.subject}".strip()
        return f"{len(self.jobs):,} jobs"

    @property
    def argument(self) -> str:
        """As the command line takes it."""
        if self.query is not None:
            return "--query " + shlex.quote(self.query)
        return " ".join(job.id for job in self.jobs[:20]) + (" ..." if len(self.jobs) > 20 else "")


NOTHING = Selection()
_AT_WORK = frozenset({"queued", "running"})
"""States of a file whose job has not ended."""


def of_line(line: "Line") -> Chosen:
    """A line of a list as something to act on."""
    return Chosen(line.id, line.type, line.queue, line.state, line.subject, line.cancel_requested_at is not None)


def of_job(job: Job, subject: str) -> Chosen:
    """A whole job as something to act on."""
    return Chosen(
        job.id, job.type, job.queue, job.state, subject, job.cancel_requested_at is not None,
        reads=bool(job.data.get("stdin_open")),
    )  # fmt: skip


def can_retry(selection: Selection) -> str | None:
    """Why none of it can be retried; None: some can."""
    if not selection.has_jobs:
        return "choose a job first"
    if selection.flow is not None and selection.running:
        return "this flow has not ended yet"
    if selection.file in _AT_WORK:
        return "it has not ended yet"
    if selection.query is None and not any(job.state in FINAL for job in selection.jobs):
        return "it has not ended yet" if selection.one else "none of them has ended yet"
    return None


def can_cancel(selection: Selection) -> str | None:
    """Why none of it can be cancelled; None: some can."""
    if not selection.has_jobs:
        return "choose a job first"
    if selection.flow is not None and not selection.running:
        return "this flow has ended"
    if selection.file and selection.file not in _AT_WORK:
        return f"it is {selection.file} already"
    if selection.query is None and all(job.state in FINAL for job in selection.jobs):
        return f"it is {selection.one.state} already" if selection.one else "all of them have ended"
    if selection.one is not None and selection.one.stopping:
        return "it was asked to stop already"
    return None


def can_delete(selection: Selection) -> str | None:
    """Why none of it can be deleted; None: some can."""
    if not selection.has_jobs:
        return "choose a job first"
    if selection.query is None and all(job.state is State.PROCESSING for job in selection.jobs):
        return "it runs: cancel it first" if selection.one else "all of them run: cancel them first"
    return None


def can_run_now(selection: Selection) -> str | None:
    """Why none of it can be run before its time; None: some can."""
    if not selection.has_jobs:
        return "choose a job first"
    if selection.file and selection.file not in _AT_WORK:
        return "it waits for no time"
    if selection.query is None and not any(job.state in (State.SCHEDULED, State.RETRYING) for job in selection.jobs):
        return "it waits for no time" if selection.one else "none of them waits for its time"
    return None


def can_wait(selection: Selection) -> str | None:
    """Why none of it waits to be started; None: some may."""
    if not selection.has_jobs:
        return "choose a job first"
    if selection.one is not None and selection.one.state in (State.PROCESSING, *FINAL):
        return f"it is {selection.one.state}: that is for jobs that wait"
    return None


def can_hear(selection: Selection, word: Word) -> str | None:
    """Why none of it can be told this word; None: some can."""
    if not selection.has_jobs:
        return "choose a job first"
    if selection.query is not None:
        return "mark the jobs themselves, not all that match"
    running = [job for job in selection.jobs if job.state is State.PROCESSING]
    if not running:
        return "it does not run" if selection.one else "none of them runs"
    able = [job for job in running if job.hears is None or word in job.hears]
    if not able:
        return f"{running[0].type} hears no '{word}' while it runs; a command does"
    if word == "send" and able[0].reads is False:
        return "its input is closed: it was not run with --stdin-open"
    if word == "pause" and all(job.paused for job in able):
        return "it is paused already"
    if word == "continue" and not any(job.paused for job in able):
        return "it is not paused"
    return None
