"""What a rule says of size, type, owner, depth, markers and locks: who comes in, who waits, who is refused."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobdesk.folders import claim
from jobdesk.folders.claim import Claim, Content
from jobdesk.folders.door import Door
from jobdesk.folders.explain import explain
from jobdesk.folders.place import Place
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import dropped
from tests.folders.conftest import Desk

JPEG = b"\xff\xd8\xff\xe0 picture"


def reasons(desk: Desk) -> dict[str, str | None]:
    return {file["path"]: file["reason"] for file in desk.files("rejected")}


def test_a_file_that_is_too_large_or_too_small_is_refused_unread(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open(min_bytes=10, max_bytes=1000)
    with (desk.inbox / "huge.jpg").open("wb") as file:
        file.truncate(50_000_000_000)  # a hole: to read it would take minutes
    (desk.inbox / "tiny.jpg").write_bytes(b"x")
    (desk.inbox / "right.jpg").write_bytes(b"x" * 100)
    read = claim.read
    asked: list[bytes] = []

    def reading(place: Place, one: Claim, stopping: Callable[[], bool]) -> Content | None:
        asked.append(one.path)
        return read(place, one, stopping)

    monkeypatch.setattr(claim, "read", reading)
    desk.run()
    assert desk.read == [b"x" * 100] and asked == [b"right.jpg"]
    assert reasons(desk) == {"huge.jpg": "too-large", "tiny.jpg": "too-small"}
    told = {one["original_path"]: one["message"] for one in desk.sidecars()}
    assert told["huge.jpg"] == "it has 50.0 GB, and at most 1 kB are taken"


def test_a_huge_file_is_read_in_blocks(desk: Desk) -> None:
    blocks: list[int] = []
    read = os.read

    def counting(fd: int, size: int) -> bytes:
        blocks.append(size)
        return read(fd, size)

    with (desk.inbox / "large.bin").open("wb") as file:
        file.truncate(40_000_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "read", counting)
        desk.settle()
    assert max(blocks) <= 1 << 20 and desk.states() == {"large.bin": "queued"}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("archive.zip", None, "application/zip"),
        ("photo.jpg", b"<html><script>alert(1)</script>", "text/html"),
        ("photo.png", b"MZ\x90\0 program", "application/x-msdownload"),
        ("photo.gif", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    ],
)
def test_a_type_is_told_by_content_and_never_by_name(desk: Desk, name: str, content: bytes | None, kind: str) -> None:
    desk.open(types=("image/jpeg", "image/png", "image/gif"))
    if content is None:
        with zipfile.ZipFile(desk.inbox / name, "w") as archive:
            archive.writestr("../escape.jpg", JPEG)
    else:
        (desk.inbox / name).write_bytes(content)
    (desk.inbox / "really.txt").write_bytes(JPEG)
    desk.run()
    assert desk.read == [JPEG] and reasons(desk) == {name: "unsupported-type"}
    (told,) = desk.sidecars()
    assert told["detected_type"] == kind and not (desk.home / "escape.jpg").exists()


def test_files_of_others_are_left_alone(desk: Desk) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    desk.open(owners=(os.getuid(),))
    (desk.inbox / "mine.jpg").write_bytes(b"mine")
    (desk.inbox / "theirs.jpg").write_bytes(b"theirs")
    os.chown(desk.inbox / "theirs.jpg", 12345, -1)
    desk.run()
    assert desk.read == [b"mine"] and desk.left() == ["theirs.jpg"]
    assert desk.files("ignored")[0]["reason"] == "belongs to user 12345"


def test_excluded_names_and_folders_that_lie_too_deep_are_left_alone(desk: Desk) -> None:
    desk.open(exclude=("*-draft.*", "private"), depth=1)
    for path in ("a.jpg", "a-draft.jpg", "sub/b.jpg", "sub/deep/c.jpg", "private/d.jpg"):
        (desk.inbox / path).parent.mkdir(parents=True, exist_ok=True)
        (desk.inbox / path).write_text(path)
    desk.run()
    assert sorted(desk.read) == [b"a.jpg", b"sub/b.jpg"]
    assert desk.states() | {} == {
        "a.jpg": "done", "sub/b.jpg": "done", "a-draft.jpg": "ignored", "sub/deep": "ignored", "private": "ignored",
    }  # fmt: skip


def test_a_file_waits_for_its_marker_which_goes_with_it(desk: Desk) -> None:
    desk.open(marker=".done")
    (desk.inbox / "a.jpg").write_bytes(b"first")
    for _ in range(3):
        desk.look(20)
    assert desk.left() == ["a.jpg"]
    (seen,) = desk.files("waiting")
    assert seen["reason"] == "waits for a.jpg.done"
    (desk.inbox / "a.jpg.done").touch()
    desk.look(40)
    desk.run()
    assert desk.read == [b"first"] and desk.left() == []
    (desk.inbox / "a.jpg").write_bytes(b"second")  # needs a marker of its own
    desk.look(40)
    desk.run()
    assert desk.read == [b"first"] and desk.left() == ["a.jpg"]


def test_a_file_is_left_to_who_locked_it(desk: Desk) -> None:
    desk.open(lock=".busy")
    (desk.inbox / "a.jpg.busy").touch()
    (desk.inbox / "a.jpg").write_bytes(b"locked")
    desk.run()
    assert desk.read == [] and "a.jpg.busy says" in desk.files("settling")[0]["reason"]
    (desk.inbox / "a.jpg.busy").unlink()
    desk.look(40)
    desk.run()
    assert desk.read == [b"locked"]


def test_where_only_the_size_counts_a_file_whose_time_jitters_is_whole(desk: Desk) -> None:
    desk.open(stable="size")
    file = desk.inbox / "a.jpg"
    file.write_bytes(b"steady")
    desk.look()
    for second in (1, 2):
        os.utime(file, (second, second))
        desk.look(1)
    desk.work()
    assert desk.read == [b"steady"]


@pytest.mark.parametrize("year", [0, 1_000_000_000, 4_102_444_800])
def test_a_time_in_1970_2001_or_2100_is_as_good_as_any(desk: Desk, year: int) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"content")
    os.utime(desk.inbox / "a.jpg", (year, year))
    desk.run()
    assert desk.read == [b"content"]


def test_parts_of_its_path_are_in_what_a_job_is_given(desk: Desk) -> None:
    data = {
        "tags": ["{parts[0]}", "{parts[1]}", "{parts[5]}"], "title": "{stem} from {folder}", "bytes": "{size}",
        "sum": "{sha256}", "at": "{modified}", "kind": "{suffix}", "whole": "{relative}", "brace": "{{x}}",
        "none": "{parts[9]}", "number": 7,
    }  # fmt: skip
    desk.open(data=data)
    (desk.inbox / "2026/summer").mkdir(parents=True)
    file = desk.inbox / "2026/summer/lake one.jpg"
    file.write_bytes(b"12345")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    desk.settle()
    with desk.ledger.write() as tx:
        import json

        given = json.loads(tx.rows("SELECT data FROM job")[0][0])
    source = given.pop("source")
    assert Path(source).parent == desk.inbox / ".jobdesk/claimed"
    assert given == {
        "name": "lake one.jpg", "album": "2026/summer", "tags": ["2026", "summer"],
        "title": "lake one from 2026/summer", "bytes": 5, "at": "2023-11-14T22:13:20Z", "kind": ".jpg",
        "sum": "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5",
        "whole": "2026/summer/lake one.jpg", "brace": "{x}", "number": 7,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["{nome}", "{name", "}", "{parts}", "{name.__class__}", "{parts[x]}"])
def test_a_wrong_template_is_refused_when_it_is_written(text: str) -> None:
    from jobdesk.folders.payload import check

    with pytest.raises(ValueError, match=r"template"):
        check({"a": [text]})


def outcome(desk: Desk, name: str, **rule: Any) -> tuple[str, str]:
    """What would become of a file, and the rule that decides it."""
    found = explain(FolderRule(path=desk.inbox, pipeline="UPLOAD", **rule), desk.inbox / name)
    return found.outcome, next((check.rule for check in found.checks if check.passed is False), "")


def test_each_rule_says_whether_a_file_passes_and_nothing_is_changed(desk: Desk) -> None:
    (desk.inbox / "sub").mkdir()
    for name, content in (("a.jpg", JPEG), ("empty.jpg", b""), ("sub/b.jpg", JPEG), ("c.tmp", JPEG)):
        (desk.inbox / name).write_bytes(content)
    os.mkfifo(desk.inbox / "pipe")
    before = sorted((path, path.lstat().st_mtime_ns) for path in desk.inbox.rglob("*"))
    assert outcome(desk, "a.jpg") == ("accepted", "")
    assert outcome(desk, "a.jpg", patterns=("*.png",)) == ("ignored", "patterns")
    assert outcome(desk, "a.jpg", exclude=("a*",)) == ("ignored", "exclude")
    assert outcome(desk, "a.jpg", types=("image/png",)) == ("rejected", "content")
    assert outcome(desk, "a.jpg", max_bytes=3) == ("rejected", "size")
    assert outcome(desk, "a.jpg", owners=(4711,)) == ("ignored", "owner")
    assert outcome(desk, "a.jpg", marker=".done") == ("waiting", "whole")
    assert outcome(desk, "sub/b.jpg", recursive=False) == ("ignored", "depth")
    assert outcome(desk, "c.tmp") == ("ignored", "name")
    assert outcome(desk, "empty.jpg") == ("waiting", "size")
    assert outcome(desk, "pipe") == ("ignored", "kind")
    assert outcome(desk, "gone") == ("ignored", "exists")
    with (desk.inbox / "a.jpg").open("ab"):
        assert outcome(desk, "a.jpg") == ("waiting", "whole")
    assert outcome(desk, "sub/b.jpg", exclude=("su*",)) == ("ignored", "folders")
    known = frozenset({"ce13a9c1d15b2a71e29de0c8b7c1ac0d3a0ef1ccb4b0d4f5d9ac2ffd2db1e5c1"})
    rule = FolderRule(path=desk.inbox, pipeline="UPLOAD")
    assert explain(rule, desk.inbox / "a.jpg", known).outcome == "accepted"
    assert sorted((path, path.lstat().st_mtime_ns) for path in desk.inbox.rglob("*")) == before


def test_a_file_that_waits_for_its_marker_is_waiting_and_holds_up_no_drain(desk: Desk) -> None:
    desk.open(marker=".done", lock=".busy")
    for name in ("a.jpg", "locked.jpg"):
        (desk.inbox / name).write_bytes(name.encode())
    (desk.inbox / "locked.jpg.busy").touch()
    desk.settle()
    assert (desk.status()["waiting"], desk.status()["settling"]) == (1, 1)
    assert desk.service.busy  # somebody says that they are writing
    (desk.inbox / "locked.jpg").unlink()
    desk.look(30)
    desk.settle()
    assert (desk.status()["waiting"], desk.status()["settling"]) == (1, 0) and not desk.service.busy


def test_a_file_of_another_drop_folder_within_is_said_to_be_left_to_that(desk: Desk) -> None:
    file = desk.inbox / "inner/deep/a.jpg"
    file.parent.mkdir(parents=True)
    file.write_bytes(JPEG)
    rule = FolderRule(path=desk.inbox, pipeline="UPLOAD")
    found = explain(rule, file, apart=frozenset({bytes(desk.inbox / "inner")}))
    assert (
        found.outcome == "ignored" and "the folder 'inner' is not looked into: a drop folder of its own" in found.text
    )
    assert explain(rule, file).outcome == "accepted"


def test_a_kept_file_that_was_worked_on_is_said_to_be_so_until_it_changes(desk: Desk) -> None:
    desk.open(source="keep", duplicates="process")
    file = desk.inbox / "a.jpg"
    file.write_bytes(JPEG)
    desk.run()
    kept, rule = dropped.kept(desk.ledger, str(desk.inbox)), FolderRule(**desk.rule)
    assert "worked on as it is" in explain(rule, file, kept=kept).text
    file.write_bytes(JPEG + b"more")
    assert explain(rule, file, kept=kept).outcome == "accepted"


def test_a_size_just_beyond_the_limit_is_said_to_the_byte(desk: Desk) -> None:
    door = Door(FolderRule(path=desk.inbox, pipeline="UPLOAD", max_bytes=5_000_000))
    assert door.size(5_000_001) == ("too-large", "it has 5,000,001 B, and at most 5,000,000 B are taken")
    assert door.size(6_000_000) == ("too-large", "it has 6.0 MB, and at most 5.0 MB are taken")
