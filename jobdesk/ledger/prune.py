"""What retention removes: ended jobs past their time or beyond their number, with all their history.

Candidates are found by reading, which keeps nobody waiting, and walks each index once: whoever prunes
remembers how far it has looked. They are removed a few at a time, each only if it is still as it was read.
A completed job whose flow goes on, or failed and may be resumed, is kept: later jobs read its result. So is one
that has its unique key for a while after its end.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from jobdesk.core.events import Kind
from jobdesk.ledger.database import Ledger, Row, Tx

BATCH = 100
"""Jobs that the first transaction removes, and events of any."""
MOST = 1000
"""Jobs that one transaction removes at the most."""
HOLD_S = 0.004
"""How long a transaction may keep others waiting, but for its commit: it gets as many jobs as that takes."""
LOOK = 2000
"""Rows that one search looks at."""
_DEAD = ("failed", "expired")
HISTORY = ("attempt", "artifact", "event", "dependency", "breaker_wait", "breaker_trial")
"""Tables whose rows go with their job, by its seq in `job`: another may get the same seq."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has ended, as it was read."""

    seq: int
    queue: str
    state: str
    finished_at: float


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found; `at` is where the next goes on, `more` whether it should do so now."""

    doomed: list[Ended]
    at: tuple[float, int]
    more: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """How long (seconds) and how many ended jobs of a queue are kept; None means for ever, or all."""

    completed_s: float | None
    dead_s: float | None
    completed: int | None
    dead: int | None

    def span_s(self, state: str) -> float | None:
        """How long a job that ended in this state is kept."""
        return self.dead_s if state in _DEAD else self.completed_s


def policies(ledger: Ledger, retention_s: float | None) -> dict[str, Keep]:
    """What is kept of each queue; `retention_s` holds where a queue has no `dead_letter_ttl`, and for all else."""
    return {
        name: Keep(retention_s, retention_s if ttl_s is None else ttl_s, completed, dead)
        for name, ttl_s, completed, dead in ledger.rows(
            "SELECT name, dead_letter_ttl_s, keep_completed, keep_failed FROM queue"
        )
    }


ENDED = (
    "SELECT j.seq, j.queue, j.state, j.finished_at, j.flow IS NULL OR (f.open = 0 AND f.failed = 0), f.open = 0, "
    "j.finished_at + j.unique_for_s"
)


def aged(
    ledger: Ledger, keep: dict[str, Keep], span_s: float, after: tuple[float, int], now: float, room: int = LOOK
) -> Found:
    """Jobs that are kept for just this span, and are past it; `after` is the `at` of the search before."""
    rows = ledger.rows(
        f"{ENDED} FROM job j INDEXED BY job_finished LEFT JOIN flow f ON f.id = j.flow "
        "WHERE (j.finished_at, j.seq) > (?, ?) AND j.finished_at <= ? ORDER BY j.finished_at, j.seq LIMIT ?",
        (*after, now - span_s, LOOK),
    )
    doomed: list[Ended] = []
    for row in rows:
        if len(doomed) == room:
            return Found(doomed, after, True)
        after = (row[3], row[0])
        if row[1] in keep and keep[row[1]].span_s(row[2]) == span_s and may_go(row, now):
            doomed.append(Ended(*row[:4]))
    return Found(doomed, after, len(rows) == LOOK)


def beyond(
    ledger: Ledger,
    queue: str,
    states: Sequence[str],
    after: tuple[float, int],
    before: float,
    room: int,
    *,
    whole: bool = False,
) -> Found:
    """The oldest jobs of a queue in these states that ended before an instant, at most `room`.

    Args:
        whole: also those that a flow may still need, or that have their unique key.
    """
    rows = ledger.rows(
        f"{ENDED} FROM job j INDEXED BY job_queue LEFT JOIN flow f ON f.id = j.flow "
        "WHERE j.queue = ? AND j.seq > ? ORDER BY j.seq LIMIT ?",
        (queue, after[1], LOOK),
    )
    doomed: list[Ended] = []
    for row in rows:
        if len(doomed) == room:
            return Found(doomed, after, True)
        after = (0.0, row[0])
        if row[2] in states and row[3] <= before and (whole or may_go(row, before)):
            doomed.append(Ended(*row[:4]))
    return Found(doomed, after, len(rows) == LOOK)


def may_go(row: Row, now: float) -> bool:
    """Whether a job, as a row of `ENDED`, is needed by no flow and has its unique key no longer."""
    if row[6] is not None and row[6] > now:
        return False
    return bool(row[4] if row[2] == "completed" else row[4] or row[5])


def excess(ledger: Ledger, keep: dict[str, Keep]) -> list[tuple[str, tuple[str, ...], int]]:
    """Queues that hold more ended jobs than they keep: which states, and how many too many."""
    counts = {(queue, state): n for queue, state, n in ledger.rows("SELECT queue, state, n FROM tally WHERE n > 0")}
    found: list[tuple[str, tuple[str, ...], int]] = []
    for name, own in keep.items():
        for most, states in ((own.completed, ("completed",)), (own.dead, _DEAD)):
            held = sum(counts.get((name, state), 0) for state in states)
            if most is not None and held > most:
                found.append((name, states, held - most))
    return found


def remove(tx: Tx, doomed: Sequence[Ended], who: str | None = None) -> int:
    """Remove these jobs with their history, if they still are as they were read; how many.

    Args:
        who: for whom an event says how many of each queue were removed; None writes none.
    """
    now = {
        seq: (state, finished_at)
        for seq, state, finished_at in tx.rows(
            "SELECT seq, state, finished_at FROM job WHERE seq IN (SELECT value FROM json_each(?))",
            (json.dumps([one.seq for one in doomed]),),
        )
    }
    gone = [one for one in doomed if now.get(one.seq) == (one.state, one.finished_at)]
    seqs = json.dumps([one.seq for one in gone])
    flows = tx.rows("SELECT DISTINCT flow FROM job WHERE seq IN (SELECT value FROM json_each(?))", (seqs,))
    # First the jobs: their events say whether their ends are in the rollups.
    tx.run("DELETE FROM job WHERE seq IN (SELECT value FROM json_each(?))", (seqs,))
    for table in HISTORY:
        tx.run(f"DELETE FROM {table} WHERE job IN (SELECT value FROM json_each(?))", (seqs,))
    tx.run("DELETE FROM dependency WHERE parent IN (SELECT value FROM json_each(?))", (seqs,))
    for (flow,) in flows:
        tx.run("DELETE FROM flow WHERE id = ? AND total = 0", (flow,))
    if who is not None:
        for (queue, state), count in Counter((one.queue, one.state) for one in gone).items():
            tx.event(Kind.QUEUE_CLEANED, queue=queue, state=state, count=count, user=who)
    return len(gone)


class Remover:
    """Removes many jobs in short transactions, each as long as the one before says is right. For one thread."""

    def __init__(self, ledger: Ledger, writing: Callable[[], AbstractContextManager[Tx]] | None = None) -> None:
        self._ledger = ledger
        self._writing = writing or ledger.write
        self._size = BATCH

    def step(self, doomed: list[Ended], who: str | None = None) -> tuple[int, float]:
        """Take some off the front of `doomed` and remove them: how many were removed, and seconds that it took.

        Args:
            who: as in `remove`.
        """
        batch, clock = doomed[: self._size], self._ledger.clock
        with self._writing() as tx:
            began = clock.monotonic()
            count = remove(tx, batch, who)
            held_s = clock.monotonic() - began
        took_s = clock.monotonic() - began
        del doomed[: len(batch)]
        if held_s > HOLD_S or len(batch) == self._size:
            self._size = max(10, min(MOST, 2 * self._size, int(self._size * HOLD_S / max(held_s, 1e-9))))
        return count, took_s


def old_events(tx: Tx, before: float) -> int:
    """Remove events of no job (pauses, consumers, deletions) older than an instant; how many."""
    rows = tx.rows(
        "SELECT id, at FROM event INDEXED BY event_of_no_job WHERE job IS NULL ORDER BY id LIMIT ?", (BATCH,)
    )
    old = [id_ for id_, at in rows if at <= before]
    return tx.run("DELETE FROM event WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(old),)) if old else 0


def has_old_events(ledger: Ledger, before: float) -> bool:
    """Whether the oldest event of no job is older than an instant."""
    row = ledger.row("SELECT at FROM event INDEXED BY event_of_no_job WHERE job IS NULL ORDER BY id LIMIT 1")
    return row is not None and row[0] <= before
