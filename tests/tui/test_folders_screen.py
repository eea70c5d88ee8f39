"""The sixth screen: drop folders, their files, what was refused, and what would become of a file."""

import json
from pathlib import Path

import pytest

from jobdesk.desk import Desk
from jobdesk.folders.rejected import refused
from jobdesk.tui.widgets.listing import Listing
from tests.support.robot import opened

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_folder_says_how_it_is_watched_and_what_it_does(dropped: Desk, size: tuple[int, int]) -> None:
    async with opened(dropped, size) as robot:
        await robot.press("6")
        await robot.sees("inbox", "at once", "what is dropped is noticed", "IMAGE_UPLOAD_REQUESTED", "settling")
        await robot.sees("rejected", "duplicate", "done", "T look through", "F test a file", "Q rejected")


async def test_a_file_says_what_became_of_it_and_why(dropped: Desk) -> None:
    async with opened(dropped) as robot:
        await robot.press("6")
        await robot.sees("Rejected lately")
        await robot.press("tab")
        await robot.sees("still changing", "F says what each rule makes of it")
        for name, words in (
            ("notes.jpg", "is named like a picture"), ("again.jpg", "same as"), ("beach.jpg", "_done/2026-01-01"),
        ):  # fmt: skip
            await robot.press("down")
            await robot.sees(name, words, "sha256")


async def test_rejected_files_and_the_quarantine_are_listed_with_their_reasons(dropped: Desk) -> None:
    async with opened(dropped) as robot:
        await robot.press("Q")
        await robot.sees("Rejected files: 2, 1 of them in quarantine", "notes.jpg", "virus.zip", "lies in")
        await robot.press("home")
        listing = robot.app.focused
        assert isinstance(listing, Listing)
        names = [getattr(item.value, "name", "") for item in listing.items]
        await robot.press(*["down"] * names.index("virus.zip"))
        await robot.sees("Eicar-Test-Signature", "no retry brings it back")
        await robot.press("escape")
        await robot.sees_no("Rejected files")


async def test_a_folder_without_files_says_where_to_drop_one(desk: Desk) -> None:
    home = desk.home.path
    home.joinpath("jobdesk.toml").write_text('[[folders]]\npath = "scans"\npipeline = "file-processing"\n')
    async with opened(desk) as robot:
        await robot.press("6")
        await robot.sees("Drop a file into", "scans, newest first")


async def test_nothing_refused_is_said(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("Q")
        await robot.sees("Nothing was rejected, and nothing is in quarantine.")


async def test_what_would_happen_to_a_file_is_said_rule_by_rule(dropped: Desk, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 64 + b"\xff\xd9")
    (tmp_path / "half.part").write_text("x")
    async with opened(dropped) as robot:
        await robot.press("6")
        await robot.sees("Rejected lately")
        await robot.press("F")
        await robot.sees("What would happen to a file", "Type the path of a file")
        await robot.press("ctrl+u")
        await robot.type(f"{tmp_path}/holiday.jpg")
        await robot.sees("holiday.jpg does not lie in", "patterns", "an ordinary file", "image/jpeg by its content")
        await robot.press("ctrl+u")
        await robot.type(f"{tmp_path}/half.part")
        await robot.sees("temporary name")
        await robot.press("escape")
        await robot.sees_no("What would happen")


async def test_a_folder_is_looked_through_at_once(dropped: Desk) -> None:
    from jobdesk.ledger import folders

    async with opened(dropped) as robot:
        await robot.press("6")
        await robot.sees("Rejected lately")
        await robot.press("T")
        await robot.sees("looked through when a consumer starts")
    assert folders.scan_wanted_at(dropped.ledger, str(dropped.home.inbox)) is not None


async def test_of_data_the_value_under_the_cursor_is_copied(busy_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with opened(busy_desk, (80, 24)) as robot:
        await robot.filter("type:IMAGE_RESIZE")
        await robot.press("enter")
        await robot.sees("Timeline")
        await robot.press("right", "right")
        await robot.sees("Payload", "y copy value")
        await robot.press("down", "y")
        await robot.until(lambda: robot.app.clipboard == "/photos/IMG_2041.jpg", "the value is copied")
        await robot.sees("Copied: payload.source")
        await robot.press("up", "y")
        await robot.until(lambda: robot.app.clipboard.startswith("{"), "all of the payload is copied")
        assert json.loads(robot.app.clipboard) == {"source": "/photos/IMG_2041.jpg"}


def test_refused_files_are_read_whatever_lies_beside_them(tmp_path: Path) -> None:
    day = tmp_path / "drop" / "_rejected" / "2026-01-01"
    day.mkdir(parents=True)
    (day / "plain.jpg").write_text("x")
    (day / "broken.jpg").write_text("x")
    (day / "broken.jpg.error.json").write_text("{no json")
    (day / "odd.jpg").write_text("x")
    (day / "odd.jpg.error.json").write_text(json.dumps({"reason": ["a", "list"], "message": None, "job_id": 7}))
    (day / "link").symlink_to("/etc/passwd")
    (day / ".file.new").write_text("x")
    found = refused([tmp_path / "drop", tmp_path / "nowhere"], tmp_path / "quarantine")
    assert {one.name for one in found} == {"plain.jpg", "broken.jpg", "odd.jpg"}
    assert all(one.reason == one.message == "" and one.job is None and not one.quarantined for one in found)
