"""Hearing, going blind and noticing it; folders that vanish, return, or have another master."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.folders.folder import DropFolder
from jobdesk.folders.hearing import Ear, Hears
from jobdesk.folders.keeper import Keeper
from jobdesk.folders.notices import Notices
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import folders
from jobdesk.ledger.database import Ledger
from tests.folders.conftest import Desk
from tests.support.home import until

LIMIT_S = 60.0


class Seen:
    """Wakes a test whenever the ledger changes, so that it waits for what it wants and never sleeps."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changed = threading.Condition()
        ledger.on_commit.append(self._told)

    def _told(self, _: bool) -> None:
        with self._changed:
            self._changed.notify_all()

    def states(self) -> dict[str, str]:
        return {file["path"]: file["state"] for file in folders.files(self._ledger)}

    def wait(self, wanted: dict[str, str]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.states() == wanted, LIMIT_S), self.states()


@pytest.fixture
def seen(desk: Desk) -> Seen:
    return Seen(desk.ledger)


Live = Callable[..., Keeper]


@pytest.fixture
def live(desk: Desk) -> Iterator[Live]:
    """Folders kept in earnest, with a real clock, threads and ear, and a rescan so rare that only events can explain
    speed.
    """
    keepers = []

    def begin(**over: Any) -> Keeper:
        usual: dict[str, Any] = {"path": desk.inbox, "pipeline": "UPLOAD", "settle_s": 0.1, "rescan_s": 3600}
        rule = FolderRule(**usual | over)

        def make(rule: FolderRule, wake: Callable[[], None], keeper: Keeper) -> DropFolder:
            return DropFolder(
                desk.ledger,
                SystemClock(),
                rule,
                desk.submit,
                wake=wake,
                quarantine=desk.home / "quarantine",
                ear=keeper.ear,
                changes=keeper.changes,
            )

        keeper = Keeper(desk.ledger, SystemClock(), lambda: {str(rule.path): rule}, make)
        keepers.append(keeper)
        keeper.start()
        until(lambda: bool(keeper.folders) and keeper.folders[0].mode == "watch" and not keeper.busy)
        return keeper

    yield begin
    for keeper in keepers:
        keeper.stop()


def test_a_dropped_file_is_heard_and_taken_without_waiting_for_a_scan(desk: Desk, live: Live, seen: Seen) -> None:
    live()
    (desk.inbox / "written.jpg").write_bytes(b"written")
    seen.wait({"written.jpg": "queued"})
    (desk.home / "moved.jpg").write_bytes(b"moved")
    (desk.home / "moved.jpg").rename(desk.inbox / "moved.jpg")
    seen.wait({"written.jpg": "queued", "moved.jpg": "queued"})
    (desk.home / "tree").mkdir()
    (desk.home / "tree/deep.jpg").write_bytes(b"deep")
    (desk.home / "tree").rename(desk.inbox / "tree")
    seen.wait({"written.jpg": "queued", "moved.jpg": "queued", "tree/deep.jpg": "queued"})
    (desk.inbox / "tree/later.jpg").write_bytes(b"later")
    seen.wait({"written.jpg": "queued", "moved.jpg": "queued", "tree/deep.jpg": "queued", "tree/later.jpg": "queued"})
    assert desk.work() == 4
    seen.wait({"written.jpg": "done", "moved.jpg": "done", "tree/deep.jpg": "done", "tree/later.jpg": "done"})


def test_a_dead_ear_is_noticed_at_once_and_hearing_begins_anew(desk: Desk, live: Live, seen: Seen) -> None:
    keeper = live()
    first = keeper.ear.hearing
    assert isinstance(first, Notices)

    def dies(event: object) -> None:
        raise KeyError("whatever kills watchdog's thread")

    first.handle_event = dies  # type: ignore[method-assign]
    (desk.inbox / "a.jpg").write_bytes(b"a")
    seen.wait({"a.jpg": "queued"})
    first.join(LIMIT_S)
    assert not first.is_alive()
    until(lambda: desk.status()["restarts"] == 1 and desk.status()["mode"] == "watch")
    assert keeper.ear.is_alive() and keeper.ear.hearing is not first
    (desk.inbox / "b.jpg").write_bytes(b"b")
    seen.wait({"a.jpg": "queued", "b.jpg": "queued"})


