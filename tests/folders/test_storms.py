"""Many files: all at once, before the start, from many writers; and what must not happen twice, or never."""

import os
import threading
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jobdesk.folders import folder
from jobdesk.folders.hearing import Ear
from tests.folders.conftest import Desk
from tests.folders.test_watching import Live, live  # noqa: F401
from tests.support.home import until


def rested(desk: Desk, *names: str) -> None:
    """Files that nobody has touched for longer than they must rest, as far as the kernel can tell."""
    for name in names:
        (desk.inbox / name).write_text(name)
    desk.clock.advance(10 + max(0.0, time.time() - desk.clock.now()))  # the kernel's clock went on meanwhile


def test_what_has_rested_before_the_start_is_taken_at_the_first_look(desk: Desk) -> None:
    rested(desk, "old.jpg")
    os.utime(desk.inbox / "old.jpg", (4_102_444_800, 4_102_444_800))  # its own word does not count
    desk.look()
    assert desk.states() == {"old.jpg": "queued"}


def test_what_is_written_at_the_start_is_not_taken_however_old_it_looks(desk: Desk) -> None:
    with (desk.inbox / "open.jpg").open("wb") as writing:
        writing.write(b"half")
        writing.flush()
        (desk.inbox / "fresh.jpg").write_bytes(b"fresh")
        for name in ("open.jpg", "fresh.jpg"):
            os.utime(desk.inbox / name, (0, 0))
        desk.look()
        assert desk.left() == ["fresh.jpg", "open.jpg"]  # the kernel saw them change just now
        desk.clock.advance(100)
        desk.open()
        for _ in range(5):
            desk.look(5)
        assert desk.left() == ["open.jpg"]


def test_the_first_jobs_are_there_before_a_huge_folder_is_looked_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "WORK_S", -1.0)  # a slice a run
    rested(desk, *[f"{number}.jpg" for number in range(1000)])
    assert desk.service.run_once() == 0
    assert desk.files("queued") and desk.service._looker.is_scanning
    monkeypatch.undo()
    desk.look()
    assert len(desk.files("queued")) == 1000 and desk.work() == 1000
    assert sorted(desk.read) == sorted(f"{number}.jpg".encode() for number in range(1000))


def pour(desk: Desk, writers: int, each: int) -> None:
    """Several programs fill the folder at once: by writing, and by renaming in, into sub-folders made meanwhile."""

    def write(number: int) -> None:
        for count in range(each):
            place = desk.inbox if count % 3 else desk.inbox / f"w{number}-{count // 50}"
            place.mkdir(exist_ok=True)
            name, content = f"{number}-{count}.jpg", f"content {number} {count}"
            if count % 2:
                (place / name).write_text(content)
            else:
                (desk.home / name).write_text(content)
                (desk.home / name).rename(place / name)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def all_taken_once(desk: Desk, count: int) -> None:
    until(lambda: desk.status()["queued"] >= count, seconds=300)
    rows = desk.ledger.rows("SELECT data ->> 'source' FROM job")
    contents = Counter(Path(row[0]).read_text() for row in rows)
    assert len(contents) == count and set(contents.values()) == {1}
    assert desk.left() == []


def test_a_burst_of_several_writers_is_all_taken_and_nothing_twice(desk: Desk, live: Live) -> None:  # noqa: F811
    live(max_ahead=10_000)
    pour(desk, writers=4, each=150)
    all_taken_once(desk, 600)


@pytest.mark.soak
def test_a_storm_of_ten_thousand_is_all_taken_and_nothing_twice(desk: Desk, live: Live) -> None:  # noqa: F811
    live(max_ahead=20_000)
    pour(desk, writers=4, each=2500)
    all_taken_once(desk, 10_000)


def test_a_file_of_which_nothing_was_heard_is_found_by_the_next_scan(desk: Desk) -> None:
    ear = Ear()
    desk.service.stop()
    desk.service = desk.make(ear=ear)
    desk.look()
    listener: Any = desk.service._listener
    assert desk.service.mode == "watch"
    listener.told = lambda *_, **__: None  # deaf, and does not know it
    (desk.inbox / "a.jpg").write_bytes(b"unheard")
    desk.look(5)
    assert desk.left() == ["a.jpg"]
    desk.look(30)
    desk.run()
    assert desk.read == [b"unheard"]
    ear.close()


def test_a_claimed_file_is_not_there_to_be_taken_again(desk: Desk) -> None:
    ear = Ear()
    desk.service.stop()
    desk.service = desk.make(ear=ear)
    (desk.inbox / "a.jpg").write_bytes(b"once")
    desk.settle()
    listener: Any = desk.service._listener
    for _ in range(3):  # late, doubled and stale news of a file that is at work
        listener._hints.add(b"a.jpg")
        desk.look(5)
    assert len(desk.files()) == 1 and desk.work() == 1
    ear.close()


def test_a_restart_with_a_backlog_neither_repeats_nor_loses_and_keeps_the_order(desk: Desk) -> None:
    desk.open(max_ahead=5, rescan_s=0.05)
    for number in range(12):
        (desk.inbox / f"{11 - number:02}.jpg").write_text(str(number))
        desk.look(0.1)
    desk.settle()
    for _ in range(6):
        desk.open()
        desk.settle()
        desk.work()
        desk.look(1)
    assert sorted(desk.read) == sorted(str(number).encode() for number in range(12))
    assert desk.read[:5] == [b"0", b"1", b"2", b"3", b"4"]


def test_names_that_differ_in_case_or_composition_alone_are_two_files(desk: Desk) -> None:
    names = ["a.jpg", "A.JPG", unicodedata.normalize("NFC", "é.jpg"), unicodedata.normalize("NFD", "é.jpg")]
    for name in names:
        (desk.inbox / name).write_text("content of " + name)
    assert len(os.listdir(desk.inbox)) == 4
    desk.run()
    assert len(set(desk.read)) == 4 and set(desk.ended("_done")) == set(names)


def test_another_name_of_a_dropped_file_is_left_as_it_is(desk: Desk) -> None:
    outside = desk.home / "album.jpg"
    outside.write_bytes(b"precious")
    outside.chmod(0o640)
    os.link(outside, desk.inbox / "a.jpg")
    desk.run(error="virus")  # the quarantine takes rights away
    assert outside.read_bytes() == b"precious" and outside.stat().st_mode & 0o777 == 0o640
