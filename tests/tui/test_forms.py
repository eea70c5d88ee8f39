"""The forms: checked as one types, and doing what they say."""

import pytest
from textual.widgets import Input

from jobdesk.core.job import State
from jobdesk.core.outcome import failure
from jobdesk.desk import Desk
from jobdesk.ledger import moves
from tests.support.factory import claim
from tests.support.robot import Robot, opened


@pytest.fixture
def failed(desk: Desk) -> str:
    """The id of a command that failed."""
    made = desk.submit("command", {"argv": ["false"]}, retries=0)
    job = claim(desk.ledger)
    with desk.ledger.write() as tx:
        moves.fail(tx, job, failure("ExitCode", "false ended with exit code 1", retryable=False), None)
    return made.id


async def edit(robot: Robot) -> Input:
    """Open the form of the job under the cursor; the field of its command."""
    await robot.jobs()
    await robot.until(lambda: robot.table.current is not None, "the job is under the cursor")
    await robot.press("e")
    await robot.sees("Edit and retry: command", "Nothing changed", '["false"]')
    return robot.app.screen.query_one("#field-argv", Input)


async def test_an_ended_job_is_edited_and_run_again_and_the_change_is_shown(desk: Desk, failed: str) -> None:
    async with opened(desk) as robot:
        (await edit(robot)).value = '["true"]'
        await robot.sees("- argv: ['false']", "+ argv: ['true']")
        await robot.press("ctrl+s")
        await robot.until(lambda: desk.job(failed).state is State.PENDING, "it waits again")
    assert desk.job(failed).data["argv"] == ["true"]


async def test_what_does_not_fit_is_refused_and_changes_nothing(desk: Desk, failed: str) -> None:
    async with opened(desk) as robot:
        (await edit(robot)).value = '{"not": "a list"}'
        await robot.sees("'argv'")
        await robot.press("ctrl+s")
        await robot.sees("Edit and retry")
        await robot.press("escape")
    assert desk.job(failed).state is State.FAILED
    assert desk.job(failed).data["argv"] == ["false"]


async def test_a_schedule_is_said_in_words_while_its_expression_is_typed(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("5")
        await robot.sees("none is on")
        await robot.press("n")
        await robot.sees("New schedule: of which type?")
        await robot.type("demo.long")
        await robot.press("enter")
        await robot.sees("New schedule: demo.long", "give a cron expression")
        await robot.type("nightly")
        await robot.press("tab")
        await robot.type("30 2 * * mon")
        await robot.sees("At 02:30", "Mon 20")
        await robot.press("ctrl+s")
        await robot.sees("Added nightly", "nightly  ")
    assert desk.schedule("nightly").spec.cron == "30 2 * * mon"


async def test_the_new_job_form_gives_the_command_that_does_the_same(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("n")
        await robot.sees("New job: which type?")
        await robot.type("demo.long")
        await robot.press("enter")
        await robot.sees("Ready to submit.", "jobdesk submit demo.long")


async def test_an_empty_form_shows_how_a_list_of_texts_is_typed_and_names_no_none(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("n")
        await robot.sees("which type")
        await robot.type("email")
        await robot.press("enter")
        await robot.sees("New job: email", 'a list: ["a", "b"]', "'to' is missing", "'subject' is wrong")
        assert "None" not in robot.screen


async def test_a_field_of_the_job_is_told_from_one_of_the_payload(desk: Desk) -> None:
    async with opened(desk, (120, 40)) as robot:
        await robot.press("n")
        await robot.type("email")
        await robot.press("enter")
        await robot.sees("New job: email", "job's priority", "delay")
        await robot.sees_no("job's delay")
