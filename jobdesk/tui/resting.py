"""Whether anything has moved lately: a screen at rest is drawn once a minute, and says of when it is."""

from dataclasses import replace

from jobdesk.core.clock import Clock
from jobdesk.tui.activity import Rates
from jobdesk.tui.messages import Snapshot

AFTER_S = 15.0
EVERY = 60
"""At rest one tick of so many draws: ages, and the charts of minutes."""


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

    def saw(self, snapshot: Snapshot) -> bool:
        """The desk as it is now: what runs or changes is no rest, that minutes go by is. Whether to draw it now."""
        seen = without_minutes(snapshot)
        if seen != self._seen or seen.busy:
            self._seen = seen
            self.moved()
        return not self.now

    @property
    def now(self) -> bool:
        """Whether nothing has moved for some time."""
        return not self._seen.busy and self._clock.monotonic() - self._moved_at >= AFTER_S

    def tick(self) -> bool:
        """Whether to draw at this tick; the first at rest says since when the screen stands still."""
        self._ticks = self._ticks + 1 if self.now else 0
        return not self._ticks or self._ticks % EVERY == 1


def without_minutes(snapshot: Snapshot) -> Snapshot:
    """A snapshot as far as it does not change by itself with time."""
    return replace(snapshot, rates=Rates())