def test_dragging_folders_out_and_emptying_the_bin_deafens_nobody(desk: Desk, live: Live, seen: Seen) -> None:
    keeper = live()
    for name in ("a", "b", "c"):  # the reader thread of watchdog 7 died of this
        inside, outside = desk.inbox / name, desk.home / name
        inside.mkdir()
        inside.rename(outside)
        inside.mkdir()
        inside.rmdir()
        outside.rmdir()
    (desk.inbox / "after.jpg").write_bytes(b"after")
    seen.wait({"after.jpg": "queued"})
    assert keeper.ear.is_alive() and desk.status()["restarts"] == 0


def test_a_queue_of_the_kernel_that_ran_over_leads_to_a_scan(desk: Desk, live: Live, seen: Seen) -> None:
    room = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if room > 200_000:
        pytest.skip("this kernel's queue holds too many events to be overrun in a test")
    for name in (".a", ".b"):
        (desk.inbox / name).write_bytes(b"")
    keeper = live(patterns=("*.jpg",))
    listener = keeper.folders[0]._listener
    assert listener is not None
    told, names, held, go_on = listener.told, set[bytes](), threading.Event(), threading.Event()

    def slow(path: bytes, *, must_scan: bool) -> None:
        names.add(path)
        held.set()
        assert go_on.wait(LIMIT_S)
        told(path, must_scan=must_scan)

    listener.told = slow  # type: ignore[method-assign]  # the reader cannot read on
    try:
        os.utime(desk.inbox / ".a")
        assert held.wait(LIMIT_S)
        for number in range(2 * room):
            os.utime(desk.inbox / (".a", ".b")[number % 2])  # in turns: of equal news in a row one is kept
        (desk.inbox / "lost.jpg").write_bytes(b"lost")
    finally:
        go_on.set()
    seen.wait({"lost.jpg": "queued"})
    assert os.fsencode(desk.inbox / "lost.jpg") not in names and listener.overflows == 1
    assert keeper.ear.is_alive() and desk.status()["restarts"] == 0


def test_a_folder_that_was_moved_out_is_not_heard_any_more(desk: Desk, live: Live, seen: Seen) -> None:
    keeper = live()
    (desk.inbox / "sub").mkdir()
    listener = keeper.folders[0]._listener
    assert listener is not None
    until(lambda: len(listener._watches) == 2)
    (desk.inbox / "sub").rename(desk.home / "outside")
    until(lambda: len(listener._watches) == 1)
    (desk.home / "outside/not-ours.jpg").write_bytes(b"x")
    (desk.inbox / "ours.jpg").write_bytes(b"y")
    seen.wait({"ours.jpg": "queued"})


def no_watch_for(monkeypatch: pytest.MonkeyPatch, ending: bytes) -> None:
    """The kernel has no watch left for such folders."""
    listen = Notices.listen

    def limited(self: Notices, folder: bytes, listener: Hears) -> int:
        if folder.endswith(ending):
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return listen(self, folder, listener)

    monkeypatch.setattr(Notices, "listen", limited)


