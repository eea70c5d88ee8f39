"""A warm child process, seen from the worker thread that owns it: hand it jobs, listen, kill it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

from jobdesk.runtime import processes
from jobdesk.runtime.messages import Message, Spec

LONGEST_MESSAGE_BYTES = 16_000_000
JOBS_A_CHILD = 500
"""A child is replaced after this many jobs, so that what leaks in libraries cannot grow for ever."""
TOO_FAT_BYTES = 400_000_000
"""A child that holds more than this after a job is replaced."""


class Gone(Exception):
    """The child ended; `how` says so in words."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class ChildProcess:
    """Starts when made. Only the thread that made it may use it, but for `send`; it does not outlive that thread."""

    def __init__(self, folder: Path, nice: int, consumer: str) -> None:
        self._connection, other = Pipe()
        self._sending = threading.Lock()
        self._jobs = 0
        self._process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "jobdesk.runtime.child",
                str(other.fileno()), str(os.getpid()), str(nice),
            ],
            env={**os.environ, processes.MARK: consumer},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=[other.fileno()], start_new_session=True, cwd=folder,
        )  # fmt: skip
        other.close()
        self.pid = self._process.pid
        self.started = processes.start_of(self.pid) or 0.0

    @property
    def worn(self) -> bool:
        """Whether it should be replaced before the next job."""
        return self._jobs >= JOBS_A_CHILD or (processes.memory(self.pid) or 0) > TOO_FAT_BYTES

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, spec: Spec) -> None:
        """Begin a job; its messages come through `receive`.

        Raises:
            Gone: the child is dead.
        """
        self._jobs += 1
        self.send({"run": spec})

    def cancel(self, token: str, why: str) -> None:
        """Ask the job with this token to stop; from any thread."""
        with suppress(Gone):
            self.send({"cancel": why, "of": token})

    def send(self, message: Message) -> None:
        with self._sending:
            try:
                self._connection.send_bytes(json.dumps(message).encode())
            except (BrokenPipeError, ConnectionError, OSError):
                raise Gone(self._how_it_ended()) from None

    def receive(self, timeout_s: float, take: Callable[[Message], None]) -> bool:
        """Wait for messages and hand over all that are there; False if none came.

        Raises:
            Gone: the child ended, and everything it had said has been handed over.
        """
        try:
            if not self._connection.poll(timeout_s):
                return False
            while True:
                take(json.loads(self._connection.recv_bytes(LONGEST_MESSAGE_BYTES)))
                if not self._connection.poll(0):
                    return True
        except (EOFError, ConnectionError, OSError):  # also a message that is too long
            raise Gone(self._how_it_ended()) from None

    def kill(self) -> None:
        """End it at once, with everything it started, and collect it."""
        processes.kill_session(self.pid, self.started)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._connection.close()

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "its process closed the line to the desk, or said too much at once"
        if code < 0:
            known = {one.value: one.name for one in signal.Signals}
            return f"its process was killed by {known.get(-code, f'signal {-code}')}"
        return f"its process ended by itself with exit status {code}"
