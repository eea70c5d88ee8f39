"""What ended in each minute, for screens, and how it stands now. All the rest of metrics is in `ledger.windows`."""

from collections.abc import Sequence
from typing import Any

from jobdesk.core.job import State
from jobdesk.ledger.database import Ledger


def minutes(ledger: Ledger, since: int, queue: str | None = None) -> list[tuple[int, int, int]]:
    """Minute (since the epoch), completed and failed jobs, oldest first; minutes in which none ended are left out."""
    where, values = ("at >= ?", [since]) if queue is None else ("at >= ? AND queue = ?", [since, queue])
    rows = ledger.rows(
        f"SELECT at, sum(completed), sum(failed) FROM minute WHERE {where} GROUP BY at ORDER BY at", values
    )
    return [(int(at), int(completed), int(failed)) for at, completed, failed in rows]


def minutes_by_queue(ledger: Ledger, since: int) -> dict[str, dict[int, int]]:
    """How many jobs of each queue ended in each minute (since the epoch); minutes in which none did are left out."""
    found: dict[str, dict[int, int]] = {}
    for at, queue, ended in ledger.rows("SELECT at, queue, completed + failed FROM minute WHERE at >= ?", (since,)):
        found.setdefault(queue, {})[int(at)] = int(ended)
    return found


def ended_by_queue(ledger: Ledger, since: int) -> dict[str, tuple[int, int]]:
    """Completed and failed jobs of each queue since this minute."""
    rows = ledger.rows("SELECT queue, sum(completed), sum(failed) FROM minute WHERE at >= ? GROUP BY queue", (since,))
    return {queue: (int(completed), int(failed)) for queue, completed, failed in rows}


def last_ends(ledger: Ledger) -> dict[str, float]:
    """The last minute, of a week, in which a job of each queue ended; epoch seconds."""
    return {queue: at * 60.0 for queue, at in ledger.rows("SELECT queue, max(at) FROM minute GROUP BY queue")}


def counts(ledger: Ledger, queue: str | None = None, type_: str | None = None) -> dict[State, int]:
    """Jobs in each state now; from the counters, unless a type is asked for."""
    found = dict.fromkeys(State, 0)
    only, given = matching(queue, type_)
    if type_ is None:
        rows = ledger.rows(f"SELECT state, sum(n) FROM tally WHERE 1{only} GROUP BY state", given)
    else:
        rows = ledger.rows(f"SELECT state, count(*) FROM job INDEXED BY job_type WHERE 1{only} GROUP BY state", given)
    return found | {State(state): int(n) for state, n in rows}


def oldest_pending(ledger: Ledger, queue: str | None = None, type_: str | None = None) -> float | None:
    """Since when the oldest pending job is ready, epoch seconds; None if none waits."""
    only, given = matching(queue, type_)
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


def matching(queue: str | None, type_: str | None) -> tuple[str, Sequence[Any]]:
    """A condition for the end of a WHERE, and its values."""
    given = {"queue": queue, "type": type_}
    kept = {name: value for name, value in given.items() if value is not None}
    return "".join(f" AND {name} = ?" for name in kept), list(kept.values())
