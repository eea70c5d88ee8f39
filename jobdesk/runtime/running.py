"""The jobs that this process runs now, and what was asked of them meanwhile."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from jobdesk.core.job import Job
from jobdesk.core.speech import Pauses, Speech

Wish = Literal["cancel", "release"]


@dataclass(slots=True)
class Running:
    """One running job. `wish` is what somebody asked of it; `tell` passes it on to whoever supervises it."""

    job: Job
    tell: Callable[[str], None] = field(default=lambda why: None)
    wish: Wish | None = None
    why: str = ""
    wished_at: float = 0.0
    """Monotonic seconds."""
    say: Callable[[Speech], None] | None = None
    """Passes on what people say; None before there is anybody to hear it."""
    pauses: Pauses | None = None
    """None: it was never paused."""

    def stood_s(self, now: float) -> float:
        """For how many seconds it was paused, up to now (monotonic seconds)."""
        return 0.0 if self.pauses is None else self.pauses.total_s(now)


class RunningJobs:
    """A register by seq that worker threads and services share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[int, Running] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> Running:
        entry = Running(job)
        with self._lock:
            self._jobs[job.seq] = entry
        return entry

    def remove(self, entries: Iterable[Running]) -> None:
        with self._lock:
            for entry in entries:
                if self._jobs.get(entry.job.seq) is entry:  # it may be running again here already
                    del self._jobs[entry.job.seq]

    def all(self) -> list[Running]:
        with self._lock:
            return list(self._jobs.values())

    def wish(self, entry: Running, wish: Wish, why: str, now: float) -> None:
        """Ask something of a running job, once; a release outranks a cancel that came before."""
        if entry.wish in {wish, "release"}:
            return
        entry.why, entry.wished_at, entry.wish = why, now, wish  # its supervisor acts on the wish: last
        entry.tell(why)

    def speak(self, entry: Running, word: Speech, now: float) -> None:
        """Let a running job hear what somebody says."""
        if entry.say is not None:
            entry.pauses = entry.pauses or Pauses()
            entry.pauses.hear(word, now)
            entry.say(word)
            entry.tell(entry.why)  # its supervisor reckons its time anew


def said_of(job: Job) -> dict[str, str | None]:
    """What a line of the desk's log says of a job beside its event."""
    said = {"job": job.id, "queue": job.queue, "worker": job.worker, "flow": job.flow}
    return {name: value for name, value in said.items() if value is not None}
