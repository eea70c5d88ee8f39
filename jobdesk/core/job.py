"""What a job is: its nine states, its priority, and the record that everybody reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from jobdesk.core.clock import iso
from jobdesk.core.redaction import shown
from jobdesk.core.retry import RetryPolicy


class State(StrEnum):
    """A job is in exactly one of these; `core.moves` says which may follow which."""

    BLOCKED = "blocked"
    """Waits for the jobs it comes after. Nobody looks at it until the last of them completes."""
    SCHEDULED = "scheduled"
    """Its `run_at` lies ahead, by a delay, a schedule or a snooze. The stager makes it pending."""
    PENDING = "pending"
    """Ready; the next free worker of its queue takes the one with the highest priority, oldest first."""
    PROCESSING = "processing"
    """Claimed by a worker, which alone may finish it: its fence must still fit when it does."""
    RETRYING = "retrying"
    """An attempt failed and another is allowed; waits for its backoff, then becomes pending."""
    COMPLETED = "completed"
    """Done; its result is stored. Final, until somebody runs it again."""
    FAILED = "failed"
    """No attempt is left, or trying again cannot mend the error. Lies in its queue's dead letters."""
    CANCELLED = "cancelled"
    """Stopped by an operator, a program, or because a job it waited for did not complete."""
    EXPIRED = "expired"
    """The queue's TTL passed before it started. Lies in the dead letters."""


FINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED})
"""States that end a job; only an operator moves it on."""
DEAD = frozenset({State.FAILED, State.EXPIRED})
"""States whose jobs lie in the dead letters."""
IN_FLIGHT = frozenset(State) - FINAL
"""States in which a unique key is taken."""

PRIORITIES = {"low": 25, "normal": 50, "high": 75, "urgent": 100}


def priority(value: str | int) -> int:
    """Read a priority: urgent, high, normal, low, or 0-100 (100 is first).

    Raises:
        ValueError: it is neither.
    """
    text = str(value).strip().lower()
    if text in PRIORITIES:
        return PRIORITIES[text]
    if text.isdecimal() and int(text) <= 100:
        return int(text)
    raise ValueError(f"'{value}' is not a priority: use urgent, high, normal, low or a number from 0 to 100")


@dataclass(frozen=True, slots=True)
class JobError:
    """Why the last attempt failed. `fingerprint` is equal for errors of the same kind in the same place."""

    type: str
    message: str
    traceback: str | None = None
    fingerprint: str | None = None
    retryable: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "message": self.message,
            "traceback": self.traceback,
            "fingerprint": self.fingerprint,
            "retryable": self.retryable,
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is; `total` is None while it is not known."""

    done: float = 0
    total: float | None = None
    message: str | None = None

    @property
    def percent(self) -> float | None:
        """0-100 with one decimal, or None while the total is unknown."""
        if not self.total:
            return None
        return round(min(100.0, max(0.0, self.done / self.total * 100)), 1)

    def to_json(self) -> dict[str, Any]:
        return {"done": self.done, "total": self.total, "percent": self.percent, "message": self.message}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job made and wants shown."""

    path: str
    kind: str
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "kind": self.kind, "bytes": self.bytes}


@dataclass(slots=True)  # not frozen: that doubles the time to make one, and every claim makes one
class Job:
    """One job as the ledger had it; read only. Instants are epoch seconds; `seq` is its row, `id` its public name."""

    seq: int
    id: str
    type: str
    queue: str
    state: State
    priority: int
    data: Mapping[str, Any]
    created_at: float
    run_at: float
    attempt: int = 0
    max_attempts: int = 1
    fence: int = 0
    user: str | None = None
    result: Any = None
    error: JobError | None = None
    progress: Progress | None = None
    unique: str | None = None
    concurrency_key: str | None = None
    after: Sequence[str] = ()
    flow: str | None = None
    step: str | None = None
    schedule: str | None = None
    source: str | None = None
    parent: str | None = None
    timeout_s: float | None = None
    ready_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    expires_at: float | None = None
    cancel_requested_at: float | None = None
    cpu_ms: int | None = None
    max_rss_bytes: int | None = None
    worker: str | None = None
    held: bool = False
    """Somebody holds it back: it waits until it is released."""
    label: str | None = None
    """A word or line of whoever submitted it, to find it by."""
    artifacts: Sequence[Artifact] = field(default=())
    existed: bool = False
    """A submission was answered with it, since it has the unique key."""

    @property
    def queue_ms(self) -> int | None:
        """How long it was ready before it started, in milliseconds."""
        return _span_ms(self.ready_at, self.started_at)

    @property
    def processing_ms(self) -> int | None:
        """How long its last attempt took, in milliseconds; None while it runs."""
        return _span_ms(self.started_at, self.finished_at)

    @property
    def total_ms(self) -> int | None:
        """From creation to its end, in milliseconds."""
        return _span_ms(self.created_at, self.finished_at)

    def to_json(self) -> dict[str, Any]:
        """The shape that commands print with --json."""
        return {
            "id": self.id,
            "type": self.type,
            "queue": self.queue,
            "state": self.state.value,
            "priority": self.priority,
            "user": self.user,
            "data": shown(self.data),
            "result": shown(self.result, names=False),
            "error": self.error.to_json() if self.error else None,
            "attempt": self.attempt,
            "max_attempts": self.max_attempts,
            "progress": self.progress.to_json() if self.progress else None,
            "unique": self.unique,
            "concurrency_key": self.concurrency_key,
            "after": list(self.after),
            "flow": self.flow,
            "step": self.step,
            "parent": self.parent,
            "schedule": self.schedule,
            "source": self.source,
            "created_at": iso(self.created_at),
            "run_at": iso(self.run_at),
            "started_at": iso(self.started_at),
            "finished_at": iso(self.finished_at),
            "expires_at": iso(self.expires_at),
            "queue_ms": self.queue_ms,
            "processing_ms": self.processing_ms,
            "total_ms": self.total_ms,
            "cpu_ms": self.cpu_ms,
            "max_rss_bytes": self.max_rss_bytes,
            "worker": self.worker,
            "held": self.held,
            "label": self.label,
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
        }


@dataclass(slots=True)  # not frozen, as `Job`
class NewJob:
    """A job that is checked and complete, ready to be stored; made by `Desk` from a submission. Read only."""

    id: str
    type: str
    queue: str
    data: str
    """JSON, as it is stored."""
    priority: int
    run_at: float | None
    """None: at once."""
    max_attempts: int
    timeout_s: float
    retry: RetryPolicy
    expires_at: float | None = None
    unique: str | None = None
    concurrency_key: str | None = None
    """No two jobs with one key run at once."""
    unique_for_s: float | None = None
    """Jobs with its unique key that ended that lately count too."""
    unique_states: Sequence[State] = ()
    """Which states take its unique key; none: those in flight, and with `unique_for_s` all."""
    after: Sequence[str] = ()
    user: str | None = None
    source: str | None = None
    schedule: str | None = None
    flow: str | None = None
    step: str | None = None
    parent: str | None = None
    optional: bool = False
    """Its failure does not fail its flow."""
    on_parent_failure: Literal["cancel", "ignore"] = "cancel"
    """What becomes of it when a job in `after` ends without completing: cancelled, or run all the same."""
    label: str | None = None
    hold: bool = False
    immediate: bool = False
    bindings: Sequence[Mapping[str, Any]] = ()
    """Values of its data that are put in when it runs; see `flows.templates`."""


def _span_ms(start: float | None, end: float | None) -> int | None:
    return None if start is None or end is None else max(0, round((end - start) * 1000))
