"""A clock that tests own: waiting moves it, nothing sleeps."""

import threading


class FakeClock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        if event.is_set():
            return True
        self.advance(timeout_s)
        return event.is_set()


class SettableClock(FakeClock):
    """One whose wall clock can be set without the monotonic one noticing."""

    ahead_s = 0.0

    def now(self) -> float:
        return self._now + self.ahead_s

    def set(self, by_s: float) -> None:
        self.ahead_s += by_s
