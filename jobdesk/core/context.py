"""What a processor is given besides its payload."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Unpack

from jobdesk.core.calling import Service
from jobdesk.core.speech import Speech
from jobdesk.core.submission import Options


class Log(Protocol):
    """Writes lines into the job's own log, which `jobdesk jobs logs` and the terminal app show live."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


class Context(Protocol):
    """The running job as its processor sees it.

    Nothing here touches the ledger: what a processor reports travels to the supervisor, which
    writes it. Children and assets are stored in the same transaction as the job's completion, so an
    attempt that fails leaves none behind and a killed one cannot leave them twice.
    """

    job: str
    """The job's id."""
    type: str
    queue: str
    user: str | None
    source: str | None
    """Where it came from: command, http, schedule, a drop folder …, or None."""
    flow: str | None
    """The flow it belongs to, or None."""
    attempt: int
    """1 for the first try."""
    max_attempts: int
    home: Path
    """The home folder of this desk."""
    settings: Mapping[str, Any]
    """The `[types.TYPE]` table of the settings beside the sections `storage`, `scanner`, `email` … by name."""
    results: Mapping[str, Any]
    """Results of the completed jobs of the same flow, by step name (or job type where a step has none)."""
    log: Log

    @property
    def workdir(self) -> Path:
        """A private folder of this attempt; it is removed afterwards whatever happens."""

    @property
    def time_remaining(self) -> float:
        """Seconds until the timeout."""

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the job is; cheap enough to call in a loop."""

    def checkpoint(self) -> None:
        """Raise if the job was cancelled or its time is up: call it where stopping is safe."""

    def heard(self) -> Sequence[Speech]:
        """What people said to this job since it last asked (`jobdesk.core.speech`), if its processor hears anything.

        From a pause to its continuing no time is counted towards the timeout.
        """

    def submit(
        self,
        type: str,
        data: Mapping[str, Any] | None = None,
        *,
        now: bool = False,
        **options: Unpack[Options],
    ) -> str:
        """Add a child job, stored when this one completes; returns its id, fit for another's `after`.

        Options are those of a submission: queue, priority, delay, after, unique, retries, timeout, expires …
        `step` names its result for `ctx.results` of later jobs; `optional` keeps its failure from failing the flow;
        with `on_parent_failure="ignore"` it runs however those in `after` end. `now` stores it before this returns,
        whatever becomes of this job: a later attempt that makes the same call (the first with `now`, the second …)
        gets the id of the child that is there already, and adds none.
        """

    def service(self, name: str) -> Service:
        """A service of `[services]` or `[providers]`, to call; its secrets are read from the environment now.

        Raises:
            Reject: it is not configured, or a secret of it is not set; the message says what to do.
        """

    def on_failure(self, type: str, data: Mapping[str, Any]) -> None:
        """Run this job once if any job of the flow fails; it gets `failed` = {job, type, error} in its data."""

    def artifact(self, path: str | Path, kind: str) -> None:
        """Show a file that the job made; `kind` is a word such as image, report, log."""

    def asset(self, record: Mapping[str, Any]) -> None:
        """Record an asset (`jobdesk assets`); needs the keys id, name, sha256, bytes, type."""

    def book(self, name: str, entry: Mapping[str, Any]) -> Any:
        """Write into a book of the ledger (`payments`, `referrals`) before this returns; what the book says then.

        Unlike children and assets it stands whatever becomes of this attempt: books are made so that the same entry
        again changes nothing.

        Raises:
            Reject: the book does not take it; the message says why.
        """
