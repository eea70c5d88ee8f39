"""What is somebody's own: keys, themes, views, and where the app was when it was left."""

import json
from pathlib import Path

import pytest

from jobdesk.desk import Desk
from jobdesk.ledger.sorting import Order
from jobdesk.tui import personal
from jobdesk.tui.actions import ACTIONS
from jobdesk.tui.palette import DESK
from jobdesk.tui.personal import Remembered
from tests.support.clock import FakeClock
from tests.support.robot import opened


def with_settings(tmp_path: Path, clock: FakeClock, text: str, theme: str = "") -> Desk:
    home = tmp_path / "own"
    home.mkdir(mode=0o700)
    (home / "jobdesk.toml").write_text(text)
    if theme:
        (home / "themes").mkdir()
        (home / "themes" / "sea.toml").write_text(theme)
    return Desk(home, clock=clock)


async def test_view_filter_order_and_theme_are_there_again(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:completed,failed")
        robot.table.do_sort("type")
        await robot.sees("by type")
        robot.app.theme = "jobdesk-light"
        await robot.until(lambda: robot.app.theme == "jobdesk-light", "it is light")
        robot.app.viewed()
    kept = json.loads(busy_desk.home.remembered.read_text())
    assert (kept["view"], kept["filter"], kept["theme"]) == ("jobs", "state:completed,failed", "jobdesk-light")
    async with opened(busy_desk) as robot:
        await robot.until(lambda: robot.app.main.open_view == "jobs", "the list of jobs is open")
        await robot.until(lambda: robot.table.total == 14, "its filter holds")
        assert robot.table.order == Order("type")
        assert robot.app.theme == "jobdesk-light"


async def test_an_order_without_a_filter_is_there_again(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        robot.table.do_sort("type")
        await robot.until(lambda: robot.app.remembered.order == "type", "the order is noted")
    first = min(job.type for job in busy_desk.jobs("").jobs)
    async with opened(busy_desk) as robot:
        await robot.until(
            lambda: robot.table.current is not None and robot.table.current.type == first, "it is sorted by type"
        )
        await robot.sees("by type")
        await robot.sees_no("following")


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"version": 99, "view": "jobs"}', '{"version": 1, "view": 7}'])
async def test_a_damaged_memory_opens_the_app_as_it_comes(busy_desk: Desk, damaged: str) -> None:
    busy_desk.home.remembered.write_text(damaged)
    assert personal.recall(busy_desk.home.remembered) == Remembered()
    async with opened(busy_desk) as robot:
        await robot.sees("Queues", "processing.images")


async def test_keys_of_the_settings_act_and_are_shown(tmp_path: Path, clock: FakeClock) -> None:
    desk = with_settings(tmp_path, clock, '[app]\nkeys = { help = "f5" }\n')
    async with opened(desk) as robot:
        await robot.until(lambda: "f5 help" in robot.keys, "the line of keys has it")
        await robot.press("f5")
        await robot.sees("Keys and what they do")


async def test_wrong_keys_and_themes_are_said_and_left_out(tmp_path: Path, clock: FakeClock) -> None:
    text = '[app]\ntheme = "see"\nkeys = { halp = "f5", retry = "c" }\n'
    desk = with_settings(tmp_path, clock, text, theme='primary = "nonsense"')
    async with opened(desk, (200, 60)) as robot:
        await robot.sees("'halp'", "did you mean 'help'", "the key of 'cancel' already", "'nonsense' is no colour")
        assert "? help" in robot.keys


async def test_a_theme_of_ones_own_is_taken(tmp_path: Path, clock: FakeClock) -> None:
    theme = 'dark = true\nprimary = "#112233"\nbackground = "#000011"\n[variables]\nmuted = "#999999"\n'
    desk = with_settings(tmp_path, clock, '[app]\ntheme = "sea"\n', theme=theme)
    async with opened(desk) as robot:
        assert robot.app.theme == "sea"
        assert robot.app.current_theme.primary == "#112233"
        assert robot.app.current_theme.error == DESK.error, "what it does not name is not all one colour"


def test_two_actions_never_share_a_key() -> None:
    actions, problems = personal.remapped(ACTIONS, {"retry": "f5", "cancel": "f5"})
    assert {one.id: one.keys for one in actions}["retry"] == "f5"
    assert len(problems) == 1
    assert "cancel" in problems[0]


async def test_brackets_go_back_and_forth_through_the_views(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        await robot.until(lambda: robot.table.total == 2, "filtered")
        await robot.press("4")
        await robot.sees("No flow yet")
        await robot.press("left_square_bracket")
        await robot.until(lambda: robot.app.main.open_view == "jobs" and robot.table.total == 2, "the filter again")
        await robot.press("right_square_bracket")
        await robot.until(lambda: robot.app.main.open_view == "flows", "the flows again")


async def test_a_filter_is_kept_under_a_name_and_opened_by_it(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        await robot.press("W")
        await robot.sees("Keep this view")
        await robot.type("broken")
        await robot.press("enter")
        await robot.sees("Kept as broken")
        await robot.press("escape", "1", "V")
        await robot.sees("Views", "broken", "failed today")
        await robot.type("broken")
        await robot.press("enter")
        await robot.until(lambda: robot.app.main.open_view == "jobs" and robot.table.total == 2, "its filter holds")


async def test_what_the_filter_shows_is_written_to_a_file(busy_desk: Desk, tmp_path: Path) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        await robot.press("E")
        await robot.sees("Write 2 jobs")
        await robot.press(*["backspace"] * len("jobs.ndjson"))
        await robot.type(str(tmp_path / "out.ndjson"))
        await robot.press("enter")
        await robot.sees("Wrote 2 jobs")
    lines = (tmp_path / "out.ndjson").read_text().splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["failed", "failed"]
