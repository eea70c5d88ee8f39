"""An open job: its log, its data, its flow, what is taken out of it and what is done with it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from jobdesk.core.job import Artifact, State
from jobdesk.desk import Desk
from jobdesk.ledger import moves, reports
from jobdesk.tui import outside, personal
from tests.support.factory import claim, submit
from tests.support.robot import Robot, opened

SIZES = [(80, 24), (120, 40)]
sizes = pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])


def talkative(desk: Desk, count: int, **data: object) -> str:
    """A running job that has written so many lines; its id."""
    desk.sync_queues()
    id_ = submit(desk.ledger, type="command", queue="default", data={"argv": ["make"], **data})
    say(desk, claim(desk.ledger).id, 0, count)
    return id_


def say(desk: Desk, id_: str, start: int, stop: int) -> None:
    lines = [
        (desk.clock.now() + n, "error" if n % 10 == 9 else "info", f"line {n:05} of it") for n in range(start, stop)
    ]
    with desk.ledger.write() as tx:
        reports.log(tx, desk.job(id_), lines)


async def open_page(robot: Robot, page: str) -> None:
    """Open the job under the cursor, with the focus in it, at a page."""
    await robot.jobs()
    await robot.until(lambda: robot.table.current is not None, "a job is under the cursor")
    await robot.press("enter")
    await robot.sees("Timeline")
    view = robot.app.job_view
    if not view.has_page_focus:
        await robot.press("enter")
        await robot.until(lambda: view.has_page_focus, "keys go to the job")
    while view.page != page:
        before = view.page
        await robot.press("right")
        await robot.until(lambda was=before: view.page != was, "another page")  # type: ignore[misc]
    await robot.until(lambda: robot.app.frame is not None and robot.app.frame.scene.page == page, "the page is open")


@sizes
async def test_the_log_is_followed_until_one_goes_up_and_says_how_many_lines_are_below(
    desk: Desk, size: tuple[int, int]
) -> None:
    id_ = talkative(desk, 1000)
    async with opened(desk, size) as robot:
        await open_page(robot, "Log")
        await robot.sees("line 00999", "1,000 lines")
        say(desk, id_, 1000, 1100)
        await robot.sees("line 01099", "1,100 lines")
        await robot.press("g")
        await robot.sees("line 00000", "lines, f follows")
        say(desk, id_, 1100, 1101)
        await robot.sees("line 00000")
        await robot.press("f")
        await robot.sees("line 01100", "1,101 lines")


@sizes
async def test_slash_finds_in_the_log_and_n_goes_from_match_to_match(desk: Desk, size: tuple[int, int]) -> None:
    talkative(desk, 1000)
    async with opened(desk, size) as robot:
        await open_page(robot, "Log")
        await robot.sees("line 00999")
        await robot.press("g", "slash")
        await robot.type("LINE 0050")
        await robot.press("enter")
        await robot.sees("1 of 10", "line 00500")
        await robot.press("n", "n")
        await robot.sees("3 of 10")
        await robot.press("N")
        await robot.sees("2 of 10")
        await robot.press("escape")
        await robot.sees_no("2 of 10")
        assert robot.app.job_view.page == "Log"


@sizes
async def test_w_and_t_change_how_lines_are_shown(desk: Desk, size: tuple[int, int]) -> None:
    id_ = talkative(desk, 1)
    with desk.ledger.write() as tx:
        reports.log(tx, desk.job(id_), [(tx.now, "info", "begins " + "x" * 300 + " ends")])
    async with opened(desk, size) as robot:
        await open_page(robot, "Log")
        await robot.sees("begins", "ends")
        await robot.press("w")
        await robot.until(lambda: " ends" not in robot.screen, "the line is cut")
        await robot.press(*["right"] * 40)
        await robot.sees(" ends")
        assert robot.app.job_view.page == "Log"
        await robot.press("t")
        await robot.sees("time since the start", "+")
        await robot.press("t")
        await robot.sees("no times")


async def test_nothing_that_a_job_prints_breaks_the_screen(desk: Desk) -> None:
    id_ = talkative(desk, 1)
    evil = "\x1b[2Jwiped \x1b]0;title\x07 \x9b31m \x1b[1;31mred\x1b[0m \u202eback\x00\r done"
    with desk.ledger.write() as tx:
        reports.log(tx, desk.job(id_), [(tx.now, "info", evil)])
    async with opened(desk) as robot:
        await open_page(robot, "Log")
        await robot.sees("^[[2Jwiped", "red", "done")
        assert all(letter.isprintable() or letter == "\n" for letter in robot.screen)


@sizes
async def test_data_folds_and_unfolds(desk: Desk, size: tuple[int, int]) -> None:
    talkative(desk, 1, nested={"inner": [1, 2, 3], "word": "deep"})
    async with opened(desk, size) as robot:
        await open_page(robot, "Data")
        await robot.sees("nested", "inner", "deep")
        while robot.app.job_view.entry is None or robot.app.job_view.entry.value != {
            "inner": [1, 2, 3],
            "word": "deep",
        }:
            await robot.press("down")
        await robot.press("enter")
        await robot.sees_no("deep")
        await robot.press("space")
        await robot.sees("deep")


@sizes
async def test_another_job_of_the_flow_is_opened_from_its_tree(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.filter("state:blocked")
        await open_page(robot, "Flow")
        await robot.sees("IMAGE_RESIZE", "NOTIFICATION_SEND")
        await robot.press("g", "enter")
        await robot.sees("IMG_2041", "1080 px")
        await robot.press("escape")
        await robot.until(lambda: robot.app.job_view.page == "Flow", "back at the tree")


async def test_the_copy_menu_copies_what_is_chosen(busy_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        await robot.press("Y")
        await robot.sees("payload", "traceback", "ConnectTimeout: no answer")
        await robot.type("payload")
        await robot.press("enter")
        await robot.sees("Copied: payload")
        assert json.loads(robot.app.clipboard)["to"].startswith("ada")


async def test_a_program_for_the_terminal_needs_one_and_says_so(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        await robot.press("P")
        await robot.sees("needs a terminal of its own")


async def test_an_edited_payload_is_checked_and_shown_before_it_is_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = talkative(desk, 1)
    with desk.ledger.write() as tx:
        moves.complete(tx, desk.job(id_), None)
    texts = ["{ no json", '{"argv": ["true"], "strange": 1}', '{"argv": ["true"]}']

    def edit(app: object, command: list[str], file: Path) -> None:
        file.write_text(texts.pop(0))

    monkeypatch.setattr(outside, "run", edit)  # the editor: there is no terminal here
    async with opened(desk) as robot:
        await robot.jobs()
        await robot.until(lambda: robot.table.current is not None, "the job is under the cursor")
        await robot.press("O")
        await robot.sees("It is no JSON")
        await robot.press("y")
        await robot.sees("takes no 'strange'")
        await robot.press("y")
        await robot.sees("Edit and retry", "+ argv: ['true']")
        await robot.press("ctrl+s")
        await robot.until(lambda: desk.job(id_).state is State.PENDING, "it runs again")
    assert desk.job(id_).data["argv"] == ["true"]


async def test_a_duplicate_begins_with_the_same_data(desk: Desk) -> None:
    id_ = talkative(desk, 1)
    async with opened(desk) as robot:
        await robot.jobs()
        await robot.until(lambda: robot.table.current is not None, "the job is under the cursor")
        await robot.press("D")
        await robot.sees("New job: command", '["make"]', "Ready to submit.")
        await robot.press("ctrl+s")
        await robot.sees("Submitted command")
    other = next(job for job in desk.jobs("state:pending").jobs if job.id != id_)
    assert desk.job(other.id).data["argv"] == ["make"]


@sizes
async def test_a_scheduled_job_is_run_now(busy_desk: Desk, size: tuple[int, int]) -> None:
    id_ = busy_desk.jobs("state:scheduled").jobs[0].id
    async with opened(busy_desk, size) as robot:
        await robot.filter("state:scheduled")
        await robot.until(lambda: "+ run now" in robot.keys, "it is offered")
        await robot.press("plus")
        await robot.until(lambda: busy_desk.job(id_).state is State.PENDING, "it is ready")
        await robot.sees("Made ready: email")


async def test_a_job_that_waits_is_given_another_priority(busy_desk: Desk) -> None:
    id_ = busy_desk.jobs("state:scheduled").jobs[0].id
    async with opened(busy_desk) as robot:
        await robot.filter("state:scheduled")
        await robot.press("U")
        await robot.sees("Priority of email")
        await robot.type("urgent")
        await robot.press("enter")
        await robot.until(lambda: busy_desk.job(id_).priority == 100, "it is urgent")


async def test_the_split_is_remembered(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.press("enter")
        await robot.sees("Timeline")
        before = robot.app.job_view.size.width
        await robot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        await robot.until(lambda: robot.app.job_view.size.width > before, "it is wider")
    assert personal.recall(busy_desk.home.remembered).split == 50


@sizes
async def test_processors_are_explained_and_broken_ones_say_why(desk: Desk, size: tuple[int, int]) -> None:
    (desk.home.processors / "wrong.py").write_text("import nothing_of_this_name\n")
    async with opened(desk, size) as robot:
        await robot.press("M")
        await robot.sees("1 broken", "does not load", "nothing_of_this_name")
        await robot.type("IMAGE_RESIZE")
        await robot.sees("Make renditions", "widths", "processing.images", "required")
        await robot.press("enter")
        await robot.sees("New job: IMAGE_RESIZE")


@sizes
async def test_pictures_before_and_after(desk: Desk, size: tuple[int, int], tmp_path: Path) -> None:
    before, after = tmp_path / "before.png", tmp_path / "after.png"
    Image.new("RGB", (64, 64), (200, 30, 30)).save(before)
    Image.new("RGB", (32, 32), (30, 30, 200)).save(after)
    id_ = talkative(desk, 1, source=str(before))
    with desk.ledger.write() as tx:
        reports.artifacts(tx, desk.job(id_), [Artifact(str(after), "image", after.stat().st_size)])
    async with opened(desk, size) as robot:
        await open_page(robot, "Job")
        await robot.press("i")
        await robot.sees("Before: before.png", "After: after.png", "64 x 64", "32 x 32", "▀▀▀▀")
        await robot.press("escape")
        await robot.sees("Timeline")


async def test_a_file_that_is_no_picture_is_said_and_harms_nothing(desk: Desk, tmp_path: Path) -> None:
    fake = tmp_path / "fake.png"
    fake.write_bytes(b"\x89PNG\r\n" + b"\x00" * 100)
    talkative(desk, 1, source=str(fake))
    async with opened(desk) as robot:
        await open_page(robot, "Job")
        await robot.press("i")
        await robot.sees("cannot identify image file")
