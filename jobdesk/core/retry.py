"""When to try again: attempt number in, delay out."""

import json
import random
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Literal

from jobdesk.core.text import to_json

Backoff = Literal["fixed", "linear", "exponential"]


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait after a failed attempt.

    `delay_s` is the wait after the first; `linear` adds it again each time, `exponential` multiplies by
    `factor`; none passes `max_delay_s`; `jitter` (0-1) takes up to that share off, so that jobs that
    failed together do not come back together.
    """

    delay_s: float = 5.0
    backoff: Backoff = "exponential"
    factor: float = 2.0
    max_delay_s: float = 30.0
    jitter: float = 0.0

    def after(self, attempt: int, chance: float | None = None) -> float:
        """Seconds to wait after attempt number `attempt` (from 1) failed; `chance` in 0-1 replaces the dice."""
        grown = {
            "fixed": self.delay_s,
            "linear": self.delay_s * attempt,
            "exponential": self._multiplied(attempt - 1),
        }[self.backoff]
        wait = min(grown, self.max_delay_s)
        share = random.random() if chance is None else chance
        return wait * (1 - self.jitter * share)

    def _multiplied(self, times: int) -> float:
        try:
            return self.delay_s * self.factor ** min(times, 64)
        except OverflowError:  # more than any number says is beyond the cap, but for no wait at all
            return self.max_delay_s if self.delay_s else 0.0

    @cached_property
    def text(self) -> str:
        """As it is stored: its values as a JSON list, worked out once, since most jobs have the same."""
        return to_json(astuple(self))

    @classmethod
    def from_text(cls, text: str) -> "RetryPolicy":
        """Read what is stored; older ledgers have a JSON object."""
        found = json.loads(text)
        return cls(**found) if isinstance(found, dict) else cls(*found)
