"""How much of a queue runs at once, said while the desk runs: the part of `Desk` about it."""

from typing import TYPE_CHECKING

from jobdesk.core.errors import Refused
from jobdesk.ledger.database import Ledger

if TYPE_CHECKING:
    from jobdesk.ledger.audit import Deed
    from jobdesk.sections import Config


class Limiting:
    """The methods of `Desk` about limits that people set."""

    ledger: Ledger

    if TYPE_CHECKING:

        @property
        def config(self) -> Config: ...

        def sync_queues(self) -> None: ...

        def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> Deed: ...

    def set_concurrency(self, queue: str, most: int | None) -> None:
        """Let so many jobs of a queue run at once, None for no limit; a queue that is new is made.

        Raises:
            Refused: the settings say how many.
        """
        from jobdesk.ledger import queues

        self.sync_queues()
        own = self.config.queues.get(queue)
        if own is not None and own.concurrency is not None:
            raise Refused(f"queue {queue} has concurrency = {own.concurrency} in jobdesk.toml: change it there")
        with self.deed("concurrency", target=f"queue {queue}").writing() as tx:
            queues.ensure(tx, queue)
            queues.set_concurrency(tx, queue, most)
