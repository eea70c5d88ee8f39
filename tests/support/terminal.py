"""A real terminal for tests: a program on a pseudo terminal, and what a person would see of it (pyte emulates it)."""

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte

PATIENCE_S = 120.0
"""The machines that run tests start an app in one second or in thirty."""


_ALTERNATE = 1049


class _Display(pyte.Screen):  # type: ignore[misc]  # mypy leaves pyte out: see pyproject
    """With the alternate screen that full-screen programs draw on, which pyte leaves out."""

    _aside: dict[int, Any] | None = None

    def set_mode(self, *modes: int, **options: Any) -> None:
        if _ALTERNATE in modes and options.get("private") and self._aside is None:
            self._aside = {y: dict(line) for y, line in self.buffer.items()}
            self.save_cursor()
            self.erase_in_display(2)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes: int, **options: Any) -> None:
        super().reset_mode(*modes, **options)
        if _ALTERNATE in modes and options.get("private") and self._aside is not None:
            self.erase_in_display(2)
            for y, line in self._aside.items():
                self.buffer[y].update(line)
            self.restore_cursor()
            self._aside = None


class Terminal:
    """A program on a terminal of its own; it is killed at the end of the block.

    Args:
        environment: variables besides those of the test; None takes one away.
        size: columns and rows.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str | None] | None = None,
        size: tuple[int, int] = (120, 36),
    ) -> None:
        self.output = b""
        """Everything it has written."""
        self.display = _Display(*size)
        self._stream = pyte.ByteStream(self.display)
        wanted: dict[str, str | None] = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        wanted |= {"COLUMNS": None, "LINES": None, "TMUX": None, "NO_COLOR": None, **(environment or {})}
        variables = {name: value for name, value in os.environ.items() if name not in wanted}
        variables |= {name: value for name, value in wanted.items() if value is not None}
        reader, writer = os.pipe()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.close(writer)
            os.read(reader, 1)  # until the terminal has its size
            os.close(reader)
            os.execvpe(words[0], list(words), variables)
        termios.tcsetwinsize(self._fd, (size[1], size[0]))
        os.close(reader)
        os.close(writer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def screen(self) -> str:
        """What stands on it, line by line, without trailing blanks."""
        return "\n".join(line.rstrip() for line in self.display.display)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def sees(self, *words: str) -> None:
        """Wait until all of these stand on the screen."""
        self.until(lambda: all(word in self.screen for word in words), f"the screen shows {words}")

    def sees_no(self, word: str) -> None:
        """Wait until this no longer stands on the screen."""
        self.until(lambda: word not in self.screen, f"the screen shows no {word!r}")

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Read on until something holds; the failure shows the screen."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"it never came to this: {what}\n{self.screen}"
            if not self._read(min(0.1, left_s)) and self._ended():
                self._drain()
                assert holds(), f"it ended before this: {what}\n{self.screen}"

    def end(self) -> int:
        """Wait until the program has ended; its exit code, or the negative signal that killed it."""
        self.until(self._ended, "it ends")
        self._drain()
        assert self._code is not None
        return self._code

    def cook(self) -> None:
        """Set it to lines and echo, as a shell does that reads from it."""
        modes = termios.tcgetattr(self._fd)
        modes[3] |= termios.ICANON | termios.ECHO | termios.ISIG
        termios.tcsetattr(self._fd, termios.TCSANOW, modes)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        if not self._ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._fd >= 0:
            os.close(self._fd)

    _code: int | None = None

    def _ended(self) -> bool:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is not None

    def _drain(self) -> None:
        while self._read(0):
            pass

    def _read(self, wait_s: float) -> bool:
        if self._fd < 0:
            time.sleep(wait_s)
            return False
        if not select.select([self._fd], [], [], wait_s)[0]:
            return False
        try:
            read = os.read(self._fd, 65536)
        except OSError:  # nobody has the other end any more
            time.sleep(min(wait_s, 0.01))
            return False
        self.output += read
        self._stream.feed(read)
        return bool(read)


def jobdesk(
    home: Path, *options: str, environment: Mapping[str, str | None] | None = None, size: tuple[int, int] = (120, 36)
) -> Terminal:
    """`jobdesk` on a home, on a terminal of its own."""
    return Terminal([sys.executable, "-m", "jobdesk", "--home", str(home), *options], environment, size)
