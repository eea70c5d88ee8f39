"""Jobs that wait for a service: put off at no cost, and called again when it is tried or works."""

from jobdesk.core.breaker import BreakerState
from jobdesk.core.job import Job
from jobdesk.ledger import breakers, moves
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.moves import Usage

LATER_S = 600.0
"""When a job looks by itself whom nobody called, longer than the first of them."""
HELD_S = 86_400.0
_WAITS = "FROM breaker_wait w JOIN job j ON j.seq = w.job AND j.fence = w.fence AND j.state = 'scheduled'"
"""What was cancelled meanwhile waits no more."""
AFTER_OTHERS_S = 2.0
"""How much later than others one looks again that has tried in vain: it may be its own request that fails."""


def wait(tx: Tx, job: Job, service: str, why: str, usage: Usage, after_s: float = 0.0) -> bool:
    """The claimed job needs a service whose breaker is not closed: it comes back, with its attempt. False: too late.

    As many as there are trials come back when the pause is over; the others when the breaker closes.

    Args:
        after_s: how much later than the end of the pause it comes, if no others wait; they go first.
    """
    delay_s = _delay_s(tx, job, breakers.find(tx, service, tx.now), after_s)
    if not moves.snooze(tx, job, delay_s, why, usage):
        return False
    tx.run("INSERT OR REPLACE INTO breaker_wait VALUES (?, ?, ?, ?)", (service, job.seq, job.fence, tx.now + delay_s))
    return True


def _delay_s(tx: Tx, job: Job, found: breakers.Breaker | None, after_s: float) -> float:
    if found is None or found.state is BreakerState.CLOSED:
        return 0.0
    if found.state is BreakerState.HALF_OPEN:
        return LATER_S
    if found.until is None:
        return HELD_S
    if after_s:
        others = tx.row(f"SELECT 1 {_WAITS} WHERE w.service = ? AND w.job <> ? LIMIT 1", (found.service, job.seq))
        return found.until - tx.now + (after_s if others is None else LATER_S)
    first = tx.row(
        f"SELECT count(*) FROM (SELECT 1 {_WAITS} WHERE w.service = ? AND w.due_at <= ? LIMIT ?)",
        (found.service, found.until, found.trials),
    )
    return found.until - tx.now + (LATER_S if first and first[0] >= found.trials else 0.0)


def call_due(ledger: Ledger) -> tuple[bool, bool]:
    """Call those whose service is tried or works, a batch of each; whether anybody waits, and whether to go on."""
    services = [str(service) for (service,) in ledger.rows("SELECT DISTINCT service FROM breaker_wait")]
    more = False
    for service in services:
        found = breakers.find(ledger, service, ledger.clock.now())
        if found is not None and found.state is BreakerState.OPEN:
            continue
        with ledger.write() as tx:
            left = breakers.room(tx).get(service)
            called = breakers.call(tx, service, breakers.BATCH if left is None else left)
            more = more or (left is None and called == breakers.BATCH)
    return bool(services), more


def waiting(ledger: Ledger, service: str) -> int:
    """How many jobs were put off until the service works."""
    row = ledger.row(f"SELECT count(*) {_WAITS} WHERE w.service = ?", (service,))
    return int(row[0]) if row else 0


def is_wanted(ledger: Ledger, service: str) -> bool:
    """Whether a job was put off until the service works, or is trying it."""
    return waiting(ledger, service) > 0 or breakers.is_tried(ledger, service)


def waits_for(ledger: Ledger, job: Job) -> list[str]:
    """The services that a job was put off for."""
    rows = ledger.rows("SELECT service FROM breaker_wait WHERE job = ? AND fence = ?", (job.seq, job.fence))
    return [str(service) for (service,) in rows]
