"""What happens, in sentences: for ears as well as eyes, so the word that matters comes first and ids come last."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobdesk.core.durations import short
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import Job
from jobdesk.core.subject import subject
from jobdesk.core.text import without_colours
from jobdesk.ledger.workers import Consumer

MOST_ALIKE = 20
"""Jobs that start, or complete, at one look and are told one by one; of more only their number is."""

NEWS = frozenset(
    {
        Kind.JOB_STARTED, Kind.JOB_RETRY, Kind.JOB_COMPLETED, Kind.JOB_FAILED, Kind.JOB_CANCELLED, Kind.JOB_EXPIRED,
        Kind.JOB_STALLED, Kind.FILE_ACCEPTED, Kind.FILE_REJECTED, Kind.FILE_DUPLICATE, Kind.ALERT_RAISED,
        Kind.ALERT_CLEARED, Kind.QUEUE_PAUSED, Kind.QUEUE_RESUMED, Kind.BREAKER_OPENED, Kind.BREAKER_CLOSED,
        Kind.SCHEDULE_MISSED, Kind.CONSUMER_STARTED, Kind.CONSUMER_STOPPED,
    }
)  # fmt: skip
_MANY = {Kind.JOB_STARTED: "started", Kind.JOB_COMPLETED: "finished"}
_ENDS = frozenset({Kind.JOB_COMPLETED, Kind.JOB_FAILED, Kind.JOB_CANCELLED, Kind.JOB_RETRY, Kind.JOB_STALLED})


def standing(home: str, workers: Sequence[Consumer], counts: Mapping[str, int], alerts: Sequence[str]) -> list[str]:
    """How the desk stands, as lines."""
    if workers:
        who = ", ".join(f"process {one.pid} with {one.workers} workers" for one in workers)
    else:
        who = "nobody; `jobdesk --consumer` runs jobs"
    said = [f"watching {home}", f"working: {who}", counted(counts)]
    return said + ([f"alert: {message}" for message in alerts] or ["no alerts"])


def counted(counts: Mapping[str, int]) -> str:
    """Jobs by state; states without any are left out."""
    said = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    return f"jobs: {said or 'none'}"


def about(job: Job | None) -> dict[str, Any]:
    """What a record says of its job besides the event."""
    return {} if job is None else {"type": job.type, "subject": subject(job.data)}


def lines(events: Sequence[Event], jobs: Mapping[str, Job]) -> Iterator[tuple[float, str]]:
    """When and what, of events in their order. A start is left out where its end is told as well."""
    ended = {event.job_id for event in events if event.kind in _ENDS}
    told = [one for one in events if one.kind is not Kind.JOB_STARTED or one.job_id not in ended]
    often = Counter(event.kind for event in told if event.kind in _MANY)
    for event in told:
        if often[event.kind] <= MOST_ALIKE:
            yield event.at, _sentence(event, jobs.get(event.job_id or ""))
    for kind, count in often.items():
        if count > MOST_ALIKE:
            yield told[-1].at, f"{_MANY[kind]} {count:,} jobs"


def _sentence(event: Event, job: Job | None) -> str:
    data = event.data
    why = without_colours(str(data.get("message") or data.get("why") or data.get("reason") or ""))
    what = _what(event, job)
    match event.kind:
        case Kind.JOB_STARTED:
            return f"started {what}" + (f", attempt {data['attempt']}" if data.get("attempt", 1) > 1 else "")
        case Kind.JOB_COMPLETED:
            return f"finished {what}" + (f" in {short(took)}" if (took := _took(event, job)) is not None else "")
        case Kind.JOB_FAILED:
            return f"failed {what}: {_error(data)}{why}, {event.job_id}"
        case Kind.JOB_RETRY if data.get("by_hand"):
            return f"retried by hand {what}, {event.job_id}"
        case Kind.JOB_RETRY if data.get("error"):
            return f"retrying {what} in {short(data.get('delay_s'))}: {_error(data)}{why}, {event.job_id}"
        case Kind.JOB_RETRY:
            return f"put back {what}: {why}, {event.job_id}"
        case Kind.JOB_CANCELLED | Kind.JOB_STALLED:
            return f"{event.kind.value.removeprefix('job_')} {what}: {why}, {event.job_id}"
        case Kind.JOB_EXPIRED:
            return f"expired {what}: it waited too long, {event.job_id}"
        case Kind.FILE_ACCEPTED | Kind.FILE_DUPLICATE:
            return f"{'accepted' if event.kind is Kind.FILE_ACCEPTED else 'duplicate'} file {data.get('path')}"
        case Kind.FILE_REJECTED:
            return f"rejected file {data.get('path')}: {data.get('reason')}: {why}"
        case Kind.ALERT_RAISED:
            return f"alert, {data.get('severity')}: {why}"
        case Kind.ALERT_CLEARED:
            return f"alert is over: {data.get('rule')}, {data.get('subject')}"
        case Kind.CONSUMER_STARTED:
            return f"process {data.get('pid')} works with {data.get('workers')} workers"
        case Kind.CONSUMER_STOPPED:
            return f"a consumer works no longer: {why}"
        case _:
            name = event.queue or data.get("service") or data.get("schedule") or data.get("name") or ""
            return f"{event.kind.value.replace('_', ' ')} {name}" + (f": {why}" if why else "")


def _what(event: Event, job: Job | None) -> str:
    if job is None:
        return f"{event.data.get('type') or 'a job'}"
    return f"{job.type} {subject(job.data)}".rstrip()


def _error(data: Mapping[str, Any]) -> str:
    return f"{data['error']}: " if data.get("error") else ""


def _took(event: Event, job: Job | None) -> float | None:
    """Seconds; None if the job has begun anew since."""
    if job is None or job.started_at is None or job.started_at > event.at:
        return None
    return event.at - job.started_at
