"""From what a caller asked for to a job that is complete: submission, then its type's settings, processor, defaults."""

from dataclasses import replace
from typing import Any, get_args

from jobdesk.core.durations import seconds
from jobdesk.core.errors import PayloadError
from jobdesk.core.job import Job, NewJob, State
from jobdesk.core.job import priority as read_priority
from jobdesk.core.nearest import nearest
from jobdesk.core.processor import Processor
from jobdesk.core.retry import Backoff, RetryPolicy
from jobdesk.core.submission import Submission
from jobdesk.ledger.follow import flow_of
from jobdesk.sections import Config, QueueSettings


def complete(wanted: Submission, processor: Processor, config: Config, now: float) -> NewJob:
    """Check a submission and fill in what it leaves open; id and user stay as they are asked for, or "".

    Raises:
        PayloadError: its data does not fit the processor, or an option cannot be read.
    """
    data = processor.check(wanted.data, later={str(binding["at"][0]) for binding in wanted.bindings})
    try:
        return _complete(wanted, processor, config, data, now)
    except ValueError as error:
        raise PayloadError(f"{wanted.type}: {error}") from None


def child_of(job: Job, wanted: Submission) -> Submission:
    """A submission made by a running job: it belongs to its flow (which starts with it) and to its user."""
    return replace(wanted, parent=job.id, flow=job.flow or flow_of(job.id), user=job.user, source=job.source)


def _complete(wanted: Submission, processor: Processor, config: Config, data: dict[str, Any], now: float) -> NewJob:
    own, defaults = config.types.get(wanted.type), config.defaults
    queue = wanted.queue or (own and own.queue) or processor.queue
    of_queue = config.queues.get(queue)
    timeout_s = _first(_seconds(wanted.timeout), own and own.timeout, processor.timeout_s, defaults.timeout)
    retries = _first(
        wanted.retries, own and own.retries, processor.retries, of_queue and of_queue.retries, defaults.retries
    )
    if retries < 0 or timeout_s <= 0:
        raise ValueError("retries must be 0 or more, and the timeout longer than 0")
    if wanted.on_parent_failure not in ("cancel", "ignore"):
        raise ValueError(f"'{wanted.on_parent_failure}' does not fit on_parent_failure: it takes cancel or ignore")
    rank = _first(wanted.priority, own and own.priority, processor.priority, of_queue and of_queue.priority, 50)
    run_at = now + (_seconds(wanted.delay) or 0.0) if wanted.delay is not None else wanted.run_at
    expires_s = _first(_seconds(wanted.expires), of_queue and of_queue.ttl)
    return NewJob(
        id=wanted.id or "",
        type=wanted.type,
        queue=queue,
        data=data,
        priority=read_priority(rank),
        run_at=run_at,
        max_attempts=retries + 1,
        timeout_s=timeout_s,
        retry=_policy(wanted, processor, config, of_queue).to_json(),
        expires_at=None if expires_s is None else (now if run_at is None else run_at) + expires_s,
        unique=wanted.unique,
        concurrency_key=wanted.concurrency_key,
        unique_for_s=_seconds(wanted.unique_for),
        unique_states=_states(wanted),
        after=tuple(wanted.after),
        user=wanted.user,
        source=wanted.source,
        flow=wanted.flow,
        step=wanted.step,
        parent=wanted.parent,
        optional=wanted.optional,
        on_parent_failure=wanted.on_parent_failure,
        bindings=wanted.bindings,
    )


def _policy(wanted: Submission, processor: Processor, config: Config, of_queue: QueueSettings | None) -> RetryPolicy:
    """What the job says itself, else its type's settings, its processor, its queue, the defaults."""
    own, defaults = config.types.get(wanted.type), config.defaults
    delay_s = _first(
        _seconds(wanted.retry_delay),
        own and own.retry_delay,
        processor.retry_delay_s,
        of_queue and of_queue.retry_delay,
        defaults.retry_delay,
    )
    cap_s = _first(_seconds(wanted.max_delay), own and own.max_delay, of_queue and of_queue.max_delay)
    factor = _first(wanted.factor, own and own.factor, of_queue and of_queue.factor, defaults.factor)
    jitter = _first(wanted.jitter, own and own.jitter, of_queue and of_queue.jitter, defaults.jitter)
    backoff = _first(
        wanted.backoff, own and own.backoff, processor.backoff, of_queue and of_queue.backoff, defaults.backoff
    )
    if backoff not in get_args(Backoff):
        raise ValueError(f"'{backoff}' is not a backoff: use {', '.join(get_args(Backoff))}")
    if not factor >= 1:
        raise ValueError(f"factor is {factor}: it must be 1 or more")
    if not 0 <= jitter <= 1:
        raise ValueError(f"jitter is {jitter}: it must be from 0 to 1")
    return RetryPolicy(
        delay_s=delay_s,
        backoff=backoff,
        factor=float(factor),
        max_delay_s=max(defaults.max_delay, delay_s) if cap_s is None else cap_s,
        jitter=float(jitter),
    )


def _states(wanted: Submission) -> tuple[State, ...]:
    if (wanted.unique_for is not None or wanted.unique_states) and wanted.unique is None:
        raise ValueError("unique_for and unique_states need a key: give unique too")
    for word in wanted.unique_states:
        if word not in list(State):
            raise ValueError(f"'{word}' is not a state{nearest(word, list(State))}; the states are {', '.join(State)}")
    return tuple(State(word) for word in wanted.unique_states)


def _seconds(value: str | float | None) -> float | None:
    return None if value is None else seconds(value)


def _first(*values: Any) -> Any:
    """The first that is not None."""
    return next((value for value in values if value is not None), None)
