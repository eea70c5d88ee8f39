"""The queues that are measured, one module each, all with the interface of `Peer`."""

import importlib
import importlib.metadata
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.work import Payload


class Missing(Exception):
    """The peer cannot be measured here; the message says what is not there."""


class Peer:
    """One queue in one folder, as the fastest way that its documentation shows.

    A producer process calls `open`, `submit`, `submit_many`, `fill`, `close`; a consumer process `open`
    and `consume`. Jobs call `benchmarks.work.run` with their payload.
    """

    key = ""
    title = ""
    package = ""
    """The distribution whose version is told."""
    install = "'jobdesk[bench]'"
    """What pip is told to install."""
    batches = True
    """Whether many jobs can be submitted in one call or one transaction."""
    server = ""
    """A program it needs."""
    counts = True
    """Whether jobs run in the consumer's own process, so that `work.Count` sees them."""
    synchronous = ""
    """What survives power loss: what its database syncs, in SQLite's word, or its own."""
    family = ""
    """Peers with the same one can be started on copies of one filled folder."""

    def check(self) -> None:
        """Whether it can be measured here.

        Raises:
            Missing: it cannot.
        """
        if self.server and shutil.which(self.server) is None:
            raise Missing(f"no {self.server}")
        try:
            importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            raise Missing(f"{self.package} is not installed: pip install {self.install}") from None
        try:
            self.load()
        except ImportError as error:
            raise Missing(f"{self.package} cannot be imported: {error}") from None

    def version(self) -> str:
        """Name and version, and what else the reader must know."""
        return f"{self.package} {importlib.metadata.version(self.package)}"

    def load(self) -> None:
        """Import the library."""

    def open(self, folder: Path) -> None:
        """Open the queue kept in the folder, made on first use."""
        raise NotImplementedError

    def close(self) -> None:
        """Leave the folder such that it can be copied."""

    def submit(self, data: Payload) -> None:
        raise NotImplementedError

    def submit_many(self, many: Sequence[Payload]) -> None:
        """In one call or transaction."""
        raise NotImplementedError

    def fill(self, many: Sequence[Payload]) -> None:
        """Submit many in the quickest way, untimed."""
        if self.batches:
            for start in range(0, len(many), 20_000):
                self.submit_many(many[start : start + 20_000])
        else:
            for data in many:
                self.submit(data)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        """Run jobs until the process ends, calling `ready` as soon as the workers have started. May return before."""
        raise NotImplementedError

    def finished(self, ran: int) -> int:
        """How many jobs are stored as finished since `consume`; `ran` is how many functions have been called."""
        return ran

    def companions(self) -> list[int]:
        """Processes that belong to it besides the consumer and its children."""
        return []

    def stop(self) -> None:
        """End the consumer in an orderly way, quickly."""


def everything() -> dict[str, Peer]:
    """Every peer by its key, in the order of the table; jobdesk first."""
    from benchmarks.peers import (
        flexiq_queue,
        honker_queue,
        huey_sqlite,
        jobdesk_queue,
        lite_queue,
        persist_queue,
        redis_queues,
    )

    made: list[Peer] = [
        *jobdesk_queue.PEERS,
        *huey_sqlite.PEERS,
        honker_queue.Honker(),
        lite_queue.LiteQueue(),
        persist_queue.PersistQueue(),
        flexiq_queue.FlexiQ(),
        *redis_queues.PEERS,
    ]
    return {peer.key: peer for peer in made}
