"""A program on a pseudo terminal of 120x40, and what it draws: each frame with the instant at which it was complete.

A frame is what a program writes up to the end of a synchronized update (`ESC [ ? 2026 l`). Nothing is
interpreted while the clock runs; `Picture` does that afterwards.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

COLUMNS, LINES = 120, 40
PATIENCE_S = 60.0
QUIET_S = 0.4
_END = b"\x1b[?2026l"
_QUERIES = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[?2048$p": b"\x1b[?2048;0$y"}
"""What a terminal answers: synchronized updates yes, in-band resizes no."""
_BEYOND_PYTE = re.compile(r"\x1b\[[<>=?][0-9;]*[a-zA-Z$]+|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[P_][^\x1b]*\x1b\\")


class Screen:
    """The terminal and the program on it; the program is killed at the end."""

    def __init__(self, command: Sequence[str]) -> None:
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.environ.pop("TMUX", None)
            os.execvp(command[0], list(command))
        self.frames: list[tuple[float, bytes]] = []
        """When each was complete, and what it was."""
        self.received = 0
        """Bytes so far."""
        self._rest = b""
        self._read_at = self.began

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self, kind: "type[BaseException] | None", error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        os.kill(self.pid, signal.SIGTERM)  # it ends what it started; then there is nobody left to wait for
        deadline = time.monotonic() + 10
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
            self.read(0.05)
        os.close(self._fd)

    def read(self, wait_s: float) -> bool:
        """Take in what has been written, waiting for it at most so long; whether anything was."""
        if not select.select([self._fd], [], [], max(0.0, wait_s))[0]:
            return False
        try:
            got = os.read(self._fd, 1 << 20)
        except OSError:  # the program has ended
            time.sleep(0.01)
            return False
        self._read_at = now = time.perf_counter()
        self.received += len(got)
        for query, answer in _QUERIES.items():
            if query in got:
                os.write(self._fd, answer)
        *whole, self._rest = (self._rest + got).split(_END)
        self.frames.extend((now, frame) for frame in whole)
        return True

    def press(self, keys: bytes) -> float:
        """Send these keys; the instant."""
        now = time.perf_counter()
        os.write(self._fd, keys)
        return now

    def quiet(self, quiet_s: float = QUIET_S) -> None:
        """Read on until nothing has come for so long."""
        while self.read(quiet_s):
            pass

    def pause(self, span_s: float) -> None:
        """Read on for so long."""
        end = time.perf_counter() + span_s
        while (left_s := end - time.perf_counter()) > 0:
            self.read(left_s)

    def until(self, sign: bytes, since: int = 0) -> float:
        """The instant at which the first frame, from number `since` on, that has this in it was complete."""
        deadline, at = time.perf_counter() + PATIENCE_S, since
        while True:
            while at < len(self.frames):
                if sign in self.frames[at][1]:
                    return self.frames[at][0]
                at += 1
            if sign in self._rest:  # drawn before it was known that the terminal can synchronize
                return self._read_at
            if time.perf_counter() > deadline:
                raise SystemExit(f"{sign!r} was not drawn in {PATIENCE_S:.0f} s: …{self._rest[-400:]!r}")
            self.read(0.2)


class Picture:
    """What stands on a `Screen`, frame by frame, by a terminal emulator."""

    def __init__(self, screen: Screen) -> None:
        import pyte

        self._screen = screen
        self._picture = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self._picture)
        self.drawn = 0
        """Frames that are on it by now."""

    def draw(self) -> float:
        """Draw the next frame; when it was complete."""
        at, frame = self._screen.frames[self.drawn]
        self._stream.feed(_BEYOND_PYTE.sub("", frame.decode("utf-8", "replace")))
        self.drawn += 1
        return at

    def draw_all(self) -> None:
        """Draw every frame there is."""
        while self.drawn < len(self._screen.frames):
            self.draw()

    def __str__(self) -> str:
        return "\n".join(self._picture.display)

    def numbers(self, pattern: re.Pattern[str]) -> list[int]:
        """The number in each line that the pattern finds one in."""
        return [int(found[1]) for line in self._picture.display if (found := pattern.search(line))]

    def chosen(self, pattern: re.Pattern[str]) -> int | None:
        """The number in the one line that has another background than the others with a number: that of the cursor."""
        rows = {}
        for y, line in enumerate(self._picture.display):
            if found := pattern.search(line):
                rows[int(found[1])] = self._picture.buffer[y][found.start(1)].bg
        usual = Counter(rows.values()).most_common(1)
        other = [number for number, colour in rows.items() if colour != usual[0][0]] if usual else []
        return other[0] if len(other) == 1 else None


def python(*words: str) -> list[str]:
    """A command that runs this Python."""
    return [sys.executable, *words]


def memory_mb(pid: int) -> float:
    """Resident memory of the process alone."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not say how much memory a process has")


def cpu_s(pid: int) -> float:
    """CPU seconds of the process so far, its children apart."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
