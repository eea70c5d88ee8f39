"""The app on a real terminal: whatever ends it, the terminal is as it was before, and the process is gone."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobdesk import Desk

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
PATIENCE_S = 30.0
RGB = re.compile(rb"[34]8;2;(\d+);(\d+);(\d+)")


class Terminal:
    """`jobdesk` on a pseudo terminal of 100x30."""

    def __init__(self, home: Path, options: Sequence[str] = (), environment: dict[str, str] | None = None) -> None:
        self.output = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(
                {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100", "LINES": "30"},
                **(environment or {}),
            )
            os.execv(sys.executable, [sys.executable, "-m", "jobdesk", "--home", str(home), *options])

    def until(self, sign: bytes) -> None:
        """Read on until the app has written this."""
        deadline = time.monotonic() + PATIENCE_S
        while sign not in self.output:
            assert time.monotonic() < deadline, f"it never wrote {sign!r}: …{self.output[-300:]!r}"
            self._read(0.2)

    def press(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def end(self) -> int:
        """Wait for the process; its exit code, or the negative signal that killed it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                while self._fd >= 0 and self._read(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, "it did not end"
            self._read(0.05)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self, wait_s: float) -> bool:
        if self._fd < 0:
            time.sleep(wait_s)
            return False
        if not select.select([self._fd], [], [], wait_s)[0]:
            return False
        try:
            read = os.read(self._fd, 65536)
        except OSError:  # nobody has the other end any more
            return False
        self.output += read
        return bool(read)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    opened = Terminal(home)
    try:
        opened.until(b"working here")
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_a_signal_ends_it_with_the_terminal_restored(terminal: Terminal, home: Path, how: signal.Signals) -> None:
    os.kill(terminal.pid, how)
    assert terminal.end() == 128 + how
    assert terminal.output.rindex(LEFT) > terminal.output.rindex(ENTERED)
    for mode in (b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[?25h"):  # mouse, pasting, cursor
        assert mode in terminal.output[terminal.output.rindex(ENTERED) :]
    with Desk(home) as desk:
        assert not [one for one in desk.consumers() if one.kind == "app"]


def test_a_lost_terminal_ends_it_though_hang_up_is_ignored(home: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup and setsid leave it
    try:
        terminal = Terminal(home)
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        terminal.until(b"working here")
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP
    finally:
        terminal.close()


def test_q_ends_it_with_the_terminal_restored(terminal: Terminal) -> None:
    terminal.press(b"q")
    assert terminal.end() == 0
    assert terminal.output.rindex(LEFT) > terminal.output.rindex(ENTERED)


def test_no_mouse_leaves_the_mouse_to_the_terminal_and_ascii_draws_plain_signs(home: Path) -> None:
    Desk(home).close()
    terminal = Terminal(home, ["--no-mouse", "--ascii", "--fps", "5", "--read-only"])
    try:
        terminal.until(b"read-only")
        terminal.until(b" quit")
        terminal.press(b"q")
        assert terminal.end() == 0
        assert b"\x1b[?1000h" not in terminal.output
        assert terminal.output.isascii()
    finally:
        terminal.close()


def test_with_no_color_only_greys_are_drawn(home: Path) -> None:
    Desk(home).close()
    terminal = Terminal(home, ["--read-only"], {"NO_COLOR": "1"})
    try:
        terminal.until(b"Overview")
        terminal.press(b"q")
        assert terminal.end() == 0
        colours = set(RGB.findall(terminal.output))
        assert colours
        assert all(red == green == blue for red, green, blue in colours), "a colour beside greys"
    finally:
        terminal.close()
