"""Huey's storage is the ledger itself.

Huey pops a message and forgets it: a killed worker loses the job (its own documents and its issues
239, 253, 571, 733 say so). Here `dequeue` gives what the ledger's guarded claim took (`queue.writer`),
an UPDATE that leaves the job in its row, so there is one truth, and no second store to reconcile.
What remains of Huey is what it does well: the consumer with its worker threads, its health checks
and its clean stop. Nothing else of it is used: results, schedules, locks and revocations are the
ledger's.
"""

import threading
from typing import Any

from huey.constants import EmptyData
from huey.storage import BaseStorage

from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger
from jobdesk.queue.writer import Writer


class LedgerStorage(BaseStorage):  # type: ignore[misc]
    """What Huey asks of a storage, answered from the ledger. `dequeue` blocks and gives a Job that has begun."""

    blocking = True

    def __init__(self, name: str, *, ledger: Ledger, writer: Writer[Any], consumer: str, **_: Any) -> None:
        super().__init__(name)
        self._ledger = ledger
        self._writer = writer
        self._consumer = consumer
        self._thread = threading.local()

    def dequeue(self) -> Job | None:
        """The next job for this worker thread; waits for one. None once the consumer is to end."""
        worker = getattr(self._thread, "worker", None)
        if worker is None:
            worker = f"{self._consumer}/{threading.current_thread().name.rpartition('-')[2]}"
            self._thread.worker = worker
        claimed = self._writer.hand.take(worker)
        return None if claimed is None else self._writer.begin(claimed, worker)

    def queue_size(self) -> int:
        row = self._ledger.row("SELECT coalesce(sum(n), 0) FROM tally WHERE state = 'pending'")
        return int(row[0]) if row else 0

    # Jobs come in through `Desk.submit` and fall due through the stager, never through Huey.
    def enqueue(self, data: Any, priority: float | None = None) -> None:
        raise TypeError("jobs are submitted through Desk.submit, which checks and stores them")

    def enqueued_items(self, limit: int | None = None) -> list[Any]:
        return []

    def flush_queue(self) -> None:
        raise TypeError("jobs are deleted through Desk.delete, which keeps their story")

    def add_to_schedule(self, data: Any, ts: Any) -> None:
        raise TypeError("jobs are scheduled through Desk.submit(delay=…)")

    def read_schedule(self, ts: Any) -> list[Any]:
        return []

    def schedule_size(self) -> int:
        return 0

    def scheduled_items(self, limit: int | None = None) -> list[Any]:
        return []

    def flush_schedule(self) -> None:
        return None

    # Huey keeps results, locks and revocations here; the ledger has its own.
    def put_data(self, key: Any, value: Any, is_result: bool = False) -> None:
        return None

    def peek_data(self, key: Any) -> Any:
        return EmptyData

    def pop_data(self, key: Any) -> Any:
        return EmptyData

    def has_data_for_key(self, key: Any) -> bool:
        return False

    def put_if_empty(self, key: Any, value: Any, ttl: Any = None) -> bool:
        return True

    def result_store_size(self) -> int:
        return 0

    def result_items(self) -> dict[Any, Any]:
        return {}

    def flush_results(self) -> None:
        return None

    def incr(self, key: Any, amount: int = 1) -> int:
        raise TypeError("jobdesk has no counters in Huey: what waits for several jobs is the ledger's business")

    def delete_counter(self, key: Any) -> None:
        return None

    def flush_counters(self) -> None:
        return None
