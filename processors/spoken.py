"""What people say to a running command: done to its process group, or written to its standard input."""

import os
import signal
import subprocess
from contextlib import suppress

from jobdesk import Context


class Ear:
    """Listens while a command runs; called often, it never waits."""

    def __init__(self, ctx: Context, process: "subprocess.Popen[bytes]") -> None:
        self._ctx = ctx
        self._process = process
        self._unread = bytearray()
        """For its standard input, when that takes it."""
        self._ends = False
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)

    def listen(self) -> None:
        """Do what was said since the last time."""
        for word in self._ctx.heard():
            match word:
                case {"pause": _}:
                    self._tell(signal.SIGSTOP)
                case {"continue": _}:
                    self._tell(signal.SIGCONT)
                case {"signal": number}:
                    self._tell(number)
                case {"send": text, "end": end}:
                    self._unread += text.encode("utf-8", "surrogateescape")
                    self._ends = self._ends or end
        if self._unread or self._ends:
            self._feed()

    def _tell(self, number: int) -> None:
        if self._process.poll() is None:  # its number may be another's by now
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _feed(self) -> None:
        given = self._process.stdin
        if given is None or given.closed:
            self._ctx.log.warning("what was sent is not read any more: its input was closed")
            self._unread.clear()
            self._ends = False
            return
        try:
            while self._unread:
                del self._unread[: os.write(given.fileno(), self._unread)]
        except BlockingIOError:  # it reads slowly: the rest goes next time
            return
        except OSError:
            self._ctx.log.warning("it has closed its input: what was sent is not read")
            self._unread.clear()
            self._ends = True
        if self._ends:
            self._ends = False
            with suppress(OSError):
                given.close()
