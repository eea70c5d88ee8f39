"""Who runs jobs: consumers with their heartbeat, and the child processes that work for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.events import Kind
from jobdesk.ledger.database import Ledger, Tx


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process uses itself: processor seconds since its start, its share of a core lately, bytes of memory."""

    cpu_s: float
    cpu_share: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Consumer:
    """A process that runs jobs. `process_started` tells it from a later process with the same pid."""

    id: str
    kind: str
    pid: int
    process_started: float
    workers: int
    queues: tuple[str, ...] | None
    started_at: float
    heartbeat_at: float
    footprint: Footprint | None = None
    """As of its last heartbeat; None before the first."""


def register(
    tx: Tx, id_: str, kind: str, pid: int, process_started: float, workers: int, queues: Sequence[str] | None
) -> None:
    """A consumer begins; `kind` is "app" or "consumer"."""
    tx.run(
        "INSERT INTO consumer (id, kind, pid, process_started, workers, queues, started_at, heartbeat_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (id_, kind, pid, process_started, workers, None if queues is None else ",".join(queues), tx.now, tx.now),
    )
    tx.event(Kind.CONSUMER_STARTED, consumer=id_, kind=kind, pid=pid, workers=workers)


def heartbeat(tx: Tx, id_: str, uses: Footprint) -> bool:
    """I am alive. False: others took me for dead and gave my jobs away."""
    return bool(
        tx.run(
            "UPDATE consumer SET heartbeat_at = ?, cpu_s = ?, cpu_share = ?, rss_bytes = ? "
            "WHERE id = ? AND stopped_at IS NULL",
            (tx.now, uses.cpu_s, uses.cpu_share, uses.rss_bytes, id_),
        )
    )


STOPPED = "stopped"
RESTORED = "the ledger was restored from a backup"
EXPECTED = frozenset({STOPPED, RESTORED})
"""Why consumers end that nobody lost."""


def unregister(tx: Tx, id_: str, why: str) -> None:
    """A consumer has ended, by itself or found dead."""
    if tx.run("UPDATE consumer SET stopped_at = ? WHERE id = ? AND stopped_at IS NULL", (tx.now, id_)):
        tx.event(Kind.CONSUMER_STOPPED, consumer=id_, why=why)
    tx.run("DELETE FROM child WHERE consumer = ?", (id_,))


def running(ledger: Ledger) -> list[Consumer]:
    """Consumers that have not ended as far as the ledger knows."""
    rows = ledger.rows(
        "SELECT id, kind, pid, process_started, workers, queues, started_at, heartbeat_at, cpu_s, cpu_share, rss_bytes "
        "FROM consumer WHERE stopped_at IS NULL ORDER BY started_at"
    )
    return [
        Consumer(
            *(id_, kind, pid, process_started, size, tuple(queues.split(",")) if queues else None, at, heartbeat_at),
            None if uses[0] is None else Footprint(*uses),
        )
        for id_, kind, pid, process_started, size, queues, at, heartbeat_at, *uses in rows
    ]


def add_child(tx: Tx, consumer: str, pid: int, process_started: float) -> None:
    """A child process works for the consumer; its group is killed before its jobs are given to others."""
    tx.run("INSERT OR REPLACE INTO child VALUES (?, ?, ?)", (pid, process_started, consumer))


def remove_child(tx: Tx, pid: int) -> None:
    tx.run("DELETE FROM child WHERE pid = ?", (pid,))


def children(ledger: Ledger, consumer: str) -> list[tuple[int, float]]:
    """Pid and start of each child process of the consumer."""
    return [(int(pid), float(at)) for pid, at in ledger.rows(
        "SELECT pid, process_started FROM child WHERE consumer = ?", (consumer,)
    )]  # fmt: skip
