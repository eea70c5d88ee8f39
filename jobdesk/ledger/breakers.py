"""Circuit breakers: which services may be called now, the same for all processes of the home.

A breaker opens when too many of the latest calls failed. After a pause it is half open: as many jobs as it has
trials may call, and what comes of them closes it, or opens it for a longer pause. Everything is decided in write
transactions, of which there is one at a time, so no two processes let the same trial through.
"""

from collections.abc import Collection
from dataclasses import dataclass

from jobdesk.core.breaker import BreakerState, Policy
from jobdesk.core.calling import Called
from jobdesk.core.clock import iso
from jobdesk.core.durations import short
from jobdesk.core.events import Kind
from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger, Row, Tx

SLOTS = 10
"""Of a window: a call counts until its slot has passed, a tenth of the window sooner or later."""
BATCH = 500
"""Waiting jobs that one transaction calls back."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of a service. Instants are epoch seconds."""

    service: str
    state: BreakerState
    changed_at: float
    reason: str
    opened: int
    """How often in a row."""
    until: float | None
    """When trials begin or began; None if it is closed, or held open until somebody closes it."""
    trials: int

    @property
    def keeps(self) -> str:
        """Why a job that needs the service waits, in words."""
        if self.state is BreakerState.HALF_OPEN:
            return f"service {self.service} was down ({self.reason}) and others try it now"
        if self.until is None:
            return f"service {self.service} is held open: {self.reason}"
        return f"service {self.service} is down ({self.reason}); it is tried again at {iso(self.until)}"


_ROW = "SELECT b.service, b.state, b.changed_at, b.reason, b.opened, b.until, b.trials, b.pause_s FROM breaker b"
_LIVE = "EXISTS (SELECT 1 FROM job j WHERE j.seq = t.job AND j.fence = t.fence AND j.state = 'processing')"


def _breaker(row: Row, now: float) -> Breaker:
    service, word, changed_at, reason, opened, until, trials, pause_s = row
    state = BreakerState(word)
    if state is BreakerState.OPEN and until is not None and not now < until <= now + (pause_s or 0.0):
        state = BreakerState.HALF_OPEN  # one further ahead than its pause is from before the clock was set back
    return Breaker(service, state, changed_at, reason, opened, until, trials)


def every(ledger: Ledger, now: float) -> list[Breaker]:
    """The breakers of all services that ever failed, by name; all others are closed."""
    return [_breaker(row, now) for row in ledger.rows(f"{_ROW} ORDER BY b.service")]


def find(source: Ledger | Tx, service: str, now: float) -> Breaker | None:
    """The breaker of a service; None if it never failed."""
    row = source.row(f"{_ROW} WHERE b.service = ?", (service,))
    return None if row is None else _breaker(row, now)


def shut(ledger: Ledger, service: str, now: float) -> Breaker | None:
    """The breaker that may keep a job from the service, open or half open; None if nothing keeps it."""
    found = find(ledger, service, now)
    return None if found is None or found.state is BreakerState.CLOSED else found


def any_shut(ledger: Ledger) -> bool:
    """Whether a breaker is open or half open; costs a look at a table that is nearly always empty."""
    return ledger.row("SELECT 1 FROM breaker WHERE state = 'open' LIMIT 1") is not None


# ── what jobs may do ──


def room(tx: Tx) -> dict[str, int]:
    """How many further jobs each service takes whose breaker is not closed; empty if all are."""
    return {
        row[0]: _left(tx, found) if found.state is BreakerState.HALF_OPEN else 0
        for row in tx.rows(f"{_ROW} WHERE b.state = 'open'")
        if (found := _breaker(row, tx.now))
    }


def _left(tx: Tx, breaker: Breaker) -> int:
    taken = tx.row(
        f"SELECT count(*) FROM breaker_trial t WHERE t.service = ? AND (t.ok OR {_LIVE})", (breaker.service,)
    )
    return max(0, breaker.trials - (int(taken[0]) if taken else 0))


def is_tried(ledger: Ledger, service: str) -> bool:
    """Whether a job is on trial at a half open service now."""
    return ledger.row(f"SELECT 1 FROM breaker_trial t WHERE t.service = ? AND {_LIVE} LIMIT 1", (service,)) is not None


def on_trial(tx: Tx, service: str, seq: int, fence: int) -> None:
    """A job was let through to a half open service."""
    tx.run("INSERT OR IGNORE INTO breaker_trial (service, job, fence) VALUES (?, ?, ?)", (service, seq, fence))
    tx.run("DELETE FROM breaker_wait WHERE service = ? AND job = ?", (service, seq))


def admit(ledger: Ledger, service: str, job: Job) -> Breaker | None:
    """Let a running job call a service: None, or the breaker that keeps it. Costs a look where none is open."""
    if shut(ledger, service, ledger.clock.now()) is None:
        return None
    with ledger.write() as tx:
        found = find(tx, service, tx.now)
        if found is None or found.state is BreakerState.CLOSED or _is_on_trial(tx, service, job):
            return None
        if found.state is BreakerState.HALF_OPEN and _left(tx, found):
            on_trial(tx, service, job.seq, job.fence)
            return None
        return found


def _is_on_trial(tx: Tx, service: str, job: Job) -> bool:
    values = (service, job.seq, job.fence)
    return tx.row("SELECT 1 FROM breaker_trial WHERE service = ? AND job = ? AND fence = ?", values) is not None


# ── what comes of calls ──