def test_the_limit_of_watches_is_said_and_the_folder_looked_through_instead(
    desk: Desk, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_watch_for(monkeypatch, b"sub")
    (desk.inbox / "sub").mkdir()
    desk.service.stop()
    desk.service = desk.make(ear=ear)
    desk.look()
    assert desk.status()["mode"] == "scan" and "1 sub-folder cannot be watched" in desk.status()["message"]
    (desk.inbox / "sub/a.jpg").write_bytes(b"unheard")
    desk.run()
    assert desk.read == [b"unheard"]


def test_without_any_watch_left_the_folder_is_looked_through(
    desk: Desk, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_watch_for(monkeypatch, b"")
    desk.service.stop()
    desk.service = desk.make(ear=ear)
    (desk.inbox / "a.jpg").write_bytes(b"a")
    desk.run()
    assert desk.read == [b"a"] and "max_user_watches" in desk.status()["message"] and desk.status()["mode"] == "scan"


def test_a_second_process_waits_and_takes_over(desk: Desk) -> None:
    desk.look()
    first = desk.service
    second = desk.make()
    (desk.inbox / "a.jpg").write_bytes(b"a")
    for _ in range(3):
        second.run_once()
        desk.clock.advance(2)
    assert desk.left() == ["a.jpg"] and not second.busy
    first.stop()
    assert desk.status()["mode"] == "offline" and "nobody watches it" in desk.status()["message"]
    desk.service = second
    desk.run()
    assert desk.read == [b"a"]


def test_a_folder_that_vanishes_is_offline_and_comes_back_by_itself(desk: Desk) -> None:
    desk.look()
    desk.inbox.rename(desk.home / "unplugged")
    desk.look(5)
    assert desk.status()["mode"] == "offline" and "does not exist" in desk.status()["message"]
    desk.inbox.mkdir()
    (desk.inbox / "a.jpg").write_bytes(b"new")
    desk.look(5)
    desk.run()
    assert desk.read == [b"new"] and desk.status()["mode"] == "scan" and desk.status()["message"] is None


def test_a_folder_that_is_a_file_or_not_ours_is_offline_with_the_reason(desk: Desk) -> None:
    (desk.inbox / ".jobdesk").write_bytes(b"in the way")
    desk.look()
    assert desk.status()["mode"] == "offline" and "cannot be used" in desk.status()["message"]
    desk.inbox.rename(desk.home / "old")
    desk.inbox.write_bytes(b"a file")
    desk.look(5)
    assert "is not a folder" in desk.status()["message"]


def test_a_folder_behind_a_link_is_watched_where_it_really_is(desk: Desk, live: Live, seen: Seen) -> None:
    real = desk.home / "real"
    desk.inbox.rename(real)
    desk.inbox.symlink_to(real)
    live()
    (real / "a.jpg").write_bytes(b"a")
    seen.wait({"a.jpg": "queued"})
    assert desk.work() == 1
    seen.wait({"a.jpg": "done"})


def test_a_scan_that_another_process_asks_for_comes_before_its_time(desk: Desk) -> None:
    desk.open(rescan_s=3600, settle_s=0)
    desk.look()
    desk.look(1)
    (desk.inbox / "a.jpg").write_bytes(b"a")
    desk.look(0.5)
    assert desk.states() == {}
    with desk.ledger.write() as tx:
        assert folders.want_scan(tx) == 1
    desk.look()
    desk.look(1)
    assert desk.states() == {"a.jpg": "queued"}


def test_a_service_is_busy_until_the_last_file_has_reached_its_end(desk: Desk) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"a")
    desk.look()
    assert desk.service.busy
    desk.settle()
    assert desk.service.busy
    desk.work()
    assert desk.service.busy
    desk.look(1)
    assert not desk.service.busy


def test_a_file_in_a_mount_that_no_rename_leaves_is_carried_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.inbox / "mount").mkdir()
    (desk.inbox / "mount/a.jpg").write_bytes(b"content")
    rename = os.rename

    def crossing(source: bytes, target: bytes) -> None:
        if b"/mount/" in source and b"/mount/" not in target:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", crossing)
    desk.run()
    assert desk.read == [b"content"] and desk.left() == []
    assert desk.ended("_done") == {"a.jpg": b"content"}


def test_a_full_disk_stops_taking_in_and_says_so_until_there_is_space(desk: Desk) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"a")
    desk.open(min_free_bytes=1 << 60)
    desk.settle()
    assert desk.left() == ["a.jpg"] and "are free" in desk.status()["message"]
    desk.open(min_free_bytes=0)
    desk.run()
    assert desk.read == [b"a"]


def test_an_unreadable_file_is_said_and_taken_when_it_can_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file: Path = desk.inbox / "a.jpg"
    file.write_bytes(b"a")
    opened = os.open

    def refused(path: Any, *args: Any, **more: Any) -> int:  # root reads everything: the refusal must be played
        if path == os.fsencode(file) and not file.stat().st_mode & 0o444:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *args, **more)

    monkeypatch.setattr(os, "open", refused)
    file.chmod(0)
    desk.settle()
    assert desk.files("ignored")[0]["reason"] == "unreadable: Permission denied"
    file.chmod(0o600)
    desk.look(30)
    desk.run()
    assert desk.read == [b"a"]
