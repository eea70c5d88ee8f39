"""When calls of a service stop and begin again: the thresholds of a circuit breaker, as the settings have them."""

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """What a breaker lets through."""

    CLOSED = "closed"
    """Everything: the service works as far as anybody knows."""
    OPEN = "open"
    """Nothing: it has failed too often, or somebody opened it; until its pause is over."""
    HALF_OPEN = "half_open"
    """A few calls on trial: their answers decide."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds of one service. Spans in seconds; see `[breaker]` in the settings."""

    failures: int = 5
    window_s: float = 60.0
    minimum_calls: int = 5
    failure_rate: float = 0.5
    open_for_s: float = 30.0
    max_open_s: float = 600.0
    trials: int = 1

    def opens(self, calls: int, failures: int) -> bool:
        """Whether so many failures among so many calls of the window are too many."""
        return failures >= self.failures and calls >= self.minimum_calls and failures >= self.failure_rate * calls

    def pause_s(self, opened: int) -> float:
        """How long nothing goes through when it opens for the nth time in a row; it doubles each time."""
        return min(max(self.max_open_s, self.open_for_s), self.open_for_s * 2.0 ** min(opened - 1, 50))
