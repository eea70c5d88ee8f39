"""What a flow is while it runs and afterwards: jobs that belong together, and how far they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.job import Job
from jobdesk.core.redaction import shown


class FlowState(StrEnum):
    """How a flow is, told from its jobs; optional ones do not count."""

    RUNNING = "running"
    """One of its jobs, optional ones too, has not ended."""
    COMPLETED = "completed"
    FAILED = "failed"
    """A job failed or expired; what waited for it was cancelled."""
    CANCELLED = "cancelled"
    """None failed, but an operator or a program cancelled one."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One run of a flow. Instants are epoch seconds UTC; `done` counts completed jobs of `total`."""

    id: str
    name: str
    state: FlowState
    created_at: float
    finished_at: float | None
    done: int
    total: int
    input: Mapping[str, Any] | None = None
    """What it was started with; None if it began with a single job."""
    about: str = ""
    """What its first job is about: a file name, a recipient; "" if nothing tells."""
    jobs: Sequence[Job] = ()
    """Oldest first; left out of lists."""
    critical_path: Sequence[str] = ()
    """Ids of the chain of jobs whose running times together are longest, first job first; left out of lists."""

    def to_json(self) -> dict[str, Any]:
        """The shape that commands print with --json; `jobs` and `critical_path` only where they were read."""
        made: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "state": self.state.value,
            "progress": {"done": self.done, "total": self.total},
            "input": None if self.input is None else shown(self.input),
            "created_at": iso(self.created_at),
            "finished_at": iso(self.finished_at),
        }
        if self.jobs:
            made["jobs"] = [job.to_json() | {"step": job.step} for job in self.jobs]
            made["critical_path"] = list(self.critical_path)
        return made
