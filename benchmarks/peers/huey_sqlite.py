"""Huey's own SqliteHuey and its consumer with 4 threads, as they come, and with fsync off and polled every 10 ms."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload


class HueySqlite(Peer):
    package = "huey"
    family = "huey"
    batches = False

    def __init__(self, key: str, title: str, storage: dict[str, Any], consumer: dict[str, Any]) -> None:
        self.key = key
        self.title = title
        self.synchronous = "off" if storage else "full"
        self._storage = storage
        self._options = consumer

    def open(self, folder: Path) -> None:
        self._file = str(folder / "huey.db")
        self._begin(self._storage)

    def _begin(self, storage: dict[str, Any]) -> None:
        from huey import SqliteHuey

        self._huey = SqliteHuey(filename=self._file, **storage)
        self._task = self._huey.task(name="run")(work.run)

    def close(self) -> None:
        self._huey.storage.close()

    def submit(self, data: Payload) -> None:
        self._task(data)

    def fill(self, many: Sequence[Payload]) -> None:
        self._huey.storage.close()
        self._begin({"fsync": False})
        super().fill(many)
        self._huey.storage.close()
        self._begin(self._storage)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        consumer = self._huey.create_consumer(workers=workers, periodic=False, **self._options)
        consumer.start()
        ready()


PEERS = [
    HueySqlite("huey", "Huey, SqliteHuey at its defaults", {}, {}),
    HueySqlite(
        "huey-nosync",
        "Huey, synchronous off, polled every 10 ms",
        {"fsync": False},
        {"initial_delay": 0.01, "max_delay": 0.01},
    ),
]
