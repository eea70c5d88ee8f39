"""What one step of work behind the jobs has done."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Whether there may be more to do, and how long (seconds) nobody else could write."""

    more: bool
    held_s: float = 0.0
