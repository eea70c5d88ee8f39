"""What a job has said and not yet been written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Report:
    """Fills with the messages of one attempt; its words are written as it goes, the rest when it ends."""

    log: LogWindow = field(default_factory=LogWindow)
    progress: Progress | None = None
    artifacts: list[Artifact] = field(default_factory=list)
    assets: list[Mapping[str, Any]] = field(default_factory=list)
    children: list[Mapping[str, Any]] = field(default_factory=list)
    urgent: list[Mapping[str, Any]] = field(default_factory=list)
    """Children to be stored at once that are not stored yet."""
    asked: int = 0
    """How many of those there were."""
    refused: Exception | None = None
    """Why one of those cannot be stored."""
    on_failure: Mapping[str, Any] | None = None
    asks: list[str] = field(default_factory=list)
    """Services that it wants to call, not answered yet."""
    entries: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """For books, not answered yet."""
    calling: str | None = None
    """The service that it was let call last and has not told of since."""
    calls: list[Called] = field(default_factory=list)
    """What came of calls."""
    still_down: str | None = None
    """The service that it tried, and that is still down."""
    outcome: Outcome | None = None
    cpu_ms: int | None = None
    max_rss_bytes: int = 0
    has_workdir: bool = True
    """Whether there may be a working folder to remove."""
    token: str = ""

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
        if len(self.assets) + len(self.children) + self.asked + len(self.artifacts) > MOST_ITEMS:
            raise TooMuch
        match message:
            case {"log": [at, level, text]}:
                self.log.take((at, level, text))
            case {"progress": [done, total, text]}:
                self.progress = Progress(done, total, text)
            case {"artifact": [path, kind, size]}:
                self.artifacts.append(Artifact(path, kind, size))
            case {"asset": record}:
                self.assets.append(record)
            case {"child": wanted}:
                self.children.append(wanted)
            case {"child_now": wanted}:
                self.urgent.append(wanted)
                self.asked += 1
            case {"on_failure": wanted}:
                self.on_failure = wanted
            case {"ask": service}:
                self.asks.append(service)
            case {"book": [name, entry]}:
                self.entries.append((name, entry))
            case {"called": [service, failure]}:
                self.calls.append(Called(service, failure))
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
        return not (
            self.log.is_new
            or self.progress
            or self.artifacts
            or self.assets
            or self.children
            or self.asked
            or self.refused
            or self.on_failure
            or self.calls
            or self.calling
            or self.still_down
        )

    @property
    def usage(self) -> Usage:
        return Usage(self.cpu_ms, self.max_rss_bytes or None)

    def write_words(self, tx: Tx, job: Job) -> None:
        """Write progress and log lines so far; `forget_words` once that is committed."""
        if self.progress is not None:
            reports.progress(tx, job, self.progress)
        self.log.write(tx, job)

    @property
    def has_words(self) -> bool:
        """Whether there is something to write while it runs."""
        return bool(self.log.is_new or self.progress or self.calls)

    def no_answer(self) -> None:
        """Its time is up: the service that it calls has not answered."""
        if self.calling is not None:
            self.calls.append(Called(self.calling, "no answer within the timeout of the job"))
            self.calling = None

    def forget_words(self) -> None:
        """What was written need not be written again."""
        self.progress = None
        self.log.written()
        self.calls.clear()
