"""What is drawn anew, and what is not: by counting, never by the clock."""

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual import events
from textual.css.stylesheet import Stylesheet
from textual.geometry import Region
from textual.strip import Strip

from jobdesk.desk import Desk
from jobdesk.tui.widgets.job_table import JobTable
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.listing import Listing
from jobdesk.tui.widgets.log_view import LogView
from tests.support.factory import submit
from tests.support.robot import Robot, opened

SMALL = (120, 18)
MANY = 120


@pytest.fixture
def long_desk(desk: Desk) -> Desk:
    for number in range(MANY):
        submit(desk.ledger, type="email", queue="email-sending", data={"to": f"ada{number:03}@example.org"})
    return desk


def under_cursor(robot: Robot) -> list[str]:
    return [line for line in robot.screen.splitlines() if "▌" in line and "@" in line]


async def stands_on(robot: Robot, number: int) -> None:
    def drawn() -> bool:
        lines = under_cursor(robot)
        return len(lines) == 1 and f"ada{number:03}@" in lines[0]

    await robot.until(drawn, f"the cursor is drawn on number {number}")


def press_at_once(robot: Robot, *keys: str) -> None:
    """Keys that are there before the first of them is looked at."""
    for key in keys:
        robot.app.post_message(events.Key(key, None))


async def test_the_cursor_is_seen_to_move_in_a_list_that_has_been_scrolled(long_desk: Desk) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        await robot.press("end")
        await stands_on(robot, 0)
        for number in (1, 2, 3):
            await robot.press("up")
            await stands_on(robot, number)
        await robot.press("down")
        await stands_on(robot, 2)
        await robot.press("home")
        await stands_on(robot, MANY - 1)


async def test_a_job_that_changes_is_drawn_anew_in_a_list_that_has_been_scrolled(long_desk: Desk) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        await robot.press("end")
        await stands_on(robot, 0)
        assert "cancelled" not in robot.screen
        long_desk.cancel(robot.table._visible()[-3][1].id)
        await robot.sees("cancelled")


async def test_an_older_job_that_changes_is_drawn_anew_in_a_list_that_follows(long_desk: Desk) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        await stands_on(robot, MANY - 1)
        assert robot.table.following
        assert "cancelled" not in robot.screen
        long_desk.cancel(robot.table._visible()[2][1].id)
        await robot.sees("cancelled")


async def test_a_row_that_changes_is_drawn_anew_in_a_listing_that_has_been_scrolled(busy_desk: Desk) -> None:
    async with opened(busy_desk, (120, 24)) as robot:
        ended = robot.app.screen.query_one("#finished", Listing)
        await robot.until(lambda: ended.hidden and ended.size.height > 1, "more has ended than there are rows for")
        ended.focus()
        await robot.press("end")
        await robot.until(lambda: ended.max_scroll_y and ended.scroll_offset.y == ended.max_scroll_y, "it is scrolled")
        ended.render_lines(Region(0, 0, *ended.outer_size))
        last = ended.items[-1]
        ended.show([*ended.items[:-1], replace(last, cells={**last.cells, "type": (("another", "text"),)})])
        lines = ended.render_lines(Region(0, 0, *ended.outer_size))
        assert "another" in lines[-2].text


async def test_keys_that_come_at_once_are_drawn_once(long_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    arrive = JobTable._arrive

    def counted(table: JobTable) -> None:
        drawn.append(table.cursor)
        arrive(table)

    monkeypatch.setattr(JobTable, "_arrive", counted)
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        press_at_once(robot, *["down"] * 100)
        await stands_on(robot, MANY - 101)
        assert len(drawn) < 25


async def test_no_key_overtakes_another(long_desk: Desk) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        press_at_once(robot, "down", "space", "down", "space", "j", "g", "space")
        await robot.until(lambda: len(robot.table.marks) == 3, "three are marked")
        marked = sorted(line.subject for line in robot.table.marks.lines)
        assert marked == [f"ada{MANY - number:03}@example.org" for number in (4, 2, 1)]


async def test_a_row_that_has_only_moved_stays_the_same_strip(long_desk: Desk) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        await robot.press(*["down"] * 40)
        await stands_on(robot, MANY - 41)
        table = robot.table
        whole = Region(0, 0, *table.outer_size)
        before = table.render_lines(whole)
        await robot.press("down")
        await stands_on(robot, MANY - 42)
        after = table.render_lines(whole)
        rows = range(2, len(before) - 3)  # without frame, titles and cursor
        assert len(rows) > 5
        assert all(after[y] is before[y + 1] for y in rows)


async def test_another_title_draws_the_frame_and_no_row(long_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        await stands_on(robot, MANY - 1)
        table, paint = robot.table, JobTable.render_line
        drawn: list[int] = []

        def drawing(table: JobTable, y: int) -> Strip:
            drawn.append(y)
            return paint(table, y)

        retitle(table, "Jobs", "before")
        await robot.sees("before")
        monkeypatch.setattr(JobTable, "render_line", drawing)
        retitle(table, "Other jobs", "7 new")
        whole = table.render_lines(Region(0, 0, *table.outer_size))
        assert "Other jobs" in whole[0].text
        assert "7 new" in whole[-1].text
        assert not drawn


async def test_rows_look_as_the_theme_says_after_it_has_changed(long_desk: Desk) -> None:
    async with opened(long_desk, SMALL) as robot:
        await robot.jobs()
        table, whole = robot.table, Region(0, 0, 40, 6)
        before = [segment.style for segment in table.render_lines(whole)[3]]
        robot.app.theme = "jobdesk-light"
        await robot.until(
            lambda: [segment.style for segment in table.render_lines(whole)[3]] != before, "it has other colours"
        )


async def test_the_style_sheet_is_read_anew_only_for_other_colours(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Stylesheet] = []
    reparse = Stylesheet.reparse

    def reading(sheet: Stylesheet) -> None:
        read.append(sheet)
        reparse(sheet)

    monkeypatch.setattr(Stylesheet, "reparse", reading)
    async with opened(desk) as robot:
        await robot.sees("Nothing runs now")
        assert not read
        robot.app.theme = "jobdesk-light"
        await robot.until(lambda: len(read) == 1, "it has been read")


async def test_a_log_is_drawn_once_for_keys_that_come_at_once(busy_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    draw = LogView.draw

    def counted(view: LogView) -> None:
        drawn.append(view)
        draw(view)

    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.filter("state:processing")
        await robot.press("enter")
        await robot.sees("Log")
        await robot.press("tab", "right")
        view = robot.app.screen.query_one(LogView)
        await robot.until(lambda: view.display and view.has_focus and view._state.total, "the log is open")
        monkeypatch.setattr(LogView, "draw", counted)
        press_at_once(robot, *["up"] * 50)
        await robot.until(lambda: drawn and not view._moving, "it has been drawn")
        assert len(drawn) < 20


@pytest.fixture
def without_collection() -> Iterator[None]:
    """As the command starts the app."""
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


async def test_garbage_is_looked_for_again_once_the_first_frame_is_there(desk: Desk, without_collection: None) -> None:
    async with opened(desk) as robot:
        await robot.until(gc.isenabled, "it is looked for")
        assert gc.get_freeze_count()
