"""What a job has said and not yet been written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobdesk.core.calling import Called
from jobdesk.core.job import Artifact, Job, Progress
from jobdesk.core.outcome import Outcome
from jobdesk.ledger import reports
from jobdesk.ledger.database import Tx
from jobdesk.ledger.moves import Usage
from jobdesk.runtime.log_window import LogWindow
from jobdesk.runtime.messages import Message, to_outcome

MOST_ITEMS = 20_000
"""Children, assets and artifacts that one attempt may leave."""


class TooMuch(Exception):
    """A job says more than can be kept."""


class Left:
    """What an attempt left beside its result; most leave nothing."""

    __slots__ = ("artifacts", "asks", "assets", "calls", "children", "entries", "log", "urgent")

    def __init__(self, log_letters: int) -> None:
        self.log = LogWindow(log_letters)
        self.artifacts: list[Artifact] = []
        self.assets: list[Mapping[str, Any]] = []
        self.children: list[Mapping[str, Any]] = []
        self.urgent: list[Mapping[str, Any]] = []
        """Children to be stored at once that are not stored yet."""
        self.asks: list[str] = []
        """Services that it wants to call, not answered yet."""
        self.entries: list[tuple[str, Mapping[str, Any]]] = []
        """For books, not answered yet."""
        self.calls: list[Called] = []
        """What came of calls."""


@dataclass(slots=True)
class Report:
    """Fills with the messages of one attempt; its words are written as it goes, the rest when it ends."""

    log_letters: int = 1_000_000
    """How much is kept of its log."""
    token: str = ""
    progress: Progress | None = None
    asked: int = 0
    """How many children it wanted at once."""
    refused: Exception | None = None
    """Why one of those cannot be stored."""
    on_failure: Mapping[str, Any] | None = None
    calling: str | None = None
    """The service that it was let call last and has not told of since."""
    still_down: str | None = None
    """The service that it tried, and that is still down."""
    outcome: Outcome | None = None
    cpu_ms: int | None = None
    max_rss_bytes: int = 0
    has_workdir: bool = True
    """Whether there may be a working folder to remove."""
    _left: Left | None = None

    @property
    def left(self) -> Left:
        """What it left; made when it is first asked for: a job that says nothing costs nothing."""
        if self._left is None:
            self._left = Left(self.log_letters)
        return self._left

    @property
    def has_left(self) -> bool:
        """Whether there may be something in `left`."""
        return self._left is not None

    def take(self, message: Message) -> bool:
        """Understand one message of the job, and whether it is its end; one of another attempt is nobody's.

        Raises:
            TooMuch: it says more than can be kept.
        """
        if message.get("of") != self.token or self.outcome is not None:  # it ends once, also if it says so twice
            return False
        if "end" in message:
            self._end(message)
            return True
        left = self.left
        if len(left.assets) + len(left.children) + self.asked + len(left.artifacts) > MOST_ITEMS:
            raise TooMuch
        match message:
            case {"log": [at, level, text]}:
                left.log.take((at, level, text))
            case {"progress": [done, total, text]}:
                self.progress = Progress(done, total, text)
            case {"artifact": [path, kind, size]}:
                left.artifacts.append(Artifact(path, kind, size))
            case {"asset": record}:
                left.assets.append(record)
            case {"child": wanted}:
                left.children.append(wanted)
            case {"child_now": wanted}:
                left.urgent.append(wanted)
                self.asked += 1
            case {"on_failure": wanted}:
                self.on_failure = wanted
            case {"ask": service}:
                left.asks.append(service)
            case {"book": [name, entry]}:
                left.entries.append((name, entry))
            case {"called": [service, failure]}:
                left.calls.append(Called(service, failure))
                self.calling = None
            case {"called": None}:
                self.calling = None
        return False

    def _end(self, message: Message) -> None:
        used = message["usage"]
        outcome, cpu_ms, max_rss_bytes = to_outcome(message["end"]), int(used["cpu_ms"]), int(used["max_rss_bytes"])
        self.outcome, self.cpu_ms, self.has_workdir = outcome, cpu_ms, bool(message["workdir"])
        self.max_rss_bytes = max(self.max_rss_bytes, max_rss_bytes)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing but how the job ended."""
        left = self._left
        return (
            self.progress is None
            and self.calling is None
            and self.still_down is None
            and self.on_failure is None
            and self.refused is None
            and not self.asked
            and (left is None or not (left.log.is_new or left.artifacts or left.assets or left.children or left.calls))
        )

    @property
    def usage(self) -> Usage:
        return Usage(self.cpu_ms, self.max_rss_bytes or None)

    def write_words(self, tx: Tx, job: Job) -> None:
        """Write progress and log lines so far; `forget_words` once that is committed."""
        if self.progress is not None:
            reports.progress(tx, job, self.progress)
        if self._left is not None:
            self._left.log.write(tx, job)

    @property
    def has_words(self) -> bool:
        """Whether there is something to write while it runs."""
        left = self._left
        return self.progress is not None or (left is not None and (left.log.is_new or bool(left.calls)))

    def no_answer(self) -> None:
        """Its time is up: the service that it calls has not answered."""
        if self.calling is not None:
            self.left.calls.append(Called(self.calling, "no answer within the timeout of the job"))
            self.calling = None

    def forget_words(self) -> None:
        """What was written need not be written again."""
        self.progress = None
        if self._left is not None:
            self._left.log.written()
            self._left.calls.clear()
