"""Why a job does not run yet, in plain sentences: `jobdesk jobs why ID`."""

from collections.abc import Collection, Sequence

from jobdesk.core.clock import iso
from jobdesk.core.durations import short
from jobdesk.core.job import FINAL, Job, State
from jobdesk.ledger import breakers, rates, reads, speaking, waiting, workers
from jobdesk.ledger.ahead import MOST, ahead, key_holder, open_parents
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.desk_health import SILENT_S

_NAMED = 5
"""Jobs that a sentence names before it says how many more there are."""
_NOBODY = "No consumer runs: start one with jobdesk --consumer, or open the terminal app with jobdesk."


def why(
    ledger: Ledger,
    job: Job,
    types: Collection[str],
    now: float,
    *,
    consumers: Sequence[Consumer] | None = None,
    service: str | None = None,
) -> list[str]:
    """Sentences, the most telling first; never none.

    Args:
        types: job types that have a processor.
        consumers: those that are alive; None takes the ledger's word for it.
        service: what its type needs.
    """
    if job.state in FINAL:
        return [_ended(job)]
    alive = workers.running(ledger) if consumers is None else consumers
    if job.state is State.PROCESSING:
        return _running(ledger, job, now, alive)
    said = [f"Somebody holds it: it waits until `jobdesk jobs release {job.id}`."] if job.held else []
    put_off = _services(ledger, job, service, now)
    said += put_off
    if not put_off or job.state is not State.SCHEDULED:  # who was put off for a service is called when it works
        said += _waits(ledger, job, now)
    said += _limits(ledger, job, now)
    said += _queue(ledger, job, alive)
    said += _consumers(job, alive, now)
    if job.type not in types:
        said.append(f"No processor has its type {job.type}: it will fail when a worker takes it.")
    if not said:
        said.append("Nothing keeps it: a free worker takes it at once.")
    return said


def _ended(job: Job) -> str:
    at = iso(job.finished_at)
    again = f"to run it again: jobdesk jobs retry {job.id}"
    if job.state is State.COMPLETED:
        return f"It has run already and completed at {at}; {again}."
    reason = f": {_one_line(job.error.message)}" if job.error and job.error.message else ""
    if job.state is State.FAILED:
        tries = "1 attempt" if job.attempt == 1 else f"{job.attempt} attempts"
        return f"It failed at {at} after {tries}{reason}; {again}."
    if job.state is State.EXPIRED:
        return f"It expired at {at}: its time to start passed while it waited; {again}."
    return f"It was cancelled at {at}{reason}; {again}."


def _running(ledger: Ledger, job: Job, now: float, alive: Sequence[Consumer]) -> list[str]:
    since = short(now - (job.started_at or now))
    consumer = (job.worker or "").partition("/")[0]
    if consumer not in {one.id for one in alive}:
        lost = f"It does not run: {consumer}, which took it {since} ago, is gone; the next consumer takes it back."
        return [lost, *([] if alive else [_NOBODY])]
    said = [f"It runs now: attempt {job.attempt} of {job.max_attempts} on {job.worker}, for {since}."]
    if (pause := speaking.paused(ledger, job)) is not None:
        said.append(f"It was paused by {pause[1]} {short(now - pause[0])} ago: jobdesk jobs continue {job.id}")
    if job.cancel_requested_at is not None:
        said.append(f"It was asked to stop {short(now - job.cancel_requested_at)} ago and has not yet.")
    return said


def _waits(ledger: Ledger, job: Job, now: float) -> list[str]:
    said = []
    if job.state is State.BLOCKED and (parents := open_parents(ledger, job)):
        named = ", ".join(f"{one.type} ({one.id}), which is {one.state}" for one in parents[:_NAMED])
        more = f", and {len(parents) - _NAMED} more" if len(parents) > _NAMED else ""
        said.append(f"It waits for {named}{more}.")
    if job.state is State.RETRYING:
        reason = f" ({_one_line(job.error.message)})" if job.error else ""
        said.append(f"Attempt {job.attempt} of {job.max_attempts} failed{reason}; it waits before the next.")
    if job.state is not State.PENDING or job.ready_at is None:
        if job.run_at > now:
            said.append(f"It is due at {iso(job.run_at)}, in {short(job.run_at - now)}.")
        elif job.state is not State.BLOCKED:
            said.append(f"It fell due {short(now - job.run_at)} ago and becomes ready as soon as a consumer looks.")
    if job.expires_at is not None and job.expires_at <= now:
        said.append(f"Its time to start passed at {iso(job.expires_at)}: it will expire.")
    return said


def _services(ledger: Ledger, job: Job, needed: str | None, now: float) -> list[str]:
    names = dict.fromkeys([*([needed] if needed else []), *waiting.waits_for(ledger, job)])
    kept = [found for name in names if (found := breakers.shut(ledger, name, now)) is not None]
    return [f"Its {found.keeps}; jobdesk services show {found.service}" for found in kept]


def _limits(ledger: Ledger, job: Job, now: float) -> list[str]:
    said = []
    named: list[tuple[rates.Scope, str, str]] = [
        ("queue", job.queue, f"Its queue {job.queue}"),
        ("type", job.type, f"Its type {job.type}"),
    ]
    for scope, name, what in named:
        if closed := rates.closed_until(ledger, scope, name, now):
            limit, until = closed
            said.append(f"{what} may start {limit}: the next at {iso(until)}, in {short(until - now)}.")
    if holder := key_holder(ledger, job):
        said.append(f"Its concurrency key {job.concurrency_key} is held by {holder}, which runs now.")
    return said


def _queue(ledger: Ledger, job: Job, alive: Sequence[Consumer]) -> list[str]:
    queue = reads.queue(ledger, job.queue)
    said = []
    if queue.paused_at is not None:
        by = f" by {queue.paused_by}" if queue.paused_by else ""
        said.append(
            f"Its queue {queue.name} was paused{by} at {iso(queue.paused_at)}: jobdesk queues resume {queue.name}"
        )
    if job.state is not State.PENDING:
        return said
    running = queue.counts[State.PROCESSING]
    if queue.concurrency is not None and running >= queue.concurrency:
        said.append(f"Its queue {queue.name} may run {queue.concurrency} at once, and {running} run now.")
    if first := ahead(ledger, job):
        number = f"{first:,} or more" if first == MOST else f"{first:,}"
        said.append(f"{number} ready job{'s' if first > 1 else ''} of its queue {'go' if first > 1 else 'goes'} first.")
    size = sum(one.workers for one in alive)
    busy = sum(each.counts[State.PROCESSING] for each in reads.queues(ledger))
    if size and busy >= size:
        said.append(f"All {size} workers are busy." if size > 1 else "The one worker is busy.")
    return said


def _consumers(job: Job, alive: Sequence[Consumer], now: float) -> list[str]:
    if not alive:
        return [_NOBODY]
    fitting = [one for one in alive if one.queues is None or job.queue in one.queues]
    if not fitting:
        return [f"No running consumer takes jobs of its queue {job.queue}: start one without --queues."]
    last = max(fitting, key=lambda one: one.heartbeat_at)
    if now - last.heartbeat_at > SILENT_S:
        pid = last.pid
        whose = (
            f"The consumer {pid}" if len(fitting) == 1 else f"Of {len(fitting)} consumers the last one heard, {pid},"
        )
        return [f"{whose} has been silent for {short(now - last.heartbeat_at)}: see jobdesk doctor."]
    return []


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
