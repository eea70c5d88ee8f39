"""Every screen and dialog as text and colours, at three sizes, dark, light and in sixteen colours.

After a wanted change: JOBDESK_SNAPSHOTS=write pytest tests/tui/test_snapshots.py, and read what changed.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.style import Style

from jobdesk.core import who
from jobdesk.desk import Desk
from jobdesk.monitoring.alerter import Alerter
from jobdesk.runtime.summarizer import Summarizer
from jobdesk.tui.screens.leave import Leave
from tests.support.clock import FakeClock
from tests.support.robot import Robot, opened

FOLDER = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = ("jobdesk", "jobdesk-light", "ansi-dark")
SETTINGS = """
[alerts.rules.any-failed]
query = "state:failed"
above = 0
[[flows]]
name = "report"
[[flows.steps]]
name = "fetch"
type = "command"
data = { argv = ["true"] }
[[flows.steps]]
name = "left"
type = "command"
data = { argv = ["true"] }
after = ["fetch"]
[[flows.steps]]
name = "right"
type = "command"
data = { argv = ["true"] }
after = ["fetch"]
[[flows.steps]]
name = "join"
type = "command"
data = { argv = ["true"] }
after = ["left", "right"]
"""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _seen(robot: Robot) -> tuple[str, str]:
    """The text and the colours of the screen, with what changes from run to run (ids) made equal."""
    strips = robot.app.screen._compositor.render_strips()
    text = "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
    text = re.sub(r"(job|flow|con)_([0-9A-Z]+)", lambda found: f"{found[1]}_{'0' * len(found[2])}", text)
    if re.search(r" id +│$", text, flags=re.MULTILINE):  # the column of ids
        text = re.sub(r"\b[0-9a-z]{8}(?= +│$)", "0" * 8, text, flags=re.MULTILINE)
    text = re.sub(r"\d+ job types", "N job types", text)
    letters: dict[str, str] = {}
    rows = []
    for strip in strips:
        runs: list[tuple[str, int]] = []
        for segment in strip:
            letter = letters.setdefault(_said(segment.style or Style()), _LETTERS[min(len(letters), len(_LETTERS) - 1)])
            cells = segment.cell_length
            if runs and runs[-1][0] == letter:
                cells += runs.pop()[1]
            runs.append((letter, cells))
        rows.append(" ".join(f"{letter}{cells}" for letter, cells in runs))
    legend = [f"{letter}: {said}" for said, letter in letters.items()]
    return text + "\n", "\n".join([*legend, *rows]) + "\n"


def _said(style: Style) -> str:
    """A style without what lies behind it for the mouse."""
    return str(style.without_color.clear_meta_and_links() + Style(color=style.color, bgcolor=style.bgcolor))


class Shots:
    """Compares one screen after another with its file; what differs is told at the end, all of it."""

    def __init__(self, robot: Robot, size: tuple[int, int]) -> None:
        self._robot = robot
        self._size = f"{size[0]}x{size[1]}"
        self._differ: list[str] = []

    def sees(self, *words: str) -> Callable[[], bool]:
        """Whether all of these stand on the screen, to be asked again and again."""
        return lambda: all(word in self._robot.screen for word in words)

    async def compare(self, name: str, rests: Callable[[], object] = lambda: True) -> None:
        """The screen comes to rest as the file has it, in every theme. `rests`: what must hold before one looks."""
        robot, path = self._robot, FOLDER / f"{name}-{self._size}.txt"
        await robot.until(rests, f"{name} is there")
        if os.environ.get("JOBDESK_SNAPSHOTS") == "write":
            await self._write(path)
            return
        wanted = path.read_text("utf-8").split("\f\n")
        for at, theme in enumerate(THEMES):
            await self._wear(theme)

            def same(at: int = at) -> bool:
                return _seen(robot) == (wanted[0], wanted[1 + at])

            with suppress(AssertionError):  # told below
                await robot.until(same, "the screen comes to rest")
            if not same():
                self._differ.append(f"{path.name} in {theme}:\n{_seen(robot)[0]}")
                break
        await self._wear(THEMES[0])

    async def _write(self, path: Path) -> None:
        parts = []
        for theme in THEMES:
            await self._wear(theme)
            before = None
            while before != (now := _seen(self._robot)):
                before = now
                await self._robot.pilot.pause(0.4)
            parts.append(now)
        await self._wear(THEMES[0])
        path.write_text("\f\n".join([parts[0][0], *(colours for _, colours in parts)]), "utf-8")

    async def _wear(self, theme: str) -> None:
        if self._robot.app.theme != theme:
            self._robot.app.theme = theme
            await self._robot.pilot.pause()

    def done(self) -> None:
        assert not self._differ, "\n".join(self._differ)


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("HOME", str(tmp_path))  # so that every home is ~/home
    monkeypatch.setattr(who, "_own", lambda: "ada")  # remembered, whoever asked first
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "jobdesk.toml").write_text(SETTINGS)
    opened = Desk(home, clock=clock)
    real = opened.health

    def of_a_calm_machine(**options: Any) -> Mapping[str, Any]:
        """What is said of this machine's disk and memory has no place in a picture."""
        found = real(**options)
        for check in ("disk", "memory"):
            found["checks"][check] = True
        found["problems"] = [one for one in found["problems"] if one["check"] not in ("disk", "memory")]
        return found

    monkeypatch.setattr(opened, "health", of_a_calm_machine)
    return opened


