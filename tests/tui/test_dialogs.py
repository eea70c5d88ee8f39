"""The dialogs of alerts, charts and pictures, and what the mouse does in every dialog."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from textual_image.widget import SixelImage

from jobdesk.core.alert import Reading, Severity
from jobdesk.desk import Desk
from jobdesk.ledger import alerts
from jobdesk.runtime.summarizer import Summarizer
from jobdesk.tui import graphics
from jobdesk.tui.pictures import Pictures
from jobdesk.tui.screens.pictures import ShowPictures
from jobdesk.tui.widgets.listing import Listing
from tests.support.clock import FakeClock
from tests.support.robot import Robot, opened
from tests.support.watching import rule

SETTINGS = "[alerts.rules.deep]\nmeasure = 'queue_depth'\nabove = 1\n"


@pytest.fixture
def alarmed(busy_desk: Desk) -> Desk:
    """Two queues are too full; that of a third was, and is over."""
    deep = [rule("queue_depth", name="deep", severity=Severity.ERROR)]
    for at_once, queues in enumerate(
        (("notifications", "video-scraping", "default"), ("notifications", "video-scraping"))
    ):
        found = {"deep": [Reading(queue, 5.0, f"5 jobs of queue {queue} wait", queue) for queue in queues]}
        with busy_desk.ledger.write() as tx:
            alerts.take_down(tx, deep, found, 15.0, at_once=bool(at_once))
    return busy_desk


async def click(robot: Robot, word: str) -> None:
    """Click where a word stands, at its last place on the screen."""
    rows = robot.screen.splitlines()
    y = max(at for at, row in enumerate(rows) if word in row)
    await robot.pilot.click(offset=(rows[y].rindex(word), y))


async def test_alerts_are_acknowledged_silenced_and_let_speak_again(alarmed: Desk) -> None:
    async with opened(alarmed) as robot:
        await robot.sees("2 alerts", "▲ alert", "5 jobs of queue")
        await robot.press("b")
        await robot.sees("Alerts: 2 active, 1 over", "✓ cleared", "threshold")
        await robot.press("A")
        await robot.sees("Alerts: 1 active, 1 acknowledged, 1 over")
        await robot.press("home", "L")
        await robot.sees("1 silenced", "end its silence")
        await robot.press("L")
        await robot.sees("Alerts: 1 active, 1 acknowledged, 1 over")
        await robot.press("home", "enter")
        await robot.until(lambda: str(robot.table.query_asked).startswith("queue:"), "its jobs are listed")


async def test_alerts_open_by_the_mouse_and_dialogs_close_by_it(alarmed: Desk) -> None:
    async with opened(alarmed) as robot:
        await robot.sees("2 alerts")
        await robot.pilot.click(offset=(robot.screen.splitlines()[0].index("2 alerts"), 0))
        await robot.sees("Alerts: 2 active")
        await click(robot, "acknowledge")
        await robot.sees("Alerts: 1 active, 1 acknowledged")
        await click(robot, "close")
        await robot.sees_no("Alerts: 1 active")
        await robot.press("exclamation_mark")
        await robot.sees("Colours")
        await robot.pilot.click(offset=(1, 1))
        await robot.sees_no("Colours")


@pytest.mark.parametrize(
    ("word", "opens"),
    [("? help", "Keys"), (": commands", "Rejected files"), ("a actions", "Actions"), ("n new", "which type?")],
)
async def test_a_click_on_a_key_at_the_foot_opens_what_it_opens_and_one_beside_closes_it(
    busy_desk: Desk, word: str, opens: str
) -> None:
    async with opened(busy_desk, (120, 40)) as robot:
        await robot.sees("Queues", word)
        before = robot.screen.count(opens)
        await click(robot, word)
        await robot.until(lambda: robot.screen.count(opens) > before, f"{opens} is open")
        await robot.pilot.pause()
        assert robot.screen.count(opens) > before, "and stays"
        await robot.pilot.click(offset=(1, 1))
        await robot.until(lambda: robot.screen.count(opens) == before, "it is closed")


@pytest.mark.parametrize(("view", "word"), [("1", "Needs you"), ("2", "Jobs · 23"), ("3", "When they came")])
async def test_the_right_button_shows_what_can_be_done_with_a_row(busy_desk: Desk, view: str, word: str) -> None:
    async with opened(busy_desk) as robot:
        await robot.press(view)
        await robot.sees(word, "ConnectTimeout")
        rows = robot.screen.splitlines()
        y = max(at for at, row in enumerate(rows) if "ConnectTimeout" in row and "│" in row)
        await robot.pilot.click(offset=(rows[y].index("ConnectTimeout"), y), button=3)
        await robot.sees("Actions", "Retry", "jobdesk jobs retry")


async def test_who_only_looks_may_not_acknowledge(alarmed: Desk) -> None:
    async with opened(alarmed, read_only=True) as robot:
        await robot.press("b")
        await robot.sees("Alerts: 2 active")
        assert "acknowledge" not in robot.screen
        await robot.press("A")
        await robot.press("escape")
        assert len([one for one in alarmed.alerts() if one.acked_at is None]) == 2


async def test_without_alerts_the_dialog_says_where_rules_stand(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("b")
        await robot.sees("Nothing is wrong", "[alerts.rules]")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_charts_of_the_last_hour(busy_desk: Desk, clock: FakeClock, size: tuple[int, int]) -> None:
    Summarizer(busy_desk.ledger, clock).run_once()
    async with opened(busy_desk, size) as robot:
        await robot.press("d")
        await robot.sees("Jobs a minute", "completed", "p50", "Ready jobs, by queue", "notifications", "by type")
        await robot.until(lambda: any("⠀" < sign <= "⣿" for sign in robot.screen), "lines are drawn")
        await robot.press("d")
        await robot.sees_no("by type")


async def test_what_lies_below_a_dialog_stands_still(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.press("question_mark")
        await robot.sees("Keys and what they do")
        queues = robot.app.main.query_one("#queues", Listing)
        before = queues.items
        busy_desk.resume("notifications")
        await robot.until(lambda: not any(one.paused_at for one in robot.app.snapshot.queues), "it is read")
        assert queues.items is before
        await robot.press("escape")
        await robot.until(lambda: queues.items is not before, "it is drawn")


async def test_a_command_is_copied_from_the_form_of_a_new_job(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("n")
        await robot.sees("which type?")
        await robot.type("demo.flaky")
        await robot.press("enter")
        await robot.sees("Ready to submit")
        await robot.press("f3")
        await robot.until(lambda: robot.app.clipboard.startswith("jobdesk submit demo.flaky"), "it is copied")
        await click(robot, "submit ")
        await robot.until(lambda: [job.type for job in desk.jobs().jobs] == ["demo.flaky"], "it is submitted")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (64, 64), (200, 30, 30)).save(path)
    return path


async def test_without_the_extra_a_sentence_says_what_draws_pictures(
    desk: Desk, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "textual_image", None)
    async with opened(desk) as robot:
        robot.app.push_screen(ShowPictures(Pictures((photo,)), graphics.graphics(robot.app)))
        await robot.sees('pip install "jobdesk[pictures]"', "64 x 64", "▀▀▀")


async def test_a_terminal_that_can_draws_the_picture_itself(desk: Desk, photo: Path) -> None:
    async with opened(desk) as robot:
        robot.app.push_screen(ShowPictures(Pictures((photo,)), graphics.Graphics(SixelImage)))
        await robot.sees("64 x 64", "\x1bP")  # a string of Sixels begins so


async def test_with_ascii_they_are_plain_too(alarmed: Desk, clock: FakeClock) -> None:
    Summarizer(alarmed.ledger, clock).run_once()
    async with opened(alarmed, (80, 24), ascii=True) as robot:
        for key, word in (("b", "Alerts: 2 active"), ("escape", "Queues"), ("d", "completed"), ("d", "Queues")):
            await robot.press(key)
            await robot.sees(word)
            await robot.until(
                lambda: all(sign.isascii() for sign in robot.screen), "nothing beyond seven bits is drawn"
            )
