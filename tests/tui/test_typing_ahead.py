"""Keys that come faster than screens open mean what they would have meant later. All of a burst is sent at once."""

from textual import events

from jobdesk.desk import Desk
from tests.support.robot import Robot, opened


async def at_once(robot: Robot, *keys: str) -> None:
    """Send keys as a terminal does when they lie in its buffer: none waits for another."""
    await robot.until(lambda: robot.app.hears, "the job types are known")
    for key in keys:
        robot.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_a_word_behind_the_slash_is_the_filter(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await at_once(robot, "slash", *"sta", "tab", *"failed")
        await robot.sees("state:failed", "Jobs · 2")


async def test_letters_behind_a_key_that_takes_away_stay(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await at_once(robot, "slash", *"state:completex", "backspace", "d")
        await robot.sees("state:completed", "Jobs · 12")
        await at_once(robot, "ctrl+u", *"state:failed", "enter")
        await robot.sees("state:failed", "Jobs · 2")


async def test_a_name_behind_the_colon_is_a_command(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await at_once(robot, "colon", *"health", "enter")
        await robot.until(lambda: robot.app.main.open_view == "health", "it is opened")


async def test_keys_behind_a_number_are_those_of_its_screen(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.press("1")
        await robot.sees("Needs you")
        await at_once(robot, "2", "down", "down", "space", "space")
        await robot.sees("2 marked")


async def test_a_type_behind_n_is_chosen_by_it(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await at_once(robot, "n", *"demo.flaky", "enter")
        await robot.sees("New job: demo.flaky")


async def test_what_never_opens_holds_keys_for_a_moment_only(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        robot.app.patience_s = 0.2
        robot.app.opening()
        await at_once(robot, "7")
        await robot.until(lambda: robot.app.main.open_view == "health", "the key acts nevertheless")
