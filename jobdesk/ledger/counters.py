"""The counters that moves of many jobs change by hand, once for all of them.

Triggers keep every counter (see `ledger.tables`, `ledger.lanes`). A statement that raises `counted` of its rows is
left alone by them; it must then call these, in the same transaction. `ledger.audit` recounts.
"""

from collections.abc import Mapping

from jobdesk.core.job import State
from jobdesk.ledger.database import Tx

_COUNT = "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"


def added(tx: Tx, jobs: Mapping[str, int], state: State) -> None:
    """So many jobs by queue were stored in this state."""
    tx.many(_COUNT, [(queue, state, n) for queue, n in jobs.items()])


def moved(tx: Tx, jobs: Mapping[str, int], start: State, end: State) -> None:
    """So many jobs by queue went from one state to the other."""
    tx.many(_COUNT, [(queue, state, by * n) for queue, n in jobs.items() for state, by in ((start, -1), (end, 1))])


def entered_lanes(tx: Tx, jobs: Mapping[tuple[str, str], int]) -> None:
    """So many jobs by queue and type may be claimed."""
    tx.many(
        "INSERT INTO lane VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET ready = ready + excluded.ready",
        [(queue, type_, n) for (queue, type_), n in jobs.items()],
    )


def left_lanes(tx: Tx, jobs: Mapping[tuple[str, str], int]) -> None:
    """So many jobs by queue and type were claimed."""
    tx.many(
        "UPDATE lane SET ready = ready - ? WHERE queue = ? AND type = ?",
        [(n, queue, type_) for (queue, type_), n in jobs.items()],
    )


def completed(tx: Tx, jobs: Mapping[tuple[int, str], int]) -> None:
    """So many jobs by minute (since the epoch) and queue completed."""
    tx.many(
        "INSERT INTO minute VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET completed = completed + excluded.completed",
        [(minute, queue, n) for (minute, queue), n in jobs.items()],
    )
