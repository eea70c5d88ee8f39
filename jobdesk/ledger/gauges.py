"""What rules of alerts measure: each read costs the same however many jobs the ledger holds.

Counters, heads of indexes, rollups of days; no jobs are counted here.
"""

import json
from dataclasses import dataclass

from jobdesk.core.alert import NOTICE_TYPE, Measure
from jobdesk.core.events import Kind
from jobdesk.core.job import DEAD
from jobdesk.core.schedule import Reason
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.spans import Spans, add_packed
from jobdesk.ledger.totals import DAY
from jobdesk.ledger.workers import EXPECTED

OLDEST = 200
"""Ready jobs that are looked at, the longest there first."""
NEWEST = 200
"""Ended jobs that are looked at to say what failed last."""
RUNNING = 1000
EVENTS = 5000
"""Events of one read."""
_MARK = "alert_event"
_DEAD = ", ".join(f"'{state}'" for state in sorted(DEAD))


def depths(ledger: Ledger) -> dict[str, int]:
    """Ready jobs of each queue that has some."""
    return {name: int(n) for name, n in ledger.rows("SELECT queue, n FROM tally WHERE state = 'pending' AND n > 0")}


def ended(ledger: Ledger, since: float, now: float) -> dict[str, tuple[int, int]]:
    """Completed and dead jobs of each queue from the minute of an instant to that of now, and none that lie ahead."""
    rows = ledger.rows(
        "SELECT queue, sum(completed), sum(failed) FROM minute WHERE at BETWEEN ? AND ? GROUP BY queue",
        (int(since // 60), int(now // 60)),
    )
    return {queue: (int(completed), int(failed)) for queue, completed, failed in rows}


def waiting_since(ledger: Ledger) -> dict[str, float]:
    """Since when (epoch seconds) a job of each queue waits, paused queues left out.

    Of the jobs that were stored longest ago and of those that come next, the longest ready: with priorities some
    other may have waited longer.
    """
    paused = {name for (name,) in ledger.rows("SELECT name FROM queue WHERE paused_at IS NOT NULL")}
    rows = ledger.rows(
        "SELECT queue, ready_at FROM job INDEXED BY job_state "
        "WHERE state = 'pending' AND state <> 'processing' ORDER BY seq LIMIT ?",
        (OLDEST,),
    )
    rows += ledger.rows(
        "SELECT l.queue, (SELECT j.ready_at FROM job j INDEXED BY job_claim WHERE j.queue = l.queue "
        "AND j.type = l.type AND j.state = 'pending' AND j.parked = 0 ORDER BY j.rank DESC, j.seq LIMIT 1) "
        "FROM lane l WHERE l.ready > 0"
    )
    found: dict[str, float] = {}
    for queue, ready_at in rows:
        if ready_at is not None and queue not in paused:
            found[queue] = min(ready_at, found.get(queue, ready_at))
    return found


def newest_error(ledger: Ledger, queue: str, since: float) -> str | None:
    """Type and message of the error that sent a job of the queue to the dead letters last."""
    row = ledger.row(
        "SELECT type, state, error_type, error_message FROM ("
        "SELECT queue, type, state, error_type, error_message FROM job WHERE finished_at >= ? "
        f"ORDER BY finished_at DESC LIMIT {NEWEST}) WHERE queue = ? AND state IN ({_DEAD}) LIMIT 1",
        (since, queue),
    )
    if row is None:
        return None
    type_, state, error, message = row
    said = f"{error}: {message}" if error else state
    return f"{type_}: {said.splitlines()[0][:200]}"


@dataclass(frozen=True, slots=True)
class Running:
    """A job that runs now."""

    id: str
    type: str
    queue: str
    started_at: float


def running(ledger: Ledger, before: float) -> list[Running]:
    """Jobs that began to run before an instant (epoch seconds), those that send notices aside."""
    rows = ledger.rows(
        "SELECT id, type, queue, started_at FROM job WHERE state = 'processing' AND started_at < ? AND type <> ? "
        "LIMIT ?",
        (before, NOTICE_TYPE, RUNNING),
    )
    return [Running(*row) for row in rows]


def usual(ledger: Ledger, type_: str, since: float) -> tuple[int, float]:
    """How many jobs of a type have run on the days since, and how long they took on average, seconds."""
    spans = [Spans(), Spans(), Spans()]
    for (packed,) in ledger.rows(
        "SELECT spans FROM rollup WHERE grain = ? AND at >= ? AND type = ?", (DAY, int(since // DAY), type_)
    ):
        add_packed(spans, packed)
    return spans[1].count, spans[1].average_s()


def overdue(ledger: Ledger, before: float) -> list[tuple[str, float]]:
    """Schedules whose next time should have come before an instant: name and time (epoch seconds)."""
    rows = ledger.rows(
        "SELECT name, next_at FROM schedule WHERE next_at < ? AND next_at IS NOT NULL AND paused_at IS NULL", (before,)
    )
    return [(name, float(at)) for name, at in rows]


def folder_modes(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    """Mode and message of each drop folder, as whoever watches it says."""
    return {path: (mode, message) for path, mode, message in ledger.rows("SELECT path, mode, message FROM folder")}


# ── what events tell of ──


@dataclass(frozen=True, slots=True)
class Signal:
    """What events told of a subject: the last at `at`, epoch seconds, `n` in all."""

    subject: str
    at: float
    n: int
    message: str


def signals(ledger: Ledger, kind: Measure, since: float) -> list[Signal]:
    """What events told of since an instant."""
    rows = ledger.rows(
        "SELECT subject, at, n, message FROM alert_signal WHERE kind = ? AND at >= ? ORDER BY at DESC", (kind, since)
    )
    return [Signal(*row) for row in rows]


def listen(ledger: Ledger, forget_before: float) -> bool:
    """Take note of what new events tell of; whether there may be more. Whoever is first does it, once.

    Args:
        forget_before: what was told before this instant is forgotten.
    """
    row = ledger.row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (_MARK,))
    assert row is not None
    mark = int(row[0])
    rows = ledger.rows(
        "SELECT id, at, kind, data FROM event INDEXED BY event_of_no_job WHERE job IS NULL AND id > ? "
        "ORDER BY id LIMIT ?",
        (mark, EVENTS),
    )
    if not rows:
        return False
    with ledger.write() as tx:
        if not tx.run(
            "UPDATE meta SET value = ? WHERE key = ? AND CAST(value AS INTEGER) = ?", (rows[-1][0], _MARK, mark)
        ):
            return True  # another process has just done it
        for _, at, kind, data in rows:
            _note(tx, at, kind, json.loads(data) if data else {})
        tx.run("DELETE FROM alert_signal WHERE at < ?", (forget_before,))
    return len(rows) == EVENTS


def _note(tx: Tx, at: float, kind: str, data: dict[str, object]) -> None:
    if kind == Kind.CONSUMER_STOPPED and data.get("why") not in EXPECTED:
        _add(tx, Measure.WORKER_LOST, str(data.get("consumer")), at, str(data.get("why")))
    elif kind == Kind.SCHEDULE_MISSED and data.get("reason") != Reason.PAUSED:
        _add(tx, Measure.SCHEDULE_MISSED, str(data.get("schedule")), at, str(data.get("message")))


def _add(tx: Tx, kind: Measure, subject: str, at: float, message: str) -> None:
    tx.run(
        "INSERT INTO alert_signal VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET "
        "at = excluded.at, n = n + 1, message = excluded.message",
        (kind, subject, at, message),
    )
