"""How many jobs may wait in a queue: `max_size`."""

from collections import Counter
from collections.abc import Sequence

from jobdesk.core.errors import QueueFull
from jobdesk.core.job import NewJob
from jobdesk.ledger.database import Ledger, Tx

_SIZE = (
    "SELECT q.max_size, (SELECT coalesce(sum(n), 0) FROM tally "
    "WHERE queue = q.name AND state IN ('blocked', 'scheduled', 'pending', 'retrying')) "
    "FROM queue q WHERE q.name = ? AND q.max_size IS NOT NULL"
)


def check(tx: Tx, jobs: Sequence[NewJob]) -> None:
    """Refuse if a queue holds more waiting jobs than it may, now that these are stored.

    Children of a running job are always let in: what has been done is not lost for want of room.

    Raises:
        QueueFull: a queue has no room; the caller's transaction must be undone.
    """
    for queue, wanted in Counter(job.queue for job in jobs if job.parent is None).items():
        row = tx.row(_SIZE, (queue,))
        if row is not None and row[1] > row[0]:
            most, held = int(row[0]), max(int(row[1]) - wanted, 0)
            waiting = "1 job waits" if held == 1 else f"{held:,} jobs wait"
            what = "one more" if wanted == 1 else f"{wanted:,} more"
            raise QueueFull(
                f"queue {queue} is full: {waiting} and its max_size is {most:,}, so there is no "
                f'room for {what}; wait for room (--wait-for-room 30s), or raise max_size in [queues."{queue}"]',
                queue,
                wanted,
            )


def free(ledger: Ledger, queue: str) -> int | None:
    """How many more jobs may come to wait in the queue; None means no limit."""
    row = ledger.row(_SIZE, (queue,))
    return None if row is None else max(0, int(row[0]) - int(row[1]))


def never(ledger: Ledger, queue: str, wanted: int) -> bool:
    """Whether so many have no room even in the empty queue."""
    row = ledger.row(_SIZE, (queue,))
    return row is not None and wanted > row[0]
