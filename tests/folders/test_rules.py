"""The pure parts: what a scan lists, when a file has rested, how names are kept."""

from pathlib import Path

import pytest

from jobdesk.folders.content import detect, is_cut
from jobdesk.folders.door import Door
from jobdesk.folders.finish import archive_name
from jobdesk.folders.rules import MAX_DEPTH, FolderRule
from jobdesk.folders.scan import Look, Scan
from jobdesk.folders.settle import StabilityTracker


def look(size: int = 1, mtime_ns: int = 0) -> Look:
    return Look(1, 1, size, mtime_ns, 0)


def scanned(root: Path, **rule: object) -> tuple[list[bytes], list[str]]:
    """Files that may be taken, and why others are not."""
    door = Door(FolderRule(path=root, pipeline="UPLOAD", **rule))  # type: ignore[arg-type]
    scan = Scan(bytes(root), door)
    files = sorted(found.path for slice_ in scan.slices() for found in slice_)
    return files, sorted(why for _, why in scan.ignored)


def saw(tracker: StabilityTracker, files: dict[bytes, Look], monotonic: float, now: float = 0.0) -> None:
    """A scan that found these."""
    tracker.begin_scan()
    for path, found in files.items():
        tracker.see(path, found, monotonic, now)
    tracker.end_scan()


def test_rest_is_measured_from_the_last_change_and_takes_two_looks() -> None:
    tracker = StabilityTracker(2.0, 60.0)
    saw(tracker, {b"a": look(1)}, 0.0, 1000.0)
    assert tracker.settled() == [] and tracker.deadline == 2.0
    saw(tracker, {b"a": look(2)}, 1.9, 1001.9)
    saw(tracker, {b"a": look(2)}, 3.8, 1003.8)
    assert tracker.settled() == []
    saw(tracker, {b"a": look(2)}, 3.9, 1003.9)
    assert tracker.settled() == [b"a"] and tracker.first_seen(b"a") == 1000.0 and tracker.deadline is None


def test_one_look_after_a_long_sleep_is_not_enough() -> None:
    tracker = StabilityTracker(0.01, 0.0)
    saw(tracker, {b"a": look()}, 0.0, 0.0)
    assert tracker.settled() == [] and tracker.deadline == pytest.approx(0.05)
    saw(tracker, {b"a": look()}, 500.0, 0.0)
    assert tracker.settled() == [b"a"]


def test_files_that_settled_come_in_the_order_in_which_they_were_first_seen() -> None:
    tracker = StabilityTracker(1.0, 60.0)
    saw(tracker, {b"z": look()}, 0.0, 0.0)
    saw(tracker, {b"a": look(), b"z": look()}, 0.5, 0.5)
    saw(tracker, {b"a": look(), b"z": look()}, 2.0, 2.0)
    assert tracker.settled() == [b"z", b"a"]


def test_a_name_that_vanished_and_came_back_begins_anew() -> None:
    tracker = StabilityTracker(1.0, 60.0)
    saw(tracker, {b"a": look()}, 0.0, 0.0)
    saw(tracker, {}, 0.5, 0.5)
    saw(tracker, {b"a": look()}, 2.0, 2.0)
    assert tracker.settled() == []


def test_patterns_fit_names_in_any_case_and_paths_where_they_have_a_slash(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "B.JPG", "c.png", "sub/d.jpg", "sub/e.txt"):
        (tmp_path / name).touch()
    assert scanned(tmp_path, patterns=("*.jpg",))[0] == [b"B.JPG", b"a.jpg", b"sub/d.jpg"]
    assert scanned(tmp_path, patterns=("sub/*",))[0] == [b"sub/d.jpg", b"sub/e.txt"]
    assert scanned(tmp_path, recursive=False)[0] == [b"B.JPG", b"a.jpg", b"c.png"]


def test_links_to_oneself_and_bottomless_folders_end(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(".")
    (tmp_path / "y").symlink_to(".")
    deep = tmp_path
    for _ in range(MAX_DEPTH + 3):
        deep = deep / "d"
        deep.mkdir()
        (deep / "f.jpg").touch()
    files, reasons = scanned(tmp_path)
    assert len(files) == MAX_DEPTH
    assert reasons == [f"deeper than {MAX_DEPTH} folders", "symbolic link", "symbolic link"]


def test_a_drop_folder_within_another_is_left_to_its_own_service(tmp_path: Path) -> None:
    (tmp_path / "inner/.jobdesk").mkdir(parents=True)
    (tmp_path / "inner/a.jpg").touch()
    assert scanned(tmp_path)[0] == []


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
