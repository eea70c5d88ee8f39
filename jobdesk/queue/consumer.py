"""Huey's consumer, embedded: its worker threads run claimed jobs; signals are none of its business."""

from collections.abc import Callable, Sequence
from typing import Any

from huey import Huey
from huey.consumer import Consumer

from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger
from jobdesk.queue.storage import LedgerStorage
from jobdesk.queue.wake import Wake


class LedgerHuey(Huey):  # type: ignore[misc]
    """A Huey with one task, `run_job`, whose messages are claimed jobs rather than pickled bytes."""

    def __init__(self, run_job: Callable[[Job], None], **storage: Any) -> None:
        super().__init__("jobdesk", results=False, storage_class=LedgerStorage, **storage)
        self._run_job = self.task(name="run_job")(run_job)

    def deserialize_task(self, data: Job) -> Any:
        return self._run_job.task_class((data,), {}, id=data.id)  # an id of Huey's own would cost a uuid


class EmbeddedConsumer(Consumer):  # type: ignore[misc]
    """A consumer inside a program of its own: the terminal app, a headless consumer, a script."""

    def __init__(
        self,
        run_job: Callable[[Job], None],
        *,
        ledger: Ledger,
        wake: Wake,
        consumer: str,
        workers: int,
        queues: Sequence[str] | None,
    ) -> None:
        huey = LedgerHuey(run_job, ledger=ledger, wake=wake, consumer=consumer, queues=queues)
        super().__init__(huey, workers=workers, periodic=False, scheduler_interval=60)

    def _set_signal_handlers(self) -> None:
        """Off the main thread Python forbids it, and the embedding program owns the signals."""

    def shut(self) -> None:
        """Claim nothing more; what runs goes on."""
        self.huey.storage.shut()

    def join(self, timeout_s: float) -> bool:
        """Stop the threads once their jobs are done; False if some still run after `timeout_s`."""
        self.shut()
        self.shutdown_timeout = timeout_s
        self.stop_flag.set()
        return bool(self._join_workers())
