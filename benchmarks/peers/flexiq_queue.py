"""FlexiQ, the former taskito: its thread pool of 4, with the scheduler set for speed.

Its event-driven dispatch is left off: with SQLite a backlog then drains at 6 jobs a second (2.1.0, tried).
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload

CLAIMS = 64
POLL_MS = 1


class FlexiQ(Peer):
    key = "flexiq"
    title = f"FlexiQ, claims of {CLAIMS}, polled every {POLL_MS} ms"
    package = "flexiq"
    synchronous = "normal"

    def load(self) -> None:
        import flexiq  # noqa: F401

    def open(self, folder: Path) -> None:
        from flexiq import Queue

        os.environ["FLEXIQ_LOG_LEVEL"] = "WARNING"  # a line for each job would be measured too
        self._queue = Queue(
            db_path=str(folder / "flexiq.db"),
            workers=4,
            scheduler_batch_size=CLAIMS,
            scheduler_poll_interval_ms=POLL_MS,
        )
        self._task = self._queue.task(name="run")(work.run)

    def submit(self, data: Payload) -> None:
        self._task.delay(data)

    def submit_many(self, many: Sequence[Payload]) -> None:
        self._queue.enqueue_many("run", [(data,) for data in many])

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        from flexiq.events import EventType

        self._queue.on_event(EventType.WORKER_ONLINE, lambda *_: ready())
        self._queue.run_worker()
