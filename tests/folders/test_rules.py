"""The pure parts: what a scan lists, when a file has rested, how names are kept."""

from pathlib import Path

import pytest

from jobdesk.folders.content import detect, is_cut
from jobdesk.folders.finish import archive_name
from jobdesk.folders.rules import MAX_DEPTH, FolderRule
from jobdesk.folders.scan import Look, Scan, scan
from jobdesk.folders.settle import StabilityTracker
from jobdesk.folders.watcher import Watcher


def look(size: int = 1, mtime_ns: int = 0) -> Look:
    return Look(1, 1, size, mtime_ns, 0)


def scanned(root: Path, **rule: object) -> Scan:
    return scan(bytes(root), FolderRule(path=root, pipeline="UPLOAD", **rule))  # type: ignore[arg-type]


def test_rest_is_measured_from_the_last_change_and_takes_two_looks() -> None:
    tracker = StabilityTracker(2.0, 60.0)
    tracker.look({b"a": look(1)}, 0.0, 1000.0)
    assert tracker.settled() == [] and tracker.deadline == 2.0
    tracker.look({b"a": look(2)}, 1.9, 1001.9)
    tracker.look({b"a": look(2)}, 3.8, 1003.8)
    assert tracker.settled() == []
    tracker.look({b"a": look(2)}, 3.9, 1003.9)
    assert tracker.settled() == [b"a"] and tracker.first_seen(b"a") == 1000.0 and tracker.deadline is None


def test_one_look_after_a_long_sleep_is_not_enough() -> None:
    tracker = StabilityTracker(0.0, 0.0)
    tracker.look({b"a": look()}, 0.0, 0.0)
    assert tracker.settled() == [] and tracker.deadline == pytest.approx(0.05)
    tracker.look({b"a": look()}, 500.0, 0.0)
    assert tracker.settled() == [b"a"]


def test_files_that_settled_come_in_the_order_in_which_they_were_first_seen() -> None:
    tracker = StabilityTracker(1.0, 60.0)
    tracker.look({b"z": look()}, 0.0, 0.0)
    tracker.look({b"a": look(), b"z": look()}, 0.5, 0.5)
    tracker.look({b"a": look(), b"z": look()}, 2.0, 2.0)
    assert tracker.settled() == [b"z", b"a"]


def test_a_name_that_vanished_and_came_back_begins_anew() -> None:
    tracker = StabilityTracker(1.0, 60.0)
    tracker.look({b"a": look()}, 0.0, 0.0)
    tracker.look({}, 0.5, 0.5)
    tracker.look({b"a": look()}, 2.0, 2.0)
    assert tracker.settled() == []


def test_patterns_fit_names_in_any_case_and_paths_where_they_have_a_slash(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "B.JPG", "c.png", "sub/d.jpg", "sub/e.txt"):
        (tmp_path / name).touch()
    assert sorted(scanned(tmp_path, patterns=("*.jpg",)).files) == [b"B.JPG", b"a.jpg", b"sub/d.jpg"]
    assert sorted(scanned(tmp_path, patterns=("sub/*",)).files) == [b"sub/d.jpg", b"sub/e.txt"]
    assert sorted(scanned(tmp_path, recursive=False).files) == [b"B.JPG", b"a.jpg", b"c.png"]


def test_links_to_oneself_and_bottomless_folders_end(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(".")
    (tmp_path / "y").symlink_to(".")
    deep = tmp_path
    for _ in range(MAX_DEPTH + 3):
        deep = deep / "d"
        deep.mkdir()
        (deep / "f.jpg").touch()
    found = scanned(tmp_path)
    assert len(found.files) == MAX_DEPTH
    reasons = [why for _, why in found.ignored]
    assert sorted(reasons) == [f"deeper than {MAX_DEPTH} folders", "symbolic link", "symbolic link"]


def test_a_drop_folder_within_another_is_left_to_its_own_service(tmp_path: Path) -> None:
    (tmp_path / "inner/.jobdesk").mkdir(parents=True)
    (tmp_path / "inner/a.jpg").touch()
    assert scanned(tmp_path).files == {}


def test_an_archived_name_is_cut_between_two_letters_and_keeps_its_ending() -> None:
    id_ = "file_01KB0000000000000000000000"
    assert archive_name(id_, b"sub/a.jpg") == b"file_01KB0000000000000000000000-a.jpg"
    long = archive_name(id_, "é".encode() * 120 + b".jpeg")
    assert long.decode().endswith("é.jpeg") and len(long) <= 32 + 120
    raw = archive_name(id_, b"\xff" * 250)
    assert raw == id_.encode() + b"-" + b"\xff" * 120
    assert archive_name(id_, archive_name(id_, b"a.jpg")) == archive_name(id_, b"a.jpg")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"plain words, \xc3", "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"", "application/x-empty"),
    ],
)
def test_a_type_is_told_by_content(start: bytes, kind: str) -> None:
    assert detect(start) == kind


def test_a_picture_without_its_end_is_seen_to_be_cut() -> None:
    assert is_cut(b"\xff\xd8\xff\xe0", b"half", 100) and not is_cut(b"\xff\xd8\xff\xe0", b"\xff\xd9\0", 100)
    assert is_cut(b"RIFF\xff\x00\x00\x00WEBP", b"", 100) and not is_cut(b"RIFF\x5c\x00\x00\x00WEBP", b"", 100)


def test_sub_folders_that_the_system_does_not_report_on_are_counted(tmp_path: Path) -> None:
    (tmp_path / "heard").mkdir()
    watcher = Watcher(lambda: None)
    watcher.start(bytes(tmp_path.resolve()), True)
    try:
        group = next(iter(watcher._observer.emitters))._inotify
        assert watcher.unwatched(bytes(tmp_path), [b"", b"heard", b"gone"]) == 0
        with group._lock:
            watch = group._active_callbacks_by_path[bytes(tmp_path / "heard")]
            group._remove_callbacks([watch])  # as if the limit had been reached
        assert watcher.unwatched(bytes(tmp_path), [b"", b"heard", b"gone"]) == 1
    finally:
        watcher.stop()
