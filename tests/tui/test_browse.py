"""Dead letters, flows and schedules: what they show, and what their keys do."""

import pytest

from jobdesk.core.job import State
from jobdesk.core.outcome import failure
from jobdesk.desk import Desk
from jobdesk.ledger import moves
from tests.support.factory import claim
from tests.support.robot import opened

SIZES = [(80, 24), (120, 40), (200, 60)]
SETTINGS = """
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


def state_of(desk: Desk, flow: str, step: str) -> State:
    return next(job.state for job in desk.flow(flow).jobs if job.step == step)


@pytest.mark.parametrize("size", SIZES)
async def test_dead_letters_are_grouped_by_error_with_their_jobs(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.press("3")
        await robot.sees("ConnectTimeout", "no answer from mail.example.org", "Newest", "ada91@example.org")


async def test_a_group_is_retried_as_a_whole_after_a_question(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.press("3")
        await robot.sees("ada91@example.org")
        await robot.press("r")
        await robot.sees("Retry 2 jobs?")
        await robot.press("y")
        await robot.sees_no("ConnectTimeout")
    assert busy_desk.jobs("to ada9").jobs == [] or all(
        job.state is State.PENDING for job in busy_desk.jobs("data.to:ada9*").jobs
    )
    assert len(busy_desk.jobs("state:pending data.to:ada9*").jobs) == 2


async def test_retrying_slowly_asks_how_fast_and_takes_no_nonsense(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.press("3")
        await robot.sees("ada91@example.org")
        await robot.press("R")
        await robot.sees("how many in which time")
        await robot.press(*["backspace"] * 4, *"fast", "enter")
        await robot.sees("fast")
        assert len(busy_desk.jobs("state:failed data.to:ada9*").jobs) == 2
        await robot.press(*["backspace"] * 4, *"1000/s", "enter")
        await robot.until(lambda: not busy_desk.jobs("state:failed data.to:ada9*").jobs, "both were retried")


async def test_enter_on_a_group_lists_its_jobs(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.press("3")
        await robot.sees("ada91@example.org")
        await robot.press("enter")
        await robot.until(
            lambda: robot.app.main.open_view == "jobs" and robot.table.total == 2, "its two jobs are listed"
        )


async def test_no_dead_letters_is_said(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("3")
        await robot.sees("No dead letters")
        await robot.press("4")
        await robot.sees("No flow yet")
        await robot.press("5")
        await robot.sees("none is on: n adds one", "analytics-hourly", "off")


@pytest.mark.parametrize("size", SIZES)
async def test_a_flow_is_drawn_as_a_graph(desk: Desk, size: tuple[int, int]) -> None:
    desk.start_flow("report")
    async with opened(desk, size) as robot:
        await robot.press("4")
        await robot.sees("running", "0/4", "├─╮", "├─╯", "fetch", "join", "blocked")


async def test_a_failed_flow_says_why_and_is_resumed_from_there(desk: Desk) -> None:
    flow = desk.start_flow("report")
    job = claim(desk.ledger)
    with desk.ledger.write() as tx:
        moves.fail(tx, job, failure("Broken", "the disk is on fire", retryable=False), None)
    async with opened(desk) as robot:
        await robot.press("4")
        await robot.sees("failed", "the disk is on fire")
        await robot.press("r")
        await robot.sees("Resumed the flow")
        assert state_of(desk, flow.id, "fetch") is State.PENDING
        await robot.press("c")
        await robot.sees("Cancel all of this flow")
        await robot.press("y")
        await robot.until(lambda: desk.flow(flow.id).state.value == "cancelled", "the flow is cancelled")


@pytest.mark.parametrize("size", SIZES)
async def test_a_schedule_shows_its_words_and_next_times(desk: Desk, size: tuple[int, int]) -> None:
    desk.add_schedule("nightly", "command", cron="30 2 * * mon-fri", timezone="Europe/Berlin", data={"argv": ["true"]})
    async with opened(desk, size) as robot:
        await robot.press("5")
        await robot.sees("nightly", "At 02:30", "Europe/Berlin", "02:30:00 C")


async def test_a_schedule_is_paused_triggered_and_removed_by_keys(desk: Desk) -> None:
    desk.add_schedule("nightly", "command", cron="30 2 * * *", data={"argv": ["true"]})
    async with opened(desk) as robot:
        await robot.press("5")
        await robot.sees("At 02:30")
        await robot.press("p")
        await robot.sees("Paused by", "p resume")
        await robot.press("T")
        await robot.until(lambda: len(desk.jobs("schedule:nightly").jobs) == 1, "its job is there")
        await robot.press("p")
        await robot.sees("p pause")
        await robot.press("X")
        await robot.sees("Remove the schedule nightly?")
        await robot.press("y")
        await robot.sees("none is on: n adds one")


async def test_a_schedule_that_comes_with_jobdesk_is_off_until_it_is_turned_on(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("5")
        await robot.sees("Off: it comes with jobdesk", "Next times, if it were on", "p turn on")
        await robot.press("T")
        await robot.sees("it is off: press p")
        await robot.press("p")
        await robot.until(lambda: [one.name for one in desk.schedules()] == ["daily-reports"], "it is on")
        await robot.sees("T run now")
        await robot.sees_no("Off: it comes with jobdesk")


async def test_read_only_says_so(desk: Desk) -> None:
    desk.add_schedule("nightly", "command", cron="30 2 * * *", data={"argv": ["true"]})
    async with opened(desk, read_only=True) as robot:
        await robot.press("5")
        await robot.sees("At 02:30")
        await robot.press("T")
        await robot.sees("read-only")
    assert not desk.jobs("schedule:nightly").jobs
