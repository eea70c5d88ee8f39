"""Folders whose files stay where they are: each content once, whatever is restarted, and nothing is touched."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.folders.conftest import Desk
from tests.folders.test_crashing import killing, through  # noqa: F401


def picture(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Everything that can be seen of the files in a folder."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
        for path in root.rglob("*")
        if path.is_file() and ".jobdesk" not in path.parts
    }


def test_a_kept_file_is_worked_on_once_and_stays_as_it_is(desk: Desk) -> None:
    desk.open(source="keep")
    (desk.inbox / "sub").mkdir()
    (desk.inbox / "sub/a.jpg").write_bytes(b"content")
    before = picture(desk.inbox)
    desk.run()
    assert desk.read == [b"content"] and desk.states() == {"sub/a.jpg": "done"}
    for _ in range(3):  # neither looks nor restarts make it new
        desk.look(40)
        desk.open()
        desk.run()
    assert desk.read == [b"content"] and picture(desk.inbox) == before and desk.claims() == []


def test_a_kept_file_is_new_when_its_content_is_and_only_then(desk: Desk) -> None:
    desk.open(source="keep")
    file = desk.inbox / "a.jpg"
    file.write_bytes(b"first")
    desk.run()
    os.utime(file, (5, 5))  # touched, copied over: the same content
    desk.look(40)
    desk.run()
    assert desk.read == [b"first"] and len(desk.files()) == 1
    file.write_bytes(b"second")
    desk.look(40)
    desk.run()
    assert desk.read == [b"first", b"second"]
    (desk.inbox / "copy.jpg").write_bytes(b"second")
    desk.look(40)
    desk.run()
    assert desk.read == [b"first", b"second"] and desk.states()["copy.jpg"] == "duplicate"
    assert sorted(path.name for path in desk.inbox.iterdir() if path.is_file()) == ["a.jpg", "copy.jpg"]


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_what_was_taken_to_be_archived_is_archived_whatever_the_folder_says_meanwhile(desk: Desk, after: str) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"content")
    (desk.inbox / "same.jpg").write_bytes(b"content")
    desk.settle()
    desk.open(source=after)
    desk.work()
    desk.look(1)
    assert desk.ended("_done") == {"a.jpg": b"content", "same.jpg": b"content"} and desk.claims() == []


@pytest.mark.parametrize("after", ["archive", "delete"])
def test_a_copy_that_was_taken_goes_whatever_the_folder_says_meanwhile(desk: Desk, after: str) -> None:
    desk.open(source="keep")
    file = desk.inbox / "a.jpg"
    file.write_bytes(b"content")
    desk.settle()
    desk.open(source=after)
    desk.look()
    desk.work()
    desk.look(1)
    assert desk.read == [b"content"] and desk.claims() == []
    desk.run()  # now the file itself is taken, and is nothing new
    assert desk.left() == [] and sorted(file["state"] for file in desk.files()) == ["done", "duplicate"]
    assert desk.ended("_done") == ({"a.jpg": b"content"} if after == "archive" else {})


def test_a_kill_and_a_change_to_keep_lose_no_file_that_was_moved(desk: Desk, killing: Callable[[int], Any]) -> None:  # noqa: F811
    at, killed = 0, True
    while killed:
        at += 1
        desk.open(source="keep")
        name, content = f"{at}.jpg", b"content %d" % at
        (desk.inbox / name).write_bytes(content)
        desk.run()  # this content is known under this name
        desk.open(source="archive", duplicates="process")
        with killing(at) as killer:
            desk.settle()
        killed = killer.dead
        desk.service._place.close()  # the kernel does this for a dead process
        desk.open(source="keep")
        desk.run()
        desk.look(61)
        desk.run()
        kept, archived = desk.left(), desk.ended("_done")
        assert (kept == [name] and name not in archived) or (kept == [] and archived[name] == content)
        (desk.inbox / name).unlink(missing_ok=True)
        desk.look(61)
        assert desk.claims() == []
    assert at > 8


def test_another_file_with_the_inode_of_a_kept_one_is_new(desk: Desk) -> None:
    desk.open(source="keep")
    file = desk.inbox / "a.jpg"
    file.write_bytes(b"old!")
    desk.run()
    inode = file.stat().st_ino
    with file.open("r+b") as same:  # the same inode and size, other content
        same.write(b"new!")
    assert file.stat().st_ino == inode
    desk.look(40)
    desk.run()
    assert desk.read == [b"old!", b"new!"]


def test_a_rejected_kept_file_stays_and_its_copy_tells_why(desk: Desk) -> None:
    desk.open(source="keep")
    (desk.inbox / "a.jpg").write_bytes(b"bad")
    desk.run(error="corrupt")
    desk.look(40)
    desk.run()
    assert desk.left() == ["a.jpg"] and desk.ended("_rejected") == {"a.jpg": b"bad"}
    assert [told["reason"] for told in desk.sidecars()] == ["corrupt"]


def test_a_kept_file_that_changes_while_it_is_copied_is_never_mixed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobdesk.folders import claim

    desk.open(source="keep")
    file, copy = desk.inbox / "a.jpg", claim.copy
    file.write_bytes(b"old version")

    def overtaken(source: bytes, target: bytes, mode: int = 0o600) -> None:
        copy(source, target, mode)
        if source == os.fsencode(file):
            monkeypatch.setattr(claim, "copy", copy)
            file.write_bytes(b"the newer version")

    monkeypatch.setattr(claim, "copy", overtaken)
    desk.settle()
    desk.run()
    assert desk.read == [b"the newer version"]


def test_a_read_only_folder_is_worked_on_without_a_trace_in_it(desk: Desk) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"good")
    (desk.inbox / "b.jpg").write_bytes(b"bad")
    read_only = desk.home / "read-only"
    read_only.mkdir()
    mounted = subprocess.run(["mount", "--bind", str(desk.inbox), str(read_only)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(read_only)], check=True)
        desk.open(source="keep", path=read_only)
        before = sorted(read_only.iterdir())
        desk.settle()
        desk.work(errors={"b.jpg": "corrupt"})
        desk.look(1)
        desk.open()
        desk.run()
        assert sorted(desk.read) == [b"good"] and sorted(read_only.iterdir()) == before
        assert desk.states() == {"a.jpg": "done", "b.jpg": "rejected"}
        assert [path.read_bytes() for path in (desk.home / "corner/_rejected").glob("*/*-b.jpg")] == [b"bad"]
        desk.service.stop()
    finally:
        subprocess.run(["umount", "-l", str(read_only)], check=True)


def test_keeping_survives_a_kill_at_every_step(desk: Desk, killing: Callable[[int], Any]) -> None:  # noqa: F811
    at, killed = 0, True
    while killed:
        at += 1
        desk.open(source="keep")
        (desk.inbox / f"{at}.jpg").write_text(f"content {at}")
        killed = through(desk, killing, at, desk.settle)
        desk.settle()
        desk.look(61)
        desk.run()
        desk.look(61)
        assert sorted(desk.read) == sorted(f"content {number}".encode() for number in range(1, at + 1))
        assert len(desk.left()) == at and desk.claims() == []
    assert at > 15
