"""The app on a real terminal: whatever ends it, the terminal is as it was before, and the process is gone."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from tests.support.terminal import Terminal, jobdesk

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
COLOURED = re.compile(rb"\x1b\[([0-9;:]*)m")
ATTRIBUTES = {"", "0", "1", "2", "3", "4", "7", "9", "22", "23", "24", "27", "29"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    with jobdesk(home) as opened:
        opened.sees("working here")
        yield opened


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
        terminal = jobdesk(home)
    finally:
        signal.signal(signal.SIGHUP, before)
    with terminal:
        terminal.sees("working here")
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP


def test_q_ends_it_with_the_terminal_restored(terminal: Terminal) -> None:
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.output.rindex(LEFT) > terminal.output.rindex(ENTERED)


def test_escape_alone_is_known_though_it_begins_other_keys(terminal: Terminal) -> None:
    terminal.press("?")
    terminal.sees("Keys and what they do")
    terminal.press("\x1b")
    terminal.sees_no("Keys and what they do")
    terminal.press("\x1b[Bq")
    assert terminal.end() == 0


def test_a_stop_that_nobody_asked_for_is_mended_when_it_goes_on(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGSTOP)
    terminal.cook()  # as shells do
    before = terminal.output.count(ENTERED)
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.until(lambda: terminal.output.count(ENTERED) > before, "it takes the terminal again")
    terminal.press("2")
    terminal.sees("Jobs · 0")
    os.kill(terminal.pid, signal.SIGCONT)  # a stray one starts nothing
    terminal.press("1")
    terminal.sees("Just finished")
    assert terminal.output.count(ENTERED) == before + 1
    terminal.press("\x1a")  # no shell has started it: it would be stopped for ever
    terminal.sees("There is no shell to go back to")


def test_no_mouse_leaves_the_mouse_to_the_terminal_and_ascii_draws_plain_signs(home: Path) -> None:
    Desk(home).close()
    with jobdesk(home, "--no-mouse", "--ascii", "--fps", "5", "--read-only") as terminal:
        terminal.sees("read-only", "q quit")
        terminal.press("q")
        assert terminal.end() == 0
        assert b"\x1b[?1000h" not in terminal.output
        assert terminal.output.isascii()


def test_with_no_color_no_colour_is_drawn(home: Path) -> None:
    with Desk(home) as desk:
        desk.wait(desk.submit("demo.report", {"days": 1}).id)
    with jobdesk(home, "--read-only", environment={"NO_COLOR": "1"}) as terminal:
        terminal.sees("Overview", "q quit")
        terminal.press("2")
        terminal.sees("✓ completed")
        terminal.press("7")
        terminal.sees("Health", "consumers")
        terminal.press("q")
        assert terminal.end() == 0
        used = {part for codes in COLOURED.findall(terminal.output) for part in re.split("[;:]", codes.decode())}
        assert used <= ATTRIBUTES, "a colour"
        assert {"1", "2", "7"} <= used  # what is told by colour else


def test_a_terminal_on_which_no_app_can_be_drawn_is_refused(home: Path) -> None:
    with jobdesk(home, "--json") as terminal:
        assert terminal.end() == 2
        assert "the app needs a terminal" in terminal.screen
    with jobdesk(home, environment={"TERM": "dumb"}) as terminal:
        assert terminal.end() == 2
        assert "TERM=dumb" in terminal.screen
