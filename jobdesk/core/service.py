"""The one skeleton of what runs beside the jobs: a thread that does one thing at an interval, or when woken."""

import logging
import threading

from jobdesk.core.clock import Clock


class Service:
    """Subclass it, give it a `run_once`, and start it. `run_once` is also the handle of tests."""

    name = "service"
    interval_s = 1.0
    rest_s = 0.0
    """How long it lets wakes gather before it runs, for one that is woken far more often than it has anything to do."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def run_once(self) -> float | None:
        """Do the work; may return how many seconds to wait instead of `interval_s`."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._loop, name=f"jobdesk-{self.name}", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Run again as soon as possible; a wake during a run is not lost."""
        self._wake.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the current run and end the thread; a second call does nothing."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
            self._thread = None

    def _loop(self) -> None:
        while not self._stop.is_set():
            wait_s: float | None = None
            try:
                wait_s = self.run_once()
            except Exception:  # a service must outlive any single failure, and say so
                logging.getLogger("jobdesk").exception("%s failed; it tries again", self.name)
            if self._stop.is_set():
                return
            woken = self.clock.wait(self._wake, self.interval_s if wait_s is None else wait_s)
            if woken and self.rest_s:
                self.clock.wait(self._stop, self.rest_s)
            self._wake.clear()
