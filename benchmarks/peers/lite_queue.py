"""litequeue: it has no workers; 4 threads with a connection each pop, and poll when there is nothing."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload

POLL_S = 0.05
BUSY_S = 10.0


class LiteQueue(Peer):
    key = "litequeue"
    title = "litequeue, polled every 50 ms"
    package = "litequeue"
    synchronous = "normal"

    def open(self, folder: Path) -> None:
        self._file = folder / "lite.db"
        self._queue = self._connect()

    def _connect(self) -> Any:
        from litequeue import LiteQueue as Queue

        return Queue(self._file, timeout=BUSY_S)

    def close(self) -> None:
        self._queue.close()

    def submit(self, data: Payload) -> None:
        self._queue.put(json.dumps(data))

    def submit_many(self, many: Sequence[Payload]) -> None:
        with self._queue.transaction():
            for data in many:
                self._queue.put(json.dumps(data))

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        connections = [self._connect() for _ in range(workers)]
        for one in connections:
            threading.Thread(target=self._work, args=(one,), daemon=True).start()
        ready()

    def _work(self, queue: Any) -> None:
        while True:
            message = queue.pop()
            if message is None:
                time.sleep(POLL_S)
                continue
            work.run(json.loads(message.data))
            queue.done(message.message_id)