@pytest.fixture
def full(busy_desk: Desk, dropped: Desk, clock: FakeClock) -> Desk:
    """Something on every screen."""
    busy_desk.start_flow("report")
    busy_desk.add_schedule("nightly", "command", cron="30 2 * * mon-fri", timezone="Europe/Berlin",
                           data={"argv": ["true"]}, overlap="skip")  # fmt: skip
    busy_desk.add_schedule("hourly", "command", cron="@hourly", data={"argv": ["true"]})
    busy_desk.pause_schedule("hourly")
    alerter = Alerter(busy_desk.ledger, clock, busy_desk.alert_watch, lambda: None)
    alerter.look(busy_desk.alert_watch(), at_once=True)
    Summarizer(busy_desk.ledger, clock).run_once()
    return busy_desk


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_screens(full: Desk, size: tuple[int, int]) -> None:
    async with opened(full, size) as robot:
        shots, app = Shots(robot, size), robot.app

        await robot.until(lambda: app.snapshot.rates.completed == 12, "the last hour is read")
        await shots.compare("overview", shots.sees("ConnectTimeout"))
        await robot.jobs()
        await robot.press("down", "down")
        await shots.compare("jobs", lambda: "following" not in robot.screen)
        for key, name, word in (
            ("3", "dead", "Newest"), ("4", "flows", "fetch"), ("5", "schedules", "Every hour"),
            ("6", "folders", "IMAGE_UPLOAD_REQUESTED"), ("7", "health", "any-failed"),
        ):  # fmt: skip
            await robot.press(key)
            await robot.sees(word)
            if name == "schedules":
                await robot.press("down")
            await shots.compare(name)
        await robot.press("6", "tab", "down", "down")
        await shots.compare("file", shots.sees("the same content"))
        shots.done()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_dialogs(full: Desk, size: tuple[int, int]) -> None:
    async with opened(full, size) as robot:
        shots, app = Shots(robot, size), robot.app

        await robot.until(lambda: app.snapshot.rates.completed == 12, "the last hour is read")
        for key, name, word in (("b", "alerts", "threshold"), ("d", "charts", "p99")):
            await robot.press(key)
            await shots.compare(name, shots.sees(word))
            await robot.press("escape")
        await robot.press("question_mark")
        await robot.type("mark")
        await shots.compare("help", shots.sees("Mark all that match"))
        await robot.press("escape", "M")
        await robot.sees("job types")
        await robot.type("demo.flaky")
        await shots.compare("processors", shots.sees("Parameters"))
        await robot.press("enter")
        await shots.compare("new", shots.sees("New job: demo.flaky", "Ready to submit"))
        await robot.press("escape")
        app.query_one("#finished").focus()
        await robot.press("down", "down", "down", "down", "e")
        await robot.sees("Edit and retry: THUMBNAIL_GENERATE")
        await robot.press("end", *["backspace"] * 3, *"png")
        await shots.compare("edit", shots.sees("+ source: '/photos/IMG_0011.png'"))
        await robot.press("escape", "X")
        await shots.compare("delete", shots.sees("bring it back"))
        await robot.press("escape")
        app.push_screen(Leave(2))
        await shots.compare("quit", shots.sees("2 jobs run in this app"))
        await robot.press("escape")
        shots.done()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_jobs(full: Desk, size: tuple[int, int]) -> None:
    async with opened(full, size) as robot:
        shots = Shots(robot, size)

        await robot.jobs()
        await robot.press("slash")
        await robot.type("state:fai")
        await shots.compare("filter", shots.sees("failed"))
        await robot.type("x")
        await shots.compare("filter-wrong", shots.sees("did you mean"))
        await robot.press("escape")
        await robot.filter("state:failed")
        await robot.press("enter")
        await shots.compare("job", shots.sees("Traceback", "Timeline"))
        await robot.press("escape", "escape")
        await robot.filter("queue:notifications state:pending")
        await robot.press("enter")
        await shots.compare("why", shots.sees("Why it does not run yet"))
        shots.done()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_empty_home(desk: Desk, size: tuple[int, int]) -> None:
    async with opened(desk, size) as robot:
        shots = Shots(robot, size)
        await shots.compare("empty", lambda: "Drop a photo" in robot.screen)
        await robot.press("2")
        await shots.compare("empty-jobs", lambda: "Jobs" in robot.screen and "Nothing here yet" in robot.screen)
        shots.done()
