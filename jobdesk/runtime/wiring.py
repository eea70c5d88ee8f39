"""What running jobs may ask of the desk that they belong to."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from jobdesk.core.breaker import Policy
from jobdesk.core.job import Job, NewJob
from jobdesk.core.processor import Processor
from jobdesk.ledger.database import Tx


class Wiring(Protocol):
    """Given by the engine; rooms do not know one another."""

    def find(self, type_: str) -> tuple[Processor, str, str | None] | None:
        """The processor of a type, its module, and its file if it is the user's; None if there is none."""

    def settings(self, type_: str) -> Mapping[str, Any]:
        """What `ctx.settings` holds for a type."""

    def policy(self, service: str) -> Policy:
        """When the breaker of a service opens, as the settings say."""

    def retry_rules(self, type_: str) -> tuple[list[str], list[str]]:
        """Names of exception classes never to retry, and of those always to, as the settings of a type say."""

    def memory_limit(self, type_: str) -> int:
        """How many bytes a process may need for a job of a type."""

    def prepare_child(self, parent: Job, wanted: Mapping[str, Any]) -> NewJob:
        """Check a job that a running one submits.

        Raises:
            UsageError: it cannot be stored.
        """

    def store(self, tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        """Store prepared jobs."""
