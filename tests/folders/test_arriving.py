"""Every way in which a file arrives: it is taken once, when it is whole, and not before."""

import os

from tests.folders.conftest import Desk


def test_a_file_written_in_pieces_is_taken_when_it_rests(desk: Desk) -> None:
    with (desk.inbox / "slow.jpg").open("wb") as writing:
        for _ in range(5):
            writing.write(b"piece")
            writing.flush()
            desk.look(1.5)
    assert desk.left() == ["slow.jpg"]
    desk.run()
    assert desk.read == [b"piece" * 5]
    assert desk.ended("_done") == {"slow.jpg": b"piece" * 5}
    assert desk.states() == {"slow.jpg": "done"}
    assert desk.claims() == []


def test_files_present_at_the_start_must_rest_like_any_other(desk: Desk) -> None:
    (desk.inbox / "old.jpg").write_bytes(b"old")
    desk.look()
    assert desk.left() == ["old.jpg"] and desk.status()["settling"] == 1
    desk.look(1.9)
    assert desk.left() == ["old.jpg"]
    desk.look(0.2)
    assert desk.left() == [] and desk.states() == {"old.jpg": "queued"}


def test_a_program_that_pauses_with_the_file_open_is_waited_for(desk: Desk) -> None:
    with (desk.inbox / "open.jpg").open("wb") as writing:
        writing.write(b"first half ")
        writing.flush()
        for _ in range(10):
            desk.look(5)
        assert desk.left() == ["open.jpg"]
        (seen,) = desk.files()
        assert (seen["state"], seen["reason"]) == ("settling", "a program has it open for writing")
        writing.write(b"second half")
    desk.run()
    assert desk.read == [b"first half second half"]


def test_a_renamed_in_file_and_an_atomic_save_are_taken_once_under_the_final_name(desk: Desk) -> None:
    (desk.home / "made elsewhere.jpg").write_bytes(b"moved")
    (desk.home / "made elsewhere.jpg").rename(desk.inbox / "in.jpg")
    (desk.inbox / "photo.jpg.part").write_bytes(b"saved")
    (desk.inbox / "letter.jpg~").write_bytes(b"backup")
    desk.settle()
    assert desk.left() == ["letter.jpg~", "photo.jpg.part"]
    (desk.inbox / "photo.jpg.part").rename(desk.inbox / "photo.jpg")
    desk.run()
    assert sorted(desk.read) == [b"moved", b"saved"]
    assert desk.states() == {"in.jpg": "done", "photo.jpg": "done", "letter.jpg~": "ignored"}


def test_a_file_overwritten_while_it_settles_is_taken_with_its_last_content(desk: Desk) -> None:
    for version in (b"one", b"two", b"three"):
        (desk.inbox / "a.jpg").write_bytes(version)
        desk.look(1)
    desk.run()
    assert desk.read == [b"three"]


def test_a_changed_file_of_equal_size_and_old_time_rests_anew(desk: Desk) -> None:
    file = desk.inbox / "a.jpg"
    file.write_bytes(b"AAAA")
    os.utime(file, (0, 0))
    desk.look()
    new = desk.home / "new"
    new.write_bytes(b"BBBB")
    os.utime(new, (0, 0))
    new.rename(file)  # only the inode tells them apart
    desk.look(1.9)
    desk.look(1)
    assert desk.left() == ["a.jpg"]
    desk.run()
    assert desk.read == [b"BBBB"]


def test_the_same_name_twice_is_two_files(desk: Desk) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"first")
    desk.settle()
    (desk.inbox / "a.jpg").write_bytes(b"second")
    desk.run()
    assert desk.read == [b"first", b"second"]
    done = [path.read_bytes() for path in (desk.inbox / "_done").glob("*/*-a.jpg")]
    assert sorted(done) == [b"first", b"second"]


def test_the_same_content_is_skipped_and_said(desk: Desk) -> None:
    (desk.inbox / "a.jpg").write_bytes(b"same")
    os.link(desk.inbox / "a.jpg", desk.inbox / "b.jpg")
    desk.run()
    (desk.inbox / "c.jpg").write_bytes(b"same")
    desk.run()
    assert desk.read == [b"same"]
    assert desk.states() == {"a.jpg": "done", "b.jpg": "duplicate", "c.jpg": "duplicate"}
    assert set(desk.ended("_done")) == {"a.jpg", "b.jpg", "c.jpg"}
    skipped = desk.files("duplicate")
    assert {file["duplicate_of"] for file in skipped} == {desk.files("done")[0]["job"]}
    assert desk.status()["duplicate"] == 2


def test_the_same_content_is_processed_again_where_the_rule_says_so(desk: Desk) -> None:
    desk.open(duplicates="process")
    (desk.inbox / "a.jpg").write_bytes(b"same")
    (desk.inbox / "b.jpg").write_bytes(b"same")
    desk.run()
    assert desk.read == [b"same", b"same"]


def test_an_empty_file_waits_to_be_filled(desk: Desk) -> None:
    (desk.inbox / "placeholder.jpg").touch()
    for _ in range(10):
        desk.look(5)
    assert desk.left() == ["placeholder.jpg"]
    (desk.inbox / "placeholder.jpg").write_bytes(b"filled")
    desk.run()
    assert desk.read == [b"filled"] and desk.sidecars() == []


def test_a_file_that_stays_empty_is_rejected_without_a_job(desk: Desk) -> None:
    (desk.inbox / "never.jpg").touch()
    for _ in range(14):
        desk.look(5)
    (told,) = desk.sidecars()
    assert (told["reason"], told["size"], told["job_id"]) == ("empty", 0, None)
    assert desk.work() == 0
    assert desk.states() == {"never.jpg": "rejected"}


def test_a_folder_moved_in_keeps_its_paths(desk: Desk) -> None:
    tree = desk.home / "tree/deep/er"
    tree.mkdir(parents=True)
    for number in range(20):
        (tree / f"{number}.jpg").write_bytes(b"%d" % number)
    (desk.home / "tree").rename(desk.inbox / "holiday")
    desk.settle()
    queued = desk.files("queued")
    assert {file["path"] for file in queued} == {f"holiday/deep/er/{number}.jpg" for number in range(20)}
    with desk.ledger.write() as tx:
        ((album, name),) = tx.rows("SELECT data ->> 'album', data ->> 'name' FROM job LIMIT 1")
    assert (album, name.endswith(".jpg")) == ("holiday/deep/er", True)
    assert desk.work() == 20
    desk.look(1)
    assert len(desk.ended("_done")) == 20


def test_a_thousand_files_are_all_taken_and_none_twice(desk: Desk) -> None:
    for number in range(1000):
        (desk.inbox / f"{number}.jpg").write_bytes(b"%d" % number)
    desk.settle()
    assert desk.left() == []
    assert desk.work() == 1000
    desk.look(1)
    assert sorted(desk.read) == sorted(b"%d" % number for number in range(1000))
    assert desk.status()["done"] == 1000 and desk.claims() == []


def test_not_more_files_are_taken_than_may_be_ahead_of_the_workers(desk: Desk) -> None:
    desk.open(max_ahead=3)
    for number in range(8):
        (desk.inbox / f"{number}.jpg").write_bytes(b"%d" % number)
    desk.settle()
    assert len(desk.files("queued")) == 3 and desk.status()["waiting"] == 5
    for _ in range(4):
        desk.run()
    assert len(desk.read) == 8
