"""Hearing, going blind and noticing it; folders that vanish, return, or have another master."""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.folders import claim
from jobdesk.folders.intake import FolderService
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import folders
from jobdesk.ledger.database import Ledger
from tests.folders.conftest import Desk

LIMIT_S = 20.0


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


@pytest.fixture
def live(desk: Desk) -> Iterator[Any]:
    """A service with a real clock, thread and observer, and a rescan so rare that only events can explain speed."""
    service = FolderService(
        desk.ledger,
        SystemClock(),
        FolderRule(path=desk.inbox, pipeline="UPLOAD", settle_s=0.1, rescan_s=3600),
        desk.submit,
        quarantine=desk.home / "quarantine",
    )
    yield service
    service.stop()


def test_a_dropped_file_is_heard_and_taken_without_waiting_for_a_scan(desk: Desk, live: Any, seen: Seen) -> None:
    live.start()
    with seen._changed:
        assert seen._changed.wait_for(
            lambda: bool(folders.statuses(desk.ledger)) and desk.status()["mode"] == "watch", 5
        )
    (desk.inbox / "written.jpg").write_bytes(b"written")
    seen.wait({"written.jpg": "queued"})
    (desk.home / "moved.jpg").write_bytes(b"moved")
    (desk.home / "moved.jpg").rename(desk.inbox / "moved.jpg")
    seen.wait({"written.jpg": "queued", "moved.jpg": "queued"})
    (desk.home / "tree").mkdir()
    (desk.home / "tree/deep.jpg").write_bytes(b"deep")
    (desk.home / "tree").rename(desk.inbox / "tree")
    seen.wait({"written.jpg": "queued", "moved.jpg": "queued", "tree/deep.jpg": "queued"})
    assert desk.work() == 3
    seen.wait({"written.jpg": "done", "moved.jpg": "done", "tree/deep.jpg": "done"})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_reader_thread_is_noticed_though_the_observer_lives_and_watching_begins_anew(
    desk: Desk, live: Any
) -> None:
    live.run_once()
    watcher = live._listener.watcher
    observer, *_, reader = watcher.threads()
    for name in ("a", "b", "c"):  # drag a folder out, make it again, empty the bin: watchdog's reader dies of it
        inside, outside = desk.inbox / name, desk.home / name
        inside.mkdir()
        live.run_once()
        inside.rename(outside)
        inside.mkdir()
        inside.rmdir()
        outside.rmdir()
    reader.join(2)
    if reader.is_alive():  # a mended watchdog: end it by hand
        reader.stop()
        reader.close()
        reader.join(5)
    assert observer.is_alive() and not watcher.is_alive()
    live._liveness_at = 0  # five seconds later
    live.run_once()
    assert watcher.is_alive() and desk.status()["restarts"] == 1 and desk.status()["mode"] == "watch"


def test_a_second_process_waits_and_takes_over(desk: Desk) -> None:
    desk.look()
    first = desk.service
    second = FolderService(
        desk.ledger, desk.clock, FolderRule(**desk.rule), desk.submit, quarantine=desk.home / "q", watch=False
    )
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


def test_a_folder_behind_a_link_is_watched_where_it_really_is(desk: Desk, live: Any, seen: Seen) -> None:
    real = desk.home / "real"
    desk.inbox.rename(real)
    desk.inbox.symlink_to(real)
    live.start()
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

    monkeypatch.setattr(claim.os, "rename", crossing)
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


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_said_and_taken_when_it_can_be_read(desk: Desk) -> None:
    file: Path = desk.inbox / "a.jpg"
    file.write_bytes(b"a")
    file.chmod(0)
    desk.settle()
    assert desk.files("ignored")[0]["reason"] == "unreadable: Permission denied"
    file.chmod(0o600)
    desk.look(30)
    desk.run()
    assert desk.read == [b"a"]
