"""Folders that come, change and go while consumers run; and of several consumers one that watches each."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.errors import NotFound, Refused, UsageError
from jobdesk.folders.keeper import Keeper
from jobdesk.ledger import folders
from tests.support.home import consumer, end, kill, make_home, until

TAKE = """
from pathlib import Path
from jobdesk import Context, processor

@processor("take", isolation="thread")
def take(ctx: Context, source: Path, album: str = "", name: str = "") -> dict:
    "Reads its file."
    return {"content": source.read_text(), "album": album, "name": name}

@processor("other", isolation="thread")
def other(ctx: Context, source: Path) -> str:
    "Another pipeline."
    return "other"

@processor("blind", isolation="thread")
def blind(ctx: Context, path: Path) -> None:
    "Has no place for a file."
"""
QUICK: dict[str, Any] = {"settle": "50ms", "rescan": "1s"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(make_home(tmp_path, TAKE, "folders = []\n"))
    yield opened
    opened.close()


@pytest.fixture
def working(desk: Desk) -> Iterator[Desk]:
    engine = desk.engine("consumer")
    engine.start()
    yield desk
    engine.stop()


def states(desk: Desk) -> dict[str, str]:
    return {row["path"]: row["state"] for row in folders.files(desk.ledger)}


def results(desk: Desk) -> list[Any]:
    rows = desk.ledger.rows("SELECT result FROM job WHERE state = 'completed' ORDER BY seq")
    return [json.loads(row[0]) for row in rows]


def test_a_folder_that_is_added_changed_and_removed_is_followed_at_once(working: Desk, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    working.add_folder(drop, "take", patterns=["*.txt"], data={"album": "{parts[0]}"}, **QUICK)
    (drop / "sub").mkdir()
    (drop / "sub/a.txt").write_text("first")
    (drop / "b.md").write_text("second")
    until(lambda: states(working).get("sub/a.txt") == "done")
    assert results(working) == [{"content": "first", "album": "sub", "name": "a.txt"}]
    until(lambda: states(working).get("b.md") == "ignored")
    with pytest.raises(UsageError, match=r"other has no parameter 'album'.*--unset data"):
        working.set_folder(drop, pipeline="other")
    working.set_folder(drop, pipeline="other", patterns=["*.md"], data={})
    until(lambda: states(working).get("b.md") == "done")
    assert results(working)[1] == "other"
    working.remove_folder(drop)
    until(lambda: folders.status(working.ledger, str(drop)) == {})
    (drop / "c.md").write_text("third")
    keep = tmp_path / "still watched"
    working.add_folder(keep, "other", **QUICK)
    (keep / "d.txt").write_text("fourth")
    until(lambda: states(working).get("d.txt") == "done")
    assert "c.md" not in states(working) and (drop / "c.md").exists()


def test_settings_that_are_edited_are_followed_without_a_restart(working: Desk, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "a.txt").write_text("content")
    text = f'[[folders]]\npath = "{drop}"\npipeline = "take"\nsettle = "50ms"\n'
    working.home.settings.write_text(text)
    until(lambda: states(working) == {"a.txt": "done"})
    working.home.settings.write_text("folders = []\n# none at all\n")
    until(lambda: folders.status(working.ledger, str(drop)) == {})


def test_what_was_taken_in_comes_to_its_end_though_its_folder_was_removed(desk: Desk, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    desk.add_folder(drop, "take", **QUICK)
    desk.pause("default")
    with Desk(desk.home.path) as works:
        (drop / "a.txt").write_text("content")
        until(lambda: states(desk) == {"a.txt": "queued"})
        desk.remove_folder(drop)
        assert works.consumers()
    assert states(desk) == {"a.txt": "queued"}
    desk.resume("default")
    with Desk(desk.home.path):  # nobody but the ledger knows that there was a folder
        until(lambda: states(desk) == {"a.txt": "done"})
        until(lambda: folders.statuses(desk.ledger) == {})
    assert [path.read_text() for path in drop.glob("_done/*/*-a.txt")] == ["content"]


def test_copies_of_kept_files_go_though_their_folder_was_removed(desk: Desk, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    desk.add_folder(drop, "take", **{**QUICK, "source": "keep"})
    desk.pause("default")
    with Desk(desk.home.path):
        (drop / "a.txt").write_text("content")
        until(lambda: states(desk) == {"a.txt": "queued"})
    desk.remove_folder(drop)
    desk.resume("default")
    with Desk(desk.home.path):
        until(lambda: states(desk) == {"a.txt": "done"})
        until(lambda: folders.statuses(desk.ledger) == {})
    assert (drop / "a.txt").read_text() == "content"
    assert not (drop / "_done").exists() and list((drop / ".jobdesk/claimed").iterdir()) == []


def test_a_job_that_is_tried_again_ends_its_file_at_once_and_in_a_removed_folder_too(
    working: Desk, tmp_path: Path
) -> None:
    watched, removed = tmp_path / "watched", tmp_path / "removed"
    working.pause("default")
    for drop in (watched, removed):
        working.add_folder(drop, "take", settle="50ms", rescan="1h")
        (drop / f"{drop.name}.txt").write_text("content")
    until(lambda: states(working) == {"watched.txt": "queued", "removed.txt": "queued"})
    jobs = [row["job"] for row in folders.files(working.ledger)]
    for job in jobs:
        working.cancel(job)
    until(lambda: states(working) == {"watched.txt": "rejected", "removed.txt": "rejected"})
    working.remove_folder(removed)
    until(lambda: folders.statuses(working.ledger).keys() == {str(watched)})
    for job in jobs:
        working.retry(job)
    working.resume("default")
    until(lambda: states(working) == {"watched.txt": "done", "removed.txt": "done"})
    until(lambda: folders.statuses(working.ledger).keys() == {str(watched)})
    assert [path.read_text() for path in removed.glob("_done/*/*-removed.txt")] == ["content"]


def test_a_folder_that_left_the_settings_while_nobody_watched_is_forgotten(desk: Desk, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "a.tmp").write_text("temporary")
    desk.home.settings.write_text(f'[[folders]]\npath = "{drop}"\npipeline = "take"\n')
    with Desk(desk.home.path):
        until(lambda: states(desk) == {"a.tmp": "ignored"})
    desk.home.settings.write_text("folders = []\n")
    with Desk(desk.home.path):
        until(lambda: not states(desk) and not folders.statuses(desk.ledger))


def test_of_two_consumers_one_watches_and_the_other_takes_over_when_it_is_killed(desk: Desk, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    desk.add_folder(drop, "take", **QUICK)
    first = consumer(desk.home.path)
    second = None
    try:
        until(lambda: folders.status(desk.ledger, str(drop)).get("mode") == "watch")
        watching = folders.status(desk.ledger, str(drop))["consumer"]
        second = consumer(desk.home.path)
        until(lambda: len(desk.consumers()) == 2)
        for number in range(30):
            (drop / f"{number}.txt").write_text(f"content {number}")
        until(lambda: list(states(desk).values()).count("done") == 30)
        assert folders.status(desk.ledger, str(drop))["consumer"] == watching
        kill(first)
        (drop / "after.txt").write_text("after")
        until(lambda: states(desk).get("after.txt") == "done")
        assert folders.status(desk.ledger, str(drop))["consumer"] != watching
        assert len(results(desk)) == 31
    finally:
        end(*(one for one in (first, second) if one is not None))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"settle": "soon"}, "'settle'"),
        ({"pattern": ["*"]}, "not a key of a drop folder, did you mean 'patterns'?"),
        ({"types": ["pictures"]}, "not a media type"),
        ({"owners": ["nobody-of-this-name"]}, "there is no user"),
        ({"data": {"album": "{nmae}"}}, "did you mean 'name'?"),
        ({"max_size": "large"}, "'max_size'"),
        ({"marker": "a/b"}, "not an ending"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(desk: Desk, tmp_path: Path, options: Any, words: str) -> None:
    with pytest.raises(UsageError, match=r"drop folder") as refused:
        desk.add_folder(tmp_path / "drop", "take", **options)
    assert words in str(refused.value) and not (tmp_path / "drop").exists()


def test_folders_that_cannot_be_are_refused_with_the_mend(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'take'"):
        desk.add_folder(tmp_path / "drop", "takes")
    with pytest.raises(UsageError, match=r"holds the home"):
        desk.add_folder(tmp_path, "take")
    with pytest.raises(UsageError, match=r"bad\\xffdir is not UTF-8"):
        desk.add_folder(os.fsdecode(bytes(tmp_path / "bad") + b"\xffdir"), "take")
    desk.add_folder(tmp_path / "drop", "take")
    with pytest.raises(Refused, match=r"folders set"):
        desk.add_folder(tmp_path / "drop", "take")
    (tmp_path / "link").symlink_to(tmp_path / "drop")
    with pytest.raises(Refused, match=r"by another name"):
        desk.add_folder(tmp_path / "link", "take")
    desk.home.settings.write_text('[[folders]]\npath = "inbox"\npipeline = "take"\n')
    again = Desk(desk.home.path)
    with pytest.raises(Refused, match=r"of the settings"):
        again.remove_folder("inbox")
    with pytest.raises(NotFound, match=r"was not added"):
        again.set_folder(tmp_path / "elsewhere", settle="1s")
    again.close()


def test_a_folder_within_another_keeps_its_files_to_itself(working: Desk, tmp_path: Path) -> None:
    outer, inner = tmp_path / "drop", tmp_path / "drop/inner"
    working.add_folder(inner, "other", source="keep", **QUICK)
    working.add_folder(outer, "take", **QUICK)
    (inner / "in.txt").write_text("inner")
    (outer / "out.txt").write_text("outer")
    until(lambda: states(working).get("in.txt") == states(working).get("out.txt") == "done")
    assert sorted(map(str, results(working))) == sorted(
        ["other", "{'content': 'outer', 'album': '', 'name': 'out.txt'}"]
    )


def test_a_pipeline_that_has_no_place_for_a_file_is_refused_and_a_test_of_a_file_says_so(desk: Desk) -> None:
    drop = desk.home.path / "in"
    with pytest.raises(UsageError, match="blind takes no file: the path of each is given as 'source'"):
        desk.add_folder(drop, "blind")
    desk.home.settings.write_text('[[folders]]\npath = "in"\npipeline = "blind"\n')
    drop.mkdir()
    (drop / "a.txt").write_text("a")
    with Desk(desk.home.path) as again:
        ((_, said),) = again.explain_file(drop / "a.txt")
    assert (said.outcome, said.checks[-1].rule) == ("waiting", "pipeline")
    assert "blind takes no file" in said.text


def test_data_that_the_pipeline_has_no_place_for_is_refused_and_never_dropped(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"take has no parameter 'albun', did you mean 'album'\?"):
        desk.add_folder(tmp_path / "in", "take", data={"albun": "{folder}"})
    own = '[[folders]]\npath = "in"\npipeline = "take"\nsettle = "50ms"\nrescan = "1s"\ndata = { %s = "x" }\n'
    desk.home.settings.write_text(own % "albun")
    drop = desk.home.path / "in"
    drop.mkdir()
    working = Desk(desk.home.path)
    engine = working.engine("consumer")
    engine.start()
    try:
        (drop / "a.txt").write_text("kept until the settings are mended")
        until(lambda: "albun" in str(folders.statuses(working.ledger)))
        assert results(working) == []
        desk.home.settings.write_text(own % "album")
        until(lambda: results(working))
        assert results(working)[0]["album"] == "x"
    finally:
        engine.stop()
        working.close()


def test_nobody_takes_the_folders_for_done_before_they_are_taken_up(desk: Desk) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def rules() -> dict[str, Any]:
        asked.set()
        assert go_on.wait(60)
        return {}

    keeper = Keeper(desk.ledger, desk.clock, rules, lambda *_: pytest.fail("there is no folder"))
    thread = threading.Thread(target=keeper.run_once)
    thread.start()
    assert asked.wait(60)
    assert keeper.busy  # a drain would end, and leave the files that lie there
    go_on.set()
    thread.join(60)
    assert not keeper.busy
    keeper.ear.close()
