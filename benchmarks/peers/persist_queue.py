"""persist-queue's SQLiteAckQueue: 4 threads of one queue object; other processes are noticed only by polling."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload

POLL_S = 0.05


class PersistQueue(Peer):
    key = "persist-queue"
    title = "persist-queue, SQLiteAckQueue, polled every 50 ms"
    package = "persist-queue"
    batches = False

    def open(self, folder: Path) -> None:
        import persistqueue
        from persistqueue.serializers import json

        self._empty = persistqueue.Empty
        # a producer's opening must not take back what runs elsewhere
        make = persistqueue.SQLiteAckQueue
        self._make = lambda resume: make(
            str(folder / "persist"), auto_resume=resume, multithreading=True, serializer=json
        )
        self._queue = self._make(False)

    def close(self) -> None:
        self._queue.close()

    def submit(self, data: Payload) -> None:
        self._queue.put(data)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        self._queue.close()
        self._queue = self._make(True)
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
