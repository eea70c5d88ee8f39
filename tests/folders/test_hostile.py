"""Names and things that are not what they seem: nothing is followed, opened or lost that should not be."""

import os
import socket
from pathlib import Path

import pytest

from jobdesk.folders.explain import explain
from jobdesk.folders.rules import FolderRule
from tests.folders.conftest import Desk


def test_links_pipes_and_sockets_are_left_and_listed_with_the_reason(desk: Desk) -> None:
    canary = desk.home / "secret.txt"
    canary.write_bytes(b"canary")
    (desk.inbox / "link.jpg").symlink_to(canary)
    (desk.inbox / "loop").symlink_to(".")
    os.mkfifo(desk.inbox / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(desk.inbox / "sock.jpg"))
        (desk.inbox / "z.jpg").write_bytes(b"later")
        desk.run()
    assert desk.read == [b"later"]
    reasons = {file["path"]: file["reason"] for file in desk.files("ignored")}
    assert reasons == {
        "link.jpg": "symbolic link",
        "loop": "symbolic link",
        "pipe.jpg": "named pipe",
        "sock.jpg": "socket",
    }
    assert desk.status()["ignored"] == 4 and canary.read_bytes() == b"canary"


@pytest.mark.parametrize(
    "name",
    [
        b"not\xffutf8.jpg",
        b"new\nline\x1b[31m.jpg",
        b"-rf.jpg",
        "[bold]🎞\u202egpj.exe.jpg".encode(),
        b"x" * 251 + b".jpg",
        "é".encode() * 125 + b".jpg",
        b"%s {0} $(touch x).jpg",
    ],
)
def test_any_name_is_taken_and_shown_in_print(desk: Desk, name: bytes) -> None:
    (Path(os.fsdecode(os.fsencode(desk.inbox) + b"/" + name))).write_bytes(name)
    desk.run()
    assert desk.read == [name]
    (file,) = desk.files("done")
    assert file["path"].isprintable()
    (archived,) = os.listdir(next((desk.inbox / "_done").iterdir()))
    kept = os.fsencode(archived)[32:]
    assert kept == name or (len(kept) <= 120 and kept.endswith(b".jpg"))


def test_a_rejected_file_of_any_name_tells_its_exact_path(desk: Desk) -> None:
    name = b"bad\xff\n.jpg"
    Path(os.fsdecode(os.fsencode(desk.inbox) + b"/" + name)).write_bytes(b"x")
    desk.run(error="corrupt")
    (told,) = desk.sidecars()
    assert told["original_path"] == "bad\\xff\\n.jpg"
    assert told["original_path_base64"] == "YmFk/wouanBn"


def test_a_file_replaced_at_the_moment_of_the_claim_is_never_mixed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    victim, rename = desk.inbox / "a.jpg", os.rename
    victim.write_bytes(b"old version")

    def replaced_first(source: bytes, target: bytes) -> None:
        if source == os.fsencode(victim):
            monkeypatch.setattr(os, "rename", rename)
            (desk.home / "newer").write_bytes(b"newer version!")
            (desk.home / "newer").replace(victim)
        rename(source, target)

    monkeypatch.setattr(os, "rename", replaced_first)
    desk.run()
    desk.run()
    assert desk.read == [b"newer version!"]


def test_a_writer_that_came_in_before_the_claim_is_waited_for_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rename = desk.inbox / "a.jpg", os.rename
    file.write_bytes(b"begun ")
    writing = []

    def opened_first(source: bytes, target: bytes) -> None:
        if source == os.fsencode(file):
            monkeypatch.setattr(os, "rename", rename)
            writing.append(file.open("ab"))
        rename(source, target)

    monkeypatch.setattr(os, "rename", opened_first)
    desk.settle()
    desk.look(30)
    assert desk.left() == [] and desk.states() == {"a.jpg": "settling"}
    writing[0].write(b"and ended")
    writing[0].close()
    desk.run()
    assert desk.read == [b"begun and ended"]


def test_a_link_in_the_place_of_an_own_corner_leads_nothing_astray(desk: Desk) -> None:
    elsewhere = desk.home / "elsewhere"
    elsewhere.mkdir()
    (desk.inbox / "_done").symlink_to(elsewhere)
    (desk.inbox / "a.jpg").write_bytes(b"a")
    desk.run()
    assert list(elsewhere.iterdir()) == [] and "cannot be moved" in desk.status()["message"]
    (desk.inbox / "_done").unlink()
    desk.look(15)
    assert desk.ended("_done") == {"a.jpg": b"a"} and desk.status()["message"] is None


def test_system_and_temporary_names_are_left_in_any_case_of_letters(desk: Desk) -> None:
    names = ["Thumbs.db", ".hidden.jpg", "a.PART", "b.CrDownload", "c.filepart", "d.tmp", "~$e.doc", "f.jpg~"]
    for name in names:
        (desk.inbox / name).write_bytes(b"x")
    (desk.inbox / "@eaDir").mkdir()
    (desk.inbox / "@eaDir/thumb.jpg").write_bytes(b"x")
    desk.settle()
    assert desk.work() == 0
    assert desk.left() == sorted([*names, "@eaDir/thumb.jpg"])


def test_what_would_happen_is_told_without_touching_the_file(desk: Desk) -> None:
    rule = FolderRule(path=desk.inbox, pipeline="UPLOAD", patterns=("*.jpg",))
    (desk.inbox / "a.JPG").write_bytes(b"\xff\xd8\xff\xe0 picture")
    (desk.inbox / "b.txt").write_bytes(b"text")
    (desk.inbox / "c.jpg.part").write_bytes(b"x")
    (desk.inbox / "d.jpg").symlink_to("a.JPG")
    assert "image/jpeg by its content) would be taken as a job UPLOAD" in explain(rule, desk.inbox / "a.JPG").text
    assert "fits none of the patterns *.jpg" in explain(rule, desk.inbox / "b.txt").text
    assert "temporary name" in explain(rule, desk.inbox / "c.jpg.part").text
    assert "not an ordinary file" in explain(rule, desk.inbox / "d.jpg").text
    assert "does not exist" in explain(rule, desk.inbox / "e.jpg").text
    assert "does not lie in" in explain(rule, desk.home / "f.jpg").text
