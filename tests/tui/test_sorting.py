"""Sorting the list of jobs: by key, by a click on a title, and back."""

from collections.abc import Callable
from typing import Any

from jobdesk.core.job import Job
from jobdesk.core.query import parse
from jobdesk.desk import Desk
from jobdesk.ledger import sorting
from jobdesk.ledger.sorting import KEYS, Order
from tests.support.robot import Robot, opened


def states(robot: Robot) -> list[str]:
    return [line.state.value for _, line in robot.table._visible()]


async def test_s_sorts_and_turns_round_and_f_ends_it(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        newest = robot.table.current
        await robot.press("s")
        await robot.sees("Sort by", "newest first")
        await robot.type("state")
        await robot.press("enter")
        await robot.sees("by state", "state▲")
        await robot.until(lambda: states(robot) and states(robot)[0] == "blocked", "by state")
        assert states(robot) == sorted(states(robot))
        await robot.press("S")
        await robot.sees("state▼")
        await robot.until(lambda: states(robot)[0] == "scheduled", "the other way round")
        await robot.press("f")
        await robot.until(lambda: robot.table.current == newest, "newest first again")


async def test_a_click_on_a_title_sorts_by_it(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        for seen in ("state▲", "state▼"):
            await robot.pilot.click("JobTable", offset=(4, 1))
            await robot.sees(seen)
        await robot.pilot.click("JobTable", offset=(4, 1))
        await robot.sees_no("state▼")


async def test_a_filter_keeps_the_order(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        robot.table.do_sort("type")
        await robot.sees("by type")
        await robot.filter("state:completed,failed")
        await robot.until(lambda: robot.table.total == 14 and len(states(robot)) == 14, "only those that match")
        assert [line.type for _, line in robot.table._visible()] == ["THUMBNAIL_GENERATE"] * 12 + ["email"] * 2


def test_every_key_sorts_as_python_does(busy_desk: Desk) -> None:
    jobs = {job.seq: job for job in busy_desk.jobs(limit=100).jobs}
    now = busy_desk.clock.now()
    values: dict[str, Callable[[Job], Any]] = {
        "state": lambda job: job.state.value, "type": lambda job: job.type, "queue": lambda job: job.queue,
        "priority": lambda job: job.priority, "try": lambda job: job.attempt, "age": lambda job: job.seq,
        "took": lambda job: None if job.started_at is None else (job.finished_at or now) - job.started_at,
    }  # fmt: skip
    assert values.keys() == KEYS.keys()
    for key, value in values.items():
        for descending in (False, True):
            found = [value(jobs[seq]) for seq in sorting.seqs(busy_desk.ledger, parse(""), Order(key, descending))]
            told = [one for one in found if one is not None]
            assert len(found) == len(jobs)
            assert told == sorted(told, reverse=descending), key
            assert found == told + [None] * (len(found) - len(told)), "what has no value comes last"


async def test_a_click_on_a_row_puts_the_cursor_there(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.pilot.click("JobTable", offset=(20, 2 + 5))  # below border and titles
        await robot.until(lambda: robot.table.cursor == 5, "the sixth row")
        await robot.press("6", "1")
        await robot.sees("processing.images")
        lines = robot.screen.splitlines()
        row = next(number for number, line in enumerate(lines) if "email-sending" in line)
        await robot.pilot.click(offset=(10, row))
        await robot.until(lambda: "email-sending" in str(getattr(robot.app.focused, "key", "")), "that queue")


async def test_newest_first_chosen_while_it_sorts_ends_the_word_for_it(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        robot.table.sort(Order("type"))
        assert robot.table.sorting
        robot.table.sort(None)
        assert not robot.table.sorting
        await robot.sees("following")
