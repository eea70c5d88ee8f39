"""A warm child process, seen from the worker thread that owns it: hand it jobs, listen, kill it."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from select import POLLIN, POLLOUT, poll

from jobdesk.core.speech import Speech
from jobdesk.runtime import processes
from jobdesk.runtime.jobline import JobLine
from jobdesk.runtime.messages import Inbox, Message, Spec, decode, encode

LONGEST_MESSAGE_BYTES = 16_000_000
_BLOCK_BYTES = 65536
JOBS_A_CHILD, AGE_OF_A_CHILD_S = 500, 60.0
"""A child is replaced after as many jobs and as long a life, so that what leaks in libraries cannot grow for ever.

Both: a new one costs as much as a thousand jobs that do nothing.
"""
LOOK_EVERY_JOBS = 250
MOST_OPEN_FILES = 200
TOO_FAT_BYTES = 400_000_000
"""A child that holds more than this after a job is replaced."""
_LISTENS_S = 5.0
"""A child whose listener takes nothing for so long never will."""
_NONSENSE = "its process said something that no job says, or too much at once"


class Gone(Exception):
    """The child ended; `how` says so in words."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class ChildProcess:
    """Starts when made, and ends when the line to it closes; what is stuck then, the guard ends.

    Only the thread that owns it may use it, but for `cancel` and `wake`.
    """

    def __init__(self, folder: Path, nice: int, consumer: str) -> None:
        self.jobs = JobLine()
        self._words, words = socket.socketpair()
        self._wishes, wishes = socket.socketpair()
        self._bell, self._rope = socket.socketpair()
        its_ends = [self.jobs.its_end, wishes, words]
        for one in (self._words, self._wishes, self._bell, self._rope):
            one.setblocking(False)
        self._ears = poll()
        self._ears.register(self._words, POLLIN)
        self._ears.register(self._bell, POLLIN)
        self._inbox = Inbox(LONGEST_MESSAGE_BYTES)
        self._heard: deque[bytes] = deque()
        """What it said after the end of a job: that is the next one's."""
        self._ended = 0
        """How many jobs have."""
        self.is_worn = False
        self._first_at: float | None = None
        self._open = threading.Lock()
        """Held by other threads while they use `_wishes` and `_rope`, so that neither is closed meanwhile."""
        self._process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "jobdesk.runtime.child",
                *(str(one.fileno()) for one in its_ends), str(os.getpid()), str(nice),
            ],
            env={**os.environ, processes.MARK: consumer},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=[one.fileno() for one in its_ends], start_new_session=True, cwd=folder,
        )  # fmt: skip
        self.jobs.started()
        wishes.close()
        words.close()
        self.pid = self._process.pid
        self.started = processes.start_of(self.pid) or 0.0
        self._death = processes.death_of(self.pid)
        if self._death is not None:
            self._ears.register(self._death, POLLIN)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def is_warm(self) -> bool:
        """Whether it has had a job: one that still starts takes none for a while, and gives none back."""
        return self._ended > 0

    def wear(self, now: float, max_rss_bytes: int) -> None:
        """A job has ended: see whether the child should be replaced; `max_rss_bytes` is what the job said it held."""
        if self._first_at is None:
            self._first_at = now
        if self._ended >= JOBS_A_CHILD and now - self._first_at >= AGE_OF_A_CHILD_S:
            self.is_worn = True
        elif max_rss_bytes > TOO_FAT_BYTES or self._ended % LOOK_EVERY_JOBS == 0:
            fat = (processes.memory(self.pid) or 0) > TOO_FAT_BYTES
            self.is_worn = fat or processes.open_files(self.pid) > MOST_OPEN_FILES

    def run(self, spec: Spec) -> None:
        """Begin a job, unless it was sent ahead; its messages come through `receive`.

        Raises:
            Gone: the child is dead, and the job has not begun.
        """
        if self.jobs.is_first(spec["token"]):
            return
        if not self.jobs.is_empty:
            raise Gone("its process has another job")
        try:
            self.jobs.give(spec)
        except OSError:
            raise Gone(self._how_it_ended()) from None

    def cancel(self, token: str, why: str) -> None:
        """Ask the job with this token to stop; from any thread."""
        with suppress(Gone):
            self._wish({"cancel": why, "of": token})

    def say(self, token: str, word: Speech) -> None:
        """Let the job with this token hear what people say; from any thread."""
        with suppress(Gone):
            self._wish({"word": dict(word), "of": token}, _LISTENS_S)

    def answer(self, token: str, answer: object) -> None:
        """Answer a job that wanted a child at once, or asked for a service.

        Raises:
            Gone: the child is dead, or hears no answers.
        """
        self._wish({"answer": answer, "of": token})

    def _wish(self, message: Message, patience_s: float = 0.0) -> None:
        with self._open:
            try:
                rest = memoryview(encode(message))
                while rest:  # but for what people say, it is so short that it goes whole or not at all
                    try:
                        rest = rest[self._wishes.send(rest) :]
                    except BlockingIOError:
                        mouth = poll()
                        mouth.register(self._wishes, POLLOUT)
                        if not mouth.poll(patience_s * 1000):
                            raise
            except OSError:
                raise Gone("its process does not listen") from None

    def wake(self) -> None:
        """End a `receive` that waits; from any thread."""
        with self._open, suppress(OSError):
            self._rope.send(b"!")

    def receive(self, timeout_s: float, take: Callable[[Message], bool]) -> None:
        """Wait for messages, for `wake` or for the time, and hand over what is there, up to the end of the job.

        Args:
            take: says whether the message was that end.

        Raises:
            Gone: the child ended, and everything it had said has been handed over.
        """
        if self._heard:
            self._hand_over(take)
            return
        rung = {descriptor for descriptor, _ in self._ears.poll(max(0.0, timeout_s) * 1000)}
        if self._words.fileno() < 0:  # a pool that closes kills the children of threads that do not stop
            raise Gone("its consumer stopped")
        if self._words.fileno() in rung:
            self._hear(take)
        elif self._death in rung:  # what it forked may hold the line open
            raise Gone(self._how_it_ended())
        if self._bell.fileno() in rung:
            with suppress(OSError):
                self._bell.recv(_BLOCK_BYTES)

    def _hear(self, take: Callable[[Message], bool]) -> None:
        try:
            block = self._words.recv(_BLOCK_BYTES)
        except OSError:
            block = b""
        if not block:
            raise Gone(self._how_it_ended())
        try:
            self._heard.extend(self._inbox.take(block))
        except ValueError:
            raise Gone(_NONSENSE) from None
        self._hand_over(take)

    def _hand_over(self, take: Callable[[Message], bool]) -> None:
        try:
            while self._heard:
                if take(decode(self._heard.popleft())):
                    self._ended += 1
                    self.jobs.ended()
                    return
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Gone(_NONSENSE) from None

    def kill(self) -> None:
        """End it at once, with everything it started, and collect it."""
        processes.kill_session(self.pid, self.started)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        with self._open:
            for one in (self.jobs, self._words, self._wishes, self._bell, self._rope):
                one.close()
            if self._death is not None:
                os.close(self._death)
                self._death = None

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "its process closed the line to the desk"
        if code < 0:
            known = {one.value: one.name for one in signal.Signals}
            return f"its process was killed by {known.get(-code, f'signal {-code}')}"
        return f"its process ended by itself with exit status {code}"
