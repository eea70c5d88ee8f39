"""Killed between any two steps: every content is worked on once, and no file is lost or doubled."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from jobdesk.folders import finish, slips
from jobdesk.ledger.database import Ledger, Tx
from tests.folders.conftest import Desk

STEPS = ("mkdir", "rename", "replace", "unlink", "rmdir", "open")
CONTENTS = {"a.jpg": b"first", "b.jpg": b"second", "twin.jpg": b"first", "empty.jpg": b""}


class Killed(BaseException):
    """As sudden as kill -9: nothing may catch it to clean up."""


class Killer:
    """Counts every step that changes something, before and after it, and kills at the wanted one."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.dead = False

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.dead = True
            raise Killed
        if self.dead:
            raise Killed  # nothing runs after a kill

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **more: Any) -> Any:
            self.step()
            result = real(*args, **more)
            self.step()
            return result

        return done


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    @contextmanager
    def armed(at: int) -> Iterator[Killer]:
        killer = Killer(at)
        write = Ledger.write

        @contextmanager
        def killed_write(self: Ledger) -> Iterator[Tx]:
            killer.step()
            with write(self) as tx:
                yield tx
                killer.step()
            killer.step()

        with monkeypatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, killer.around(getattr(os, name)))
            patch.setattr(finish, "_rename_new", killer.around(finish._rename_new))
            patch.setattr(slips, "_write", killer.around(slips._write))
            patch.setattr(Ledger, "write", killed_write)
            with suppress(Killed):
                yield killer

    return armed


def through(desk: Desk, killing: Callable[[int], Any], at: int, act: Callable[[], None]) -> bool:
    """Act with a kill at that step, then as a fresh process would; whether the kill happened."""
    with killing(at) as killer:
        act()
    desk.service._place.close()  # the kernel does this for a dead process
    desk.open()
    return bool(killer.dead)


@pytest.mark.parametrize("source", ["archive", "delete"])
def test_taking_in_survives_a_kill_at_every_step(desk: Desk, killing: Callable[[int], Any], source: str) -> None:
    at = 0
    while True:
        at += 1
        desk.open(source=source)
        desk.read.clear()
        fresh = {f"{at}-{name}": content and content + b" %d" % at for name, content in CONTENTS.items()}
        for name, content in fresh.items():
            (desk.inbox / name).write_bytes(content)

        def take() -> None:
            desk.settle()
            desk.look(61)

        killed = through(desk, killing, at, take)
        finished(desk, fresh)
        if not killed:
            break
    assert at > 40


def test_ending_survives_a_kill_at_every_step(desk: Desk, killing: Callable[[int], Any]) -> None:
    at = 0
    while True:
        at += 1
        desk.read.clear()
        names = {f"{at}-good.jpg": b"good %d" % at, f"{at}-bad.jpg": b"bad %d" % at, f"{at}-ill.jpg": b"ill %d" % at}
        for name, content in names.items():
            (desk.inbox / name).write_bytes(content)
        desk.settle()
        desk.work(errors={f"{at}-bad.jpg": "corrupt", f"{at}-ill.jpg": "virus"})
        killed = through(desk, killing, at, lambda: desk.look(1))
        desk.look()
        desk.look(60)
        desk.look(2)
        good, bad, ill = names
        states = desk.states()
        assert (states[good], states[bad], states[ill]) == ("done", "rejected", "rejected"), at
        assert desk.ended("_done")[good] == names[good] and desk.ended("_rejected")[bad] == names[bad]
        assert len(desk.ended("_done")) == len(desk.ended("_rejected")) == at
        assert len([path for path in (desk.home / "quarantine").iterdir() if path.suffix == ".jpg"]) == at
        assert len(desk.sidecars()) == 2 * at
        assert desk.claims() == [] and os.listdir(desk.inbox / ".jobdesk/tmp") == []
        assert os.listdir(desk.inbox / ".jobdesk/slips") == []
        if not killed:
            break
    assert at > 20


def finished(desk: Desk, fresh: dict[str, bytes]) -> None:
    """A fresh process brings everything to its one right end."""
    for _ in range(3):
        desk.settle()
        desk.work()
        desk.look(61)
    assert desk.left() == [] and desk.claims() == [] and os.listdir(desk.inbox / ".jobdesk/slips") == []
    worked_on = sorted(content for content in fresh.values() if content)
    assert sorted(desk.read) == sorted(set(worked_on))
    mine = [file for file in desk.files() if file["path"] in fresh]
    assert sorted(file["state"] for file in mine) == ["done", "done", "duplicate", "rejected"]
    if desk.rule["source"] == "archive":
        done = desk.ended("_done")
        assert {name: done[name] for name in fresh if fresh[name]} == {n: c for n, c in fresh.items() if c}


def test_a_claim_whose_record_was_lost_keeps_its_file(desk: Desk) -> None:
    desk.look()
    lost = desk.inbox / ".jobdesk/claimed/file_01KB0000000000000000000000"
    lost.write_bytes(b"content")
    (desk.inbox / ".jobdesk/slips/file_01KB0000000000000000000000.json").write_bytes(b"")
    desk.look(60)
    desk.run()
    assert desk.read == [b"content"]
    assert list(desk.ended("_done").values()) == [b"content"]


def test_a_file_that_was_hidden_on_its_way_out_of_a_mount_is_brought_in(desk: Desk) -> None:
    desk.look()
    (desk.inbox / "disk").mkdir()
    id_ = "file_01KB0000000000000000000000"
    (desk.inbox / f"disk/.jobdesk-claim-{id_}").write_bytes(b"content")
    name = base64.b64encode(b"disk/a.jpg").decode()
    files = [
        [id_, name, 1.0, 2.0, [1, 2, 3, 4, 5]],
        ["file_01KB0000000000000000000001", name, 1.0, 2.0, [1, 2, 3, 4, 5]],
    ]
    slip = desk.inbox / f".jobdesk/slips/{id_}.json"
    slip.write_text(json.dumps({"owner": str(desk.ledger.path), "files": files}))
    desk.look(60)
    assert slip.exists() and list((desk.inbox / "disk").iterdir()) == []
    desk.run()
    assert desk.read == [b"content"] and desk.states() == {"disk/a.jpg": "done"}
    assert not slip.exists()


def test_a_finished_file_found_among_the_claims_is_ended_again(desk: Desk) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"content")
    desk.run()
    (file,) = desk.files("done")
    back = desk.inbox / ".jobdesk/claimed" / file["id"]
    next((desk.inbox / "_done").glob("*/*")).rename(back)  # as a power cut can undo a rename
    desk.look(60)
    desk.look(2)
    assert desk.ended("_done") == {"a.jpg": b"content"} and desk.work() == 0
