"""What a child, its libraries and the programs they start print: lines of the log of the job that runs."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from select import POLLIN, poll

from jobdesk.core.redaction import redact

_BLOCK_BYTES = 65536
_LONGEST_LINE_BYTES = 65536
_HELD_BYTES = 4096
"""Of a line that is cut as too long, so much waits for what follows."""


class Printed:
    """File descriptors 1 and 2 as lines, whoever writes to them.

    A thread says them as they come. It wakes only for what is printed: the end of a job that printed
    nothing costs a look at the pipe and no change of threads.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._there = poll()
        self._there.register(self._reader, POLLIN)
        self._reading = threading.Lock()
        self._begun = b""

    def start(self) -> None:
        threading.Thread(target=self._read_on, daemon=True).start()

    def attach(self) -> None:
        """A job begins: take 1 and 2 over, which one before it may have closed or redirected.

        Call it while what is said still counts as the former job's: so does what was printed since.
        """
        self._empty()
        os.dup2(self._writer, 1)
        os.dup2(self._writer, 2)

    def drain(self) -> None:
        """Say everything that was printed so far."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a job may have put anything in their place
                stream.flush()
        self._empty()

    def _empty(self) -> None:
        with self._reading:
            if self._there.poll(0):
                self._read()  # once: a block is all that a pipe holds, and a thread may print without end
            if self._begun:
                self._lines(b"\n")

    def _read_on(self) -> None:
        waiting = poll()  # one of its own: a poll object serves one thread at a time
        waiting.register(self._reader, POLLIN)
        while True:
            waiting.poll()
            with self._reading:
                self._read()

    def _read(self) -> None:
        """Say what is in the pipe."""
        with suppress(BlockingIOError):  # the other thread was first
            self._lines(os.read(self._reader, _BLOCK_BYTES))

    def _lines(self, block: bytes) -> None:
        *lines, self._begun = (self._begun + block).split(b"\n")
        if len(self._begun) > _LONGEST_LINE_BYTES:
            whole = redact(self._begun.decode("utf-8", "replace")).encode()  # before a secret may be cut in two
            lines, self._begun = [*lines, whole[:-_HELD_BYTES]], whole[-_HELD_BYTES:]
        for line in lines:
            if line.strip():
                self._say(line.decode("utf-8", "replace").rstrip())
