"""What ended and when: minute counters for screens, and the spans of single jobs for exact metrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.job import State
from jobdesk.ledger.database import Ledger

CHUNK = 20_000
"""Rows read at once, so that a million of them need no more memory than their spans."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that ended. Spans are seconds, None where it never started; `at` is epoch seconds."""

    at: float
    state: State
    attempt: int
    waited_s: float | None
    took_s: float | None
    total_s: float
    error_type: str | None


def minutes(ledger: Ledger, since: int, queue: str | None = None) -> list[tuple[int, int, int]]:
    """Minute (since the epoch), completed and failed jobs, oldest first; minutes in which none ended are left out."""
    where, values = ("at >= ?", [since]) if queue is None else ("at >= ? AND queue = ?", [since, queue])
    rows = ledger.rows(
        f"SELECT at, sum(completed), sum(failed) FROM minute WHERE {where} GROUP BY at ORDER BY at", values
    )
    return [(int(at), int(completed), int(failed)) for at, completed, failed in rows]


def ended_by_queue(ledger: Ledger, since: int) -> dict[str, tuple[int, int]]:
    """Completed and failed jobs of each queue since this minute."""
    rows = ledger.rows("SELECT queue, sum(completed), sum(failed) FROM minute WHERE at >= ? GROUP BY queue", (since,))
    return {queue: (int(completed), int(failed)) for queue, completed, failed in rows}


def ended(ledger: Ledger, since: float, queue: str | None = None, type_: str | None = None) -> Iterator[Ended]:
    """Jobs that ended after `since` (epoch seconds), oldest end first."""
    only, given = _only(queue, type_)
    at, seq = since, 2**62
    while True:
        rows = ledger.rows(
            "SELECT finished_at, seq, state, attempt, started_at - ready_at, finished_at - started_at, "
            "finished_at - created_at, error_type FROM job INDEXED BY job_finished "
            f"WHERE finished_at >= ? AND (finished_at, seq) > (?, ?){only} ORDER BY finished_at, seq LIMIT ?",
            (at, at, seq, *given, CHUNK),
        )
        for row in rows:
            yield Ended(row[0], State(row[2]), row[3], row[4], row[5], row[6], row[7])
        if len(rows) < CHUNK:
            return
        at, seq = rows[-1][0], rows[-1][1]


def counts(ledger: Ledger, queue: str | None = None, type_: str | None = None) -> dict[State, int]:
    """Jobs in each state now; from the counters, unless a type is asked for."""
    found = dict.fromkeys(State, 0)
    only, given = _only(queue, type_)
    if type_ is None:
        rows = ledger.rows(f"SELECT state, sum(n) FROM tally WHERE 1{only} GROUP BY state", given)
    else:
        rows = ledger.rows(f"SELECT state, count(*) FROM job INDEXED BY job_type WHERE 1{only} GROUP BY state", given)
    return found | {State(state): int(n) for state, n in rows}


def oldest_pending(ledger: Ledger, queue: str | None = None, type_: str | None = None) -> float | None:
    """Since when the oldest pending job is ready, epoch seconds; None if none waits."""
    only, given = _only(queue, type_)
    row = ledger.row(
        f"SELECT ready_at FROM job INDEXED BY job_state WHERE state = 'pending' AND state <> 'processing' "
        f"AND ready_at IS NOT NULL{only} "
        "ORDER BY seq LIMIT 1",
        given,
    )
    return None if row is None else row[0]


def first_created(ledger: Ledger) -> float | None:
    """When the oldest job was created; None without jobs."""
    row = ledger.row("SELECT created_at FROM job ORDER BY seq LIMIT 1")
    return None if row is None else float(row[0])


def _only(queue: str | None, type_: str | None) -> tuple[str, Sequence[Any]]:
    given = {"queue": queue, "type": type_}
    kept = {name: value for name, value in given.items() if value is not None}
    return "".join(f" AND {name} = ?" for name in kept), list(kept.values())
