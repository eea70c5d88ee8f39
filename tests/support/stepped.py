"""A machine clock that a test can step, also in other processes; run as a program it is a consumer: HOME FILE.

The file holds two numbers of seconds: by how much the wall clock is ahead of the real one, and by how much the
monotonic clock is (which only a suspend moves, on systems that count it).
"""

import sys
import threading
import time
from pathlib import Path

from jobdesk import Desk


class SteppedClock:
    """The real clocks, ahead by what the file says now."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> float:
        return time.time() + self._ahead()[0]

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead()[1]

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(timeout_s)

    def step(self, wall_s: float, monotonic_s: float = 0.0) -> None:
        """Set the clocks; from now on every process has them so."""
        wall, monotonic = self._ahead()
        new = self._file.with_suffix(".new")
        new.write_text(f"{wall + wall_s} {monotonic + monotonic_s}")
        new.rename(self._file)

    def _ahead(self) -> tuple[float, float]:
        if not self._file.exists():
            return 0.0, 0.0
        wall, monotonic = self._file.read_text().split()
        return float(wall), float(monotonic)


def work(home: Path, file: Path) -> None:
    with Desk(home, clock=SteppedClock(file)) as desk:
        if desk._engine is None:  # somebody works already: be the second
            desk.engine("consumer").start()
        threading.Event().wait()


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
