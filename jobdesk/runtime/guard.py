"""The guard of a consumer's children: a small process that ends them, with all they started, if the consumer dies."""

import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_WATCHMAN = Path(__file__).with_name("watchman.py")


class Guard:
    """Tells a watchman of every child; starts him with the first, and another should he be gone. Linux only.

    A child that is stuck in C hears of no death. The kernel would kill it at once, were it asked to; but what it
    started would then be nobody's child, and is only found while the tree is whole.
    """

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._known: set[str] = set()
        self._watchman: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def add(self, pid: int, started: float) -> None:
        """A child began; `started` is its start as `processes.start_of` gives it."""
        if sys.platform != "linux":
            return
        with self._lock:
            self._known.add(f"{pid}:{started}")
            if self._watchman is None or not self._tell(f"+{pid}:{started}"):
                self._post()

    def remove(self, pid: int, started: float) -> None:
        """A child was ended, with all it started."""
        with self._lock:
            self._known.discard(f"{pid}:{started}")
            self._tell(f"-{pid}:{started}")

    def close(self) -> None:
        """Send the watchman home: he ends what he still knows of."""
        with self._lock:
            self._dismiss()

    def _post(self) -> None:
        self._dismiss()
        try:
            self._watchman = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_WATCHMAN), sys.executable, self._consumer],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True, bufsize=0,
            )  # fmt: skip
        except OSError as error:  # jobs run all the same; the next consumer finds what is left
            logging.getLogger("jobdesk").warning("nobody guards the children of this consumer: %s", error)
            return
        assert self._watchman.stdin is not None
        os.set_blocking(self._watchman.stdin.fileno(), False)  # one that was stopped holds up no job
        for one in self._known:
            self._tell(f"+{one}")

    def _tell(self, word: str) -> bool:
        if self._watchman is None or self._watchman.stdin is None:
            return False
        try:
            return self._watchman.stdin.write(f"{word}\n".encode()) is not None
        except OSError:
            return False

    def _dismiss(self) -> None:
        watchman, self._watchman = self._watchman, None
        if watchman is None:
            return
        if watchman.stdin is not None:
            with suppress(OSError):
                watchman.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            watchman.wait(5)
