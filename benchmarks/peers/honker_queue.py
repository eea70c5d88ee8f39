"""honker: each of 4 threads claims and acknowledges in batches, and sleeps until the database changes.

Its wheels for Linux want glibc 2.38, because of the SQLite that they bring.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload

BATCH = 64
IDLE_POLL_S = 5.0
"""As in its own worker."""


class Honker(Peer):
    key = "honker"
    title = f"honker, claims of {BATCH}"
    package = "honker"
    install = "honker"
    synchronous = "normal"

    def load(self) -> None:
        import honker  # noqa: F401

    def version(self) -> str:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            self.open(Path(folder))
            found = self._db.query("SELECT sqlite_version() AS version")[0]["version"]
            self.close()
        return f"{super().version()} (on SQLite {found})"

    def open(self, folder: Path) -> None:
        import honker

        self._db = honker.open(str(folder / "honker.db"))
        self._queue = self._db.queue("jobs")

    def close(self) -> None:
        self._db.close()

    def submit(self, data: Payload) -> None:
        self._queue.enqueue(data)

    def submit_many(self, many: Sequence[Payload]) -> None:
        with self._db.transaction() as tx:
            for data in many:
                self._queue.enqueue(data, tx=tx)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        for number in range(workers):
            threading.Thread(target=asyncio.run, args=(self._work(f"worker-{number}"),), daemon=True).start()
        ready()

    async def _work(self, name: str) -> None:
        updates: Any = self._db.update_events()
        while True:
            jobs = self._queue.claim_batch(name, BATCH)
            if jobs:
                for job in jobs:
                    work.run(job.payload)
                self._queue.ack_batch([job.id for job in jobs], name)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(updates.__anext__(), IDLE_POLL_S)
