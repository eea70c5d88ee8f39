"""Whole screens as plain text. After a wanted change: JOBDESK_SNAPSHOTS=write pytest tests/tui/test_snapshots.py"""

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from jobdesk.desk import Desk
from tests.support.robot import Robot, opened

FOLDER = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (120, 40), (200, 60)]


async def compare(robot: Robot, name: str) -> None:
    """The screen comes to rest as the file has it: panels may need a tick more to say how many rows do not fit."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("JOBDESK_SNAPSHOTS") == "write":
        path.write_text(_plain(robot), "utf-8")
    wanted = path.read_text("utf-8")
    with suppress(AssertionError):  # the comparison below shows where they differ
        await robot.until(lambda: _plain(robot) == wanted, "the screen comes to rest")
    assert _plain(robot) == wanted, f"{name} looks different; see {Path(__file__).name}"


def _plain(robot: Robot) -> str:
    """The screen, with what changes from run to run (ids, the home, hours by time zone) made equal."""
    home = robot.app.place
    seen = re.sub(r"\d\d:\d\d:\d\d", "HH:MM:SS", robot.screen).replace(home, "HOME"[: len(home)].ljust(len(home), "~"))
    seen = re.sub(r"job_[0-9A-Z]{26}", "job_" + "0" * 26, seen)
    seen = re.sub(r"\b[0-9a-z]{8}(?= +│$)", "0" * 8, seen, flags=re.MULTILINE)
    lines = seen.splitlines()
    lines[0] = re.sub(r"jobdesk.*?([○●◉])", r"jobdesk  HOME   \1", lines[0]).rstrip()
    lines[0] = re.sub(r"\s+HH:MM:SS$", "   HH:MM:SS", lines[0])
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_overview(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.sees("ConnectTimeout")
        await robot.until(lambda: robot.app.snapshot.rates.completed == 12, "the last hour is read")
        await robot.pilot.pause()
        await compare(robot, f"overview-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_jobs(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.jobs()
        await robot.until(lambda: robot.app.snapshot.rates.completed == 12, "the last hour is read")
        await robot.press("down", "down")
        await robot.until(lambda: "following" not in robot.screen, "the list is frozen")
        await compare(robot, f"jobs-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_failed_job(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.filter("state:failed")
        await robot.until(lambda: robot.app.snapshot.rates.completed == 12, "the last hour is read")
        await robot.press("enter")
        await robot.sees("Timeline")
        await compare(robot, f"failed-job-{size[0]}x{size[1]}")
