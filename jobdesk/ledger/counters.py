"""The counters that moves of many jobs change by hand, once for all of them.

Triggers keep every counter (see `ledger.tables`, `ledger.lanes`). A statement that raises `counted` of its rows is
left alone by them; it must then call these, in the same transaction. `ledger.checks` recounts.
"""

from collections.abc import Mapping

from jobdesk.core.job import State
from jobdesk.ledger.database import Tx

_COUNT = "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"


def added(tx: Tx, jobs: Mapping[tuple[str, str], int]) -> None:
    """So many jobs by queue and state were stored."""
    for (queue, state), n in jobs.items():
        tx.run(_COUNT, (queue, state, n))


def moved(tx: Tx, jobs: Mapping[str, int], start: State, end: State) -> None:
    """So many jobs by queue went from one state to the other."""
    for queue, n in jobs.items():
        tx.run(_COUNT, (queue, start, -n))
        tx.run(_COUNT, (queue, end, n))


def entered_lanes(tx: Tx, jobs: Mapping[tuple[str, str], int]) -> None:
    """So many jobs by queue and type may be claimed."""
    for (queue, type_), n in jobs.items():
        tx.run(
            "INSERT INTO lane VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET ready = ready + excluded.ready",
            (queue, type_, n),
        )


def left_lanes(tx: Tx, jobs: Mapping[tuple[str, str], int]) -> None:
    """So many jobs by queue and type were claimed."""
    for (queue, type_), n in jobs.items():
        tx.run("UPDATE lane SET ready = ready - ? WHERE queue = ? AND type = ?", (n, queue, type_))


def completed(tx: Tx, jobs: Mapping[tuple[int, str], int]) -> None:
    """So many jobs by minute (since the epoch) and queue completed."""
    for (minute, queue), n in jobs.items():
        tx.run(
            "INSERT INTO minute VALUES (?, ?, ?, 0) "
            "ON CONFLICT DO UPDATE SET completed = completed + excluded.completed",
            (minute, queue, n),
        )
