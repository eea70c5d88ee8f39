"""persist-queue's SQLiteAckQueue: 4 threads of one queue object; other processes are noticed only by polling."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload

POLL_S = 0.05


class PersistQueue(Peer):
    key = "persist-queue"
    title = "persist-queue, SQLiteAckQueue, polled every 50 ms"
    package = "persist-queue"
    synchronous = "full"
    batches = False

    def open(self, folder: Path) -> None:
        import persistqueue
        from persistqueue.serializers import json

        self._empty = persistqueue.Empty
        self._class: Any = persistqueue.SQLiteAckQueue
        self._options = {"path": str(folder / "persist"), "multithreading": True, "serializer": json}
        self._queue = self._class(auto_resume=False, **self._options)  # a producer must not take back what runs

    def close(self) -> None:
        self._queue.close()

    def submit(self, data: Payload) -> None:
        self._queue.put(data)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        self._queue.close()
        self._queue = self._class(auto_resume=True, **self._options)
        for _ in range(workers):
            threading.Thread(target=self._work, daemon=True).start()
        ready()

    def _work(self) -> None:
        while True:
            try:
                item = self._queue.get(block=False, raw=True)
            except self._empty:
                time.sleep(POLL_S)
                continue
            work.run(item["data"])
            self._queue.ack(id=item["pqid"])
