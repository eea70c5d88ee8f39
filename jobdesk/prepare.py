"""From what a caller asked for to a job that is complete: submission, then its type's settings, processor, defaults."""

from typing import Any

from jobdesk.config import Config
from jobdesk.core.durations import seconds
from jobdesk.core.errors import PayloadError
from jobdesk.core.job import NewJob
from jobdesk.core.job import priority as read_priority
from jobdesk.core.processor import Processor
from jobdesk.core.retry import RetryPolicy
from jobdesk.core.submission import Submission


def complete(wanted: Submission, processor: Processor, config: Config, now: float) -> NewJob:
    """Check a submission and fill in what it leaves open; id and user stay as they are asked for, or "".

    Raises:
        PayloadError: its data does not fit the processor, or an option cannot be read.
    """
    data = processor.check(wanted.data)
    try:
        return _complete(wanted, processor, config, data, now)
    except ValueError as error:
        raise PayloadError(f"{wanted.type}: {error}") from None


def _complete(wanted: Submission, processor: Processor, config: Config, data: dict[str, Any], now: float) -> NewJob:
    own, defaults = config.types.get(wanted.type), config.defaults
    queue = wanted.queue or (own and own.queue) or processor.queue
    of_queue = config.queues.get(queue)
    timeout_s = _first(_seconds(wanted.timeout), own and own.timeout, processor.timeout_s, defaults.timeout)
    retries = _first(wanted.retries, own and own.retries, processor.retries, defaults.retries)
    if retries < 0 or timeout_s <= 0:
        raise ValueError("retries must be 0 or more, and the timeout longer than 0")
    rank = _first(wanted.priority, own and own.priority, processor.priority, of_queue and of_queue.priority, 50)
    run_at = now + (_seconds(wanted.delay) or 0.0) if wanted.run_at is None else wanted.run_at
    expires_s = _first(_seconds(wanted.expires), of_queue and of_queue.ttl)
    delay_s = _first(
        _seconds(wanted.retry_delay), own and own.retry_delay, processor.retry_delay_s, defaults.retry_delay
    )
    policy = RetryPolicy(
        delay_s=delay_s,
        backoff=_first(wanted.backoff, own and own.backoff, processor.backoff, defaults.backoff),
        factor=defaults.factor,
        max_delay_s=max(defaults.max_delay, delay_s),
        jitter=defaults.jitter,
    )
    return NewJob(
        id=wanted.id or "",
        type=wanted.type,
        queue=queue,
        data=data,
        priority=read_priority(rank),
        run_at=run_at,
        max_attempts=retries + 1,
        timeout_s=timeout_s,
        retry=policy.to_json(),
        expires_at=None if expires_s is None else run_at + expires_s,
        unique=wanted.unique,
        concurrency_key=wanted.concurrency_key,
        after=tuple(wanted.after),
        user=wanted.user,
        source=wanted.source,
        flow=wanted.flow,
        step=wanted.step,
        parent=wanted.parent,
        optional=wanted.optional,
    )


def _seconds(value: str | float | None) -> float | None:
    return None if value is None else seconds(value)


def _first(*values: Any) -> Any:
    """The first that is not None."""
    return next((value for value in values if value is not None), None)