def report(tx: Tx, policy: Policy, called: Called, job: Job) -> bool:
    """Note what came of a call by a job that runs. True: it was on trial, and the service is still down."""
    found = find(tx, called.service, tx.now)
    if found is None or found.state is BreakerState.CLOSED:
        calls, failures = _count(tx, policy, called)
        if called.failure is not None and policy.opens(calls, failures):
            why = f"{failures} of {calls} calls failed in {short(policy.window_s)}, the last with {called.failure}"
            _open(tx, called.service, why, 1, policy)
        return False
    if not _is_on_trial(tx, called.service, job):
        return False  # it was under way when the breaker opened
    if called.failure is not None:
        _open(tx, called.service, called.failure, found.opened + 1, policy)
        return True
    values = (called.service, job.seq, job.fence)
    tx.run("UPDATE breaker_trial SET ok = 1 WHERE service = ? AND job = ? AND fence = ?", values)
    passed = tx.row("SELECT count(*) FROM breaker_trial WHERE service = ? AND ok", (called.service,))
    if passed and passed[0] >= found.trials:
        _close(tx, called.service, "1 trial succeeded" if found.trials == 1 else f"{found.trials} trials succeeded")
    return False


def _count(tx: Tx, policy: Policy, called: Called) -> tuple[int, int]:
    """Add a call; how many calls there were in the window, and how many failed."""
    slot = int(tx.now * SLOTS / policy.window_s)
    within = (called.service, slot - SLOTS, slot)
    tx.run("DELETE FROM breaker_call WHERE service = ? AND (slot <= ? OR slot > ?)", within)
    tx.run(
        "INSERT INTO breaker_call VALUES (?, ?, 1, ?) "
        "ON CONFLICT DO UPDATE SET calls = calls + 1, failures = failures + excluded.failures",
        (called.service, slot, called.failure is not None),
    )
    row = tx.row("SELECT sum(calls), sum(failures) FROM breaker_call WHERE service = ?", (called.service,))
    assert row is not None
    return int(row[0]), int(row[1])


def lately(ledger: Ledger, service: str, policy: Policy, now: float) -> tuple[int, int]:
    """How many calls there were in the window while the breaker was closed, and how many failed."""
    slot = int(now * SLOTS / policy.window_s)
    row = ledger.row(
        "SELECT coalesce(sum(calls), 0), coalesce(sum(failures), 0) FROM breaker_call "
        "WHERE service = ? AND slot > ? AND slot <= ?",
        (service, slot - SLOTS, slot),
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


# ── by hand ──


def open_(tx: Tx, service: str, why: str) -> bool:
    """Let nothing through until somebody closes it. False: it was held already."""
    found = find(tx, service, tx.now)
    if found is not None and found.state is BreakerState.OPEN and found.until is None:
        return False
    _open(tx, service, why, 1, None)
    return True


def close(tx: Tx, service: str, why: str) -> bool:
    """Let everything through. False: it was closed already."""
    found = find(tx, service, tx.now)
    if found is None or found.state is BreakerState.CLOSED:
        return False
    _close(tx, service, why)
    return True


def _open(tx: Tx, service: str, why: str, opened: int, policy: Policy | None) -> None:
    pause_s = None if policy is None else policy.pause_s(opened)
    until = None if pause_s is None else tx.now + pause_s
    tx.run(
        "INSERT INTO breaker (service, state, changed_at, reason, opened, until, pause_s, trials) "
        "VALUES (?, 'open', ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = 'open', changed_at = "
        "excluded.changed_at, reason = excluded.reason, opened = excluded.opened, until = excluded.until, "
        "pause_s = excluded.pause_s, trials = excluded.trials",
        (service, tx.now, why, opened, until, pause_s, 1 if policy is None else policy.trials),
    )
    _forget(tx, service)
    tx.event(Kind.BREAKER_OPENED, service=service, reason=why, opened=opened, until=iso(until))


def _close(tx: Tx, service: str, why: str) -> None:
    tx.run(
        "UPDATE breaker SET state = 'closed', changed_at = ?, reason = ?, opened = 0, until = NULL, pause_s = NULL "
        "WHERE service = ?",
        (tx.now, why, service),
    )
    _forget(tx, service)
    tx.event(Kind.BREAKER_CLOSED, service=service, reason=why)
    call(tx, service, BATCH)
    tx.wakes = True


def _forget(tx: Tx, service: str) -> None:
    for table in ("breaker_trial", "breaker_call"):
        tx.run(f"DELETE FROM {table} WHERE service = ?", (service,))


def call(tx: Tx, service: str, most: int) -> int:
    """Let the first jobs that wait for a service (see `ledger.waiting`) look again now; how many were looked at."""
    rows = tx.rows(
        "SELECT job, fence FROM breaker_wait WHERE service = ? ORDER BY due_at, job LIMIT ?", (service, BATCH)
    )
    looked = came = 0
    for seq, fence in rows:
        if came == most:
            break
        looked += 1
        came += tx.run(  # none that was cancelled meanwhile
            "UPDATE job SET run_at = min(run_at, ?1) WHERE seq = ?2 AND fence = ?3 AND state = 'scheduled'",
            (tx.now, seq, fence),
        )
        tx.run("DELETE FROM breaker_wait WHERE service = ? AND job = ?", (service, seq))
    tx.wakes = tx.wakes or bool(came)
    return looked


def down_until(ledger: Ledger, due_before: float) -> Collection[str]:
    """Services that take nothing before then, epoch seconds."""
    return {
        one.service
        for one in every(ledger, ledger.clock.now())
        if one.state is BreakerState.OPEN and (one.until is None or one.until >= due_before)
    }
