"""What the app says to jobs that run: pause, go on, take a signal, read this."""

import json
import signal

import pytest

from jobdesk.desk import Desk
from tests.support.factory import claim
from tests.support.robot import Robot, opened


@pytest.fixture
def reader(desk: Desk) -> str:
    """The id of a command that runs, and reads."""
    id_ = desk.submit("command", {"argv": ["cat"], "stdin_open": True}).id
    claim(desk.ledger)
    return id_


def said(desk: Desk) -> list[dict[str, object]]:
    """What was said to running jobs, in its order."""
    return [json.loads(word) for (word,) in desk.ledger.rows("SELECT word FROM spoken ORDER BY id")]


async def at_the_job(robot: Robot) -> None:
    await robot.until(lambda: robot.app.hears, "the types are known")
    await robot.jobs()
    await robot.sees("processing")


async def test_a_running_command_is_paused_and_goes_on(desk: Desk, reader: str) -> None:
    async with opened(desk) as robot:
        await at_the_job(robot)
        await robot.press("full_stop")
        await robot.sees("it is not paused")
        await robot.press("comma")
        await robot.sees("Paused where it is: command", ". go on")
        await robot.press("enter")
        await robot.sees("‖ paused by", "paused")
        await robot.press("escape", "1")
        await robot.sees("‖ paused", "Running now")
        await robot.press("2", "comma")
        await robot.sees("it is paused already")
        await robot.press("full_stop")
        await robot.sees("Goes on: command")
        await robot.until(lambda: ". go on" not in robot.keys, "it is paused no more")
    assert said(desk) == [{"pause": True}, {"continue": True}]


async def test_of_several_those_that_take_it_are_counted_and_one_refusal_told(desk: Desk, reader: str) -> None:
    desk.submit("command", {"argv": ["cat"], "stdin_open": True})
    claim(desk.ledger)
    desk.pause_job(reader)
    async with opened(desk) as robot:
        await at_the_job(robot)
        await robot.press("space", "space", "full_stop")
        await robot.sees("Let go on 1 job; refused: ")
    assert said(desk) == [{"pause": True}, {"continue": True}]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_signal_is_chosen_and_asked_about(desk: Desk, reader: str, size: tuple[int, int]) -> None:
    async with opened(desk, size) as robot:
        await at_the_job(robot)
        await robot.press("K")
        await robot.sees("Send a signal", "SIGTERM", "asks it to end")
        await robot.type("hup")
        await robot.sees_no("SIGTERM")
        await robot.press("enter")
        await robot.sees("Send SIGHUP to all processes of command cat?", "y send")
        await robot.press("enter")
        await robot.sees_no("all processes")
        assert said(desk) == []
        await robot.press("K", *"hup", "enter")
        await robot.sees("y send")
        await robot.press("y")
        await robot.sees("SIGHUP sent to command")
    assert said(desk) == [{"signal": int(signal.SIGHUP)}]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_line_is_sent_and_the_last_one_too(desk: Desk, reader: str, size: tuple[int, int]) -> None:
    async with opened(desk, size) as robot:
        await at_the_job(robot)
        await robot.press("I")
        await robot.sees("A line that command cat reads:")
        await robot.type("hello")
        await robot.press("enter")
        await robot.sees("Sent to command: hello")
        await robot.press("I")
        await robot.sees("more may follow")
        await robot.press("tab", "space")
        await robot.sees("nothing follows")
        await robot.press("enter")
        await robot.sees("command has nothing more to read")
    assert said(desk) == [{"send": "hello\n", "end": False}, {"send": "", "end": True}]


async def test_what_hears_nothing_or_does_not_run_says_why(desk: Desk) -> None:
    desk.submit("CLEANUP_TEMP_FILES", {"dry_run": True})
    claim(desk.ledger)
    desk.submit("command", {"argv": ["true"]})
    async with opened(desk) as robot:
        await at_the_job(robot)
        await robot.press("comma")
        await robot.sees("it does not run")
        await robot.press("down", "K")
        await robot.sees("CLEANUP_TEMP_FILES hears no 'signal'")
        await robot.press("a", *"input")
        await robot.sees("hears no 'send'")


async def test_marked_ones_are_paused_together(desk: Desk, reader: str) -> None:
    other = desk.submit("command", {"argv": ["cat"]}).id
    claim(desk.ledger)
    async with opened(desk) as robot:
        await at_the_job(robot)
        await robot.press("space", "space", "comma")
        await robot.sees("Paused 2 jobs")
        await robot.press("I")
        await robot.sees("choose one job")
        await robot.until(lambda: robot.app.snapshot.paused == {reader, other}, "both are paused")


async def test_who_only_looks_says_nothing_to_jobs(desk: Desk, reader: str) -> None:
    async with opened(desk, read_only=True) as robot:
        await at_the_job(robot)
        for key in ("comma", "K", "I"):
            await robot.press(key)
        await robot.sees("Pause a running command where it is: this app is read-only", "Input for a running command")
    assert said(desk) == []
