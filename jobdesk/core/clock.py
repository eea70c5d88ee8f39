"""The one place that reads the time. Everything else is given a Clock, so tests own it."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a component may ask of time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC; may step when the machine's clock is set."""

    def monotonic(self) -> float:
        """Seconds that never step back; only differences mean anything."""

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or `timeout_s` passed; True if it was set."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(timeout_s)


def iso(instant: float | None) -> str | None:
    """Write an instant as ISO 8601 UTC with milliseconds and Z; None stays None."""
    if instant is None:
        return None
    try:
        at = datetime.fromtimestamp(instant, UTC)
    except (OverflowError, ValueError, OSError):  # a row that something else wrote must not break a list
        return "9999-12-31T23:59:59.999Z"
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def instant(text: str) -> float:
    """Read an ISO 8601 instant as epoch seconds; one without a zone is this machine's local time.

    Raises:
        ValueError: `text` is not ISO 8601.
    """
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.astimezone()).timestamp()


def since_boot() -> float | None:
    """Seconds since the machine was started, its sleep included: nobody sets this clock. None where there is none."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME)
