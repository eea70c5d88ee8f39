"""RQ, Celery and dramatiq, on a redis-server of their own for each folder, reached through a socket in it."""

import contextlib
import multiprocessing
import multiprocessing.process
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.peers import Peer
from benchmarks.work import Payload

START_S = 10.0


class RedisPeer(Peer):
    server = "redis-server"
    synchronous = "snapshots"
    _process: subprocess.Popen[bytes] | None = None

    def open(self, folder: Path) -> None:
        """Connect; whoever is first starts the server, at its defaults but for the socket."""
        import redis

        self._socket = folder / "redis.sock"
        self._redis = redis.Redis(unix_socket_path=str(self._socket))
        if not self._socket.exists():
            command = [self.server, "--port", "0", "--unixsocket", str(self._socket), "--dir", str(folder)]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(redis.ConnectionError):
                self._redis.ping()
                break
            if time.monotonic() > deadline:
                raise TimeoutError("redis-server does not answer")
            time.sleep(0.01)
        self.connect()

    def connect(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if self._process is not None:
            self._redis.shutdown(save=True)
            self._process.wait()

    def companions(self) -> list[int]:
        return [int(self._redis.info("server")["process_id"])]


class Rq(RedisPeer):
    key = "rq"
    title = "RQ + Redis, 4 simple workers"
    package = "rq"
    counts = False
    _workers: Sequence[multiprocessing.process.BaseProcess] = ()

    def connect(self) -> None:
        import rq

        self._queue = rq.Queue(connection=self._redis)

    def submit(self, data: Payload) -> None:
        self._queue.enqueue(work.run, data)

    def submit_many(self, many: Sequence[Payload]) -> None:
        self._queue.enqueue_many([self._queue.prepare_data(work.run, args=(data,)) for data in many])

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        fork = multiprocessing.get_context("fork")  # so that jobs there do what this process was told to
        self._workers = [fork.Process(target=self._work, daemon=True) for _ in range(workers)]
        for one in self._workers:
            one.start()
        ready()

    def companions(self) -> list[int]:
        return [*super().companions(), *(one.pid for one in self._workers if one.pid)]

    def _work(self) -> None:
        import redis
        import rq

        connection = redis.Redis(unix_socket_path=str(self._socket))
        rq.SimpleWorker([rq.Queue(connection=connection)], connection=connection).work(logging_level="WARNING")

    def finished(self, ran: int) -> int:
        return int(self._queue.finished_job_registry.count)


class Celery(RedisPeer):
    key = "celery"
    title = "Celery + Redis, 4 threads"
    package = "celery"
    batches = False

    def connect(self) -> None:
        import celery

        self._app = celery.Celery("benchmark", broker=f"redis+socket://{self._socket}")
        self._app.conf.worker_hijack_root_logger = False
        self._task = self._app.task(name="run", ignore_result=True)(work.run)

    def submit(self, data: Payload) -> None:
        self._task.delay(data)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        from celery.signals import worker_ready

        worker_ready.connect(lambda **_: ready(), weak=False)
        options: dict[str, Any] = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
        self._app.Worker(pool="threads", concurrency=workers, quiet=True, loglevel="ERROR", **options).start()


class Dramatiq(RedisPeer):
    key = "dramatiq"
    title = "dramatiq + Redis, 4 threads"
    package = "dramatiq"
    batches = False

    def connect(self) -> None:
        import dramatiq
        from dramatiq.brokers.redis import RedisBroker

        self._broker = RedisBroker(url=f"unix://{self._socket}")
        dramatiq.set_broker(self._broker)
        self._actor = dramatiq.actor(work.run, actor_name="run", broker=self._broker)

    def submit(self, data: Payload) -> None:
        self._actor.send(data)

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        import dramatiq

        dramatiq.Worker(self._broker, worker_threads=workers).start()
        ready()


PEERS = [Rq(), Celery(), Dramatiq()]
