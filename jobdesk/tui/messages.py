"""Every message that threads send to the screen. Threads only post; what supersedes says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from textual.message import Message

from jobdesk.ledger.reads import Queue
from jobdesk.tui.activity import Rates


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs jobs, without what changes each second."""

    id: str
    kind: str
    pid: int
    workers: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The desk at one moment, as far as every screen shows it; `lenses` is what the open ones asked for besides."""

    workers: tuple[Worker, ...] = ()
    queues: tuple[Queue, ...] = ()
    busy: int = 0
    rates: Rates = field(default_factory=Rates)
    alerts: tuple[int, bool] = (0, False)
    """How many want attention, and whether one of them is an error."""
    paused: frozenset[str] = frozenset()
    """Ids of running jobs that somebody has stopped where they are."""
    lenses: dict[str, Any] = field(default_factory=dict)


@dataclass
class SnapshotRead(Message):
    """The ledger changed, and this is how it looks now."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotRead)


@dataclass
class Answered(Message):
    """A question to the database thread has its answer."""

    deliver: Callable[[Any], None]
    answer: Any


@dataclass
class Trouble(Message):
    """Something failed beside the screen; one sentence for a person."""

    sentence: str
    once: str = ""
    """Said again only when something else was said under this key."""


@dataclass
class HostChanged(Message):
    """The own consumer started, failed to start, or has stopped."""

    said: str = ""
    error: bool = False


@dataclass
class Acted(Message):
    """An action has ended; one sentence says how."""

    sentence: str
    failed: bool = False
    undoable: bool = False
    """The key of undo takes it back."""
