"""Whether anything has moved lately: a screen at rest draws seldom, and its clock tells no seconds."""

from dataclasses import replace

from jobdesk.core.clock import Clock
from jobdesk.tui.activity import Rates
from jobdesk.tui.messages import Snapshot

AFTER_S = 15.0
EVERY = 10
"""At rest one tick of so many draws."""


class Rest:
    """Told of what moves, it says when nothing has for some time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moved_at = clock.monotonic()
        self._seen = Snapshot()
        self._ticks = 0

    def moved(self) -> None:
        """Somebody does something."""
        self._moved_at = self._clock.monotonic()

    def saw(self, snapshot: Snapshot) -> None:
        """The desk as it is now: what runs or changes is no rest, that minutes go by is."""
        seen = replace(snapshot, rates=Rates())
        if seen != self._seen or seen.busy:
            self._seen = seen
            self.moved()

    @property
    def now(self) -> bool:
        """Whether nothing has moved for some time."""
        return not self._seen.busy and self._clock.monotonic() - self._moved_at >= AFTER_S

    def tick(self) -> bool:
        """Whether to draw at this tick."""
        self._ticks += 1
        return not self.now or self._ticks % EVERY == 0
