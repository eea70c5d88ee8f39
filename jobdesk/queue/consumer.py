"""Huey's consumer, embedded: its worker threads run claimed jobs; signals are none of its business."""

from collections.abc import Callable
from typing import Any

from huey import Huey
from huey.consumer import Consumer

from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger
from jobdesk.queue.storage import LedgerStorage
from jobdesk.queue.writer import Writer


class LedgerHuey(Huey):  # type: ignore[misc]
    """A Huey whose tasks are jobs that have begun: there is nothing to unpickle."""

    def __init__(self, run_job: Callable[[Job], None], **storage: Any) -> None:
        super().__init__("jobdesk", results=False, storage_class=LedgerStorage, **storage)
        self._run_job = run_job

    def dequeue(self) -> Job | None:
        job: Job | None = self.storage.dequeue()
        return job

    def execute(self, task: Job, timestamp: Any = None) -> None:
        """Run it: what Huey would look up first (revoked, expired, due) the claim has seen to."""
        self._run_job(task)


class EmbeddedConsumer(Consumer):  # type: ignore[misc]
    """A consumer inside a program of its own: the terminal app, a headless consumer, a script."""

    def __init__(
        self, run_job: Callable[[Job], None], writer: Writer[Any], *, ledger: Ledger, consumer: str, workers: int
    ) -> None:
        self._writer = writer
        huey = LedgerHuey(run_job, ledger=ledger, writer=writer, consumer=consumer)
        super().__init__(huey, workers=workers, periodic=False, scheduler_interval=60)

    def _set_signal_handlers(self) -> None:
        """Off the main thread Python forbids it, and the embedding program owns the signals."""

    def start(self) -> None:
        self._writer.start()
        super().start()

    @property
    def alive(self) -> bool:
        """Whether all threads that run jobs live, and the one that writes."""
        return self._writer.alive and all(thread.is_alive() for _, thread in self.worker_threads)

    def shut(self) -> None:
        """Claim nothing more; what runs goes on."""
        self.stop_flag.set()  # first: whom the hand sends home would come back at once
        self._writer.hand.close()

    def join(self, timeout_s: float) -> bool:
        """Stop the threads once their jobs are done; False if some still run after `timeout_s`."""
        self.shut()
        self.shutdown_timeout = timeout_s
        return bool(self._join_workers())

    def close(self) -> None:
        """Write the ends that are not written yet; the last thing."""
        self._writer.stop()
