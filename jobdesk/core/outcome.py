"""What a processor may answer, and how each answer is understood.

A returned JSON value is the result; `{"success": false, …}` is a failure in the words of the
reference systems. `Retry`, `Reject` and `Snooze` are raised; what any other exception means,
`core.verdict` says.
"""

import hashlib
import re
import traceback as tracebacks
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jobdesk.core.durations import seconds
from jobdesk.core.job import JobError
from jobdesk.core.redaction import redact
from jobdesk.core.text import clean, to_json
from jobdesk.core.verdict import retry_after_s, retryable

RESULT_LIMIT_BYTES = 1_000_000
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"|/\S+", re.I)


class Retry(Exception):
    """Raise it to be tried again; `delay` ("30s" or seconds) replaces the wait of the policy."""

    def __init__(self, why: str, delay: str | float | None = None) -> None:
        super().__init__(why)
        self.delay_s = None if delay is None else seconds(delay)


class Reject(Exception):
    """Raise it when trying again cannot help; `reason` is a short code that others may act on."""

    def __init__(self, why: str, reason: str = "Reject") -> None:
        super().__init__(why)
        self.reason = reason


class Snooze(Exception):
    """Raise it to come back later without using up an attempt."""

    def __init__(self, delay: str | float, why: str = "snoozed") -> None:
        super().__init__(why)
        self.delay_s = seconds(delay)


class ServiceDown(Snooze):
    """The breaker of a service is open. Let it through, and the job waits for the service at no cost."""

    def __init__(self, service: str, why: str) -> None:
        super().__init__(0.0, why)
        self.service = service


class Cancelled(Exception):
    """Raised by `ctx.checkpoint()` when the job was cancelled or its time is up."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The job is done; `result` is a JSON value."""

    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; `delay_s` is the processor's own wish for the next, `result` what it answered still."""

    error: JobError
    delay_s: float | None = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Snoozed:
    """Not now: again in `delay_s`, with the attempt given back; with a `service`, when that works again.

    Then `delay_s` is how much later than others that wait for it.
    """

    delay_s: float
    why: str
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job was cancelled while it ran."""

    why: str


Outcome = Completed | Failed | Snoozed | Stopped


def of_result(value: Any) -> Outcome:
    """Understand what a processor returned."""
    if value is None:
        return Completed(None)
    problem = _unfit(value)
    if problem is not None:
        return Failed(failure("BadResult", problem, retryable=False))
    if isinstance(value, Mapping) and value.get("success") is False:
        delay_ms = value.get("retryDelay")
        return Failed(
            failure(
                str(value.get("type", "Failed")),
                str(value.get("error", "the processor answered success: false without an error")),
                retryable=bool(value.get("retryable", True)),
            ),
            delay_s=_delay(delay_ms),
            result=value,
        )
    return Completed(value)


def _delay(milliseconds: Any) -> float | None:
    """The processor's own wait in seconds, or None where it says none that can be understood."""
    try:
        return seconds(float(milliseconds) / 1000)
    except (TypeError, ValueError):
        return None


def _unfit(value: Any) -> str | None:
    """Why a value cannot be a result, or None."""
    try:
        text = to_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        return f"the result is not a JSON value: {error}"
    if len(text) > RESULT_LIMIT_BYTES:
        return (
            f"the result is {len(text):,} characters of JSON, more than {RESULT_LIMIT_BYTES:,}: "
            "write a file and return its path"
        )
    return None


def of_exception(
    error: BaseException,
    permanent: tuple[type[BaseException], ...] = (),
    *,
    permanent_names: Collection[str] = (),
    retry_on: Collection[str] = (),
    now: float = 0.0,
) -> Outcome:
    """Understand what a processor raised.

    Args:
        permanent: classes that its declaration says not to retry.
        permanent_names: the same by name, of the settings.
        retry_on: names of classes to retry in any case, of the settings.
        now: epoch seconds, to read a date in `Retry-After`.
    """
    if isinstance(error, Snooze):
        return Snoozed(error.delay_s, str(error), error.service if isinstance(error, ServiceDown) else None)
    if isinstance(error, Cancelled):
        return Stopped(str(error) or "cancelled")
    if isinstance(error, Retry):
        return Failed(failure("Retry", str(error)), delay_s=error.delay_s)
    if isinstance(error, Reject):
        return Failed(failure(error.reason, str(error), retryable=False))
    trace = "".join(tracebacks.format_exception(error))
    never = {*permanent_names, *(f"{kind.__module__}.{kind.__qualname__}" for kind in permanent)}
    again = retryable(error, never, retry_on)
    frames = tracebacks.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].name}" if frames else ""
    message = str(error) or type(error).__name__
    failed = failure(type(error).__name__, message, trace, where=where, retryable=again)
    return Failed(failed, delay_s=retry_after_s(error, now) if again else None)


def failure(kind: str, message: str, trace: str | None = None, *, where: str = "", retryable: bool = True) -> JobError:
    """A JobError without secrets, and its fingerprint: kind, place, the message without numbers, quotes and paths."""
    message, trace = redact(message), redact(trace) if trace else None  # before anything is cut or made of it
    plain = _NUMBERS.sub("#", message)[:200]
    mark = hashlib.blake2s(clean(f"{kind}\0{where}\0{plain}").encode(), digest_size=6).hexdigest()
    kept = clean(trace[-30_000:]) if trace else None
    return JobError(clean(kind[:200]), clean(message[:10_000]), kept, mark, retryable)
