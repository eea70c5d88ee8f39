"""The upload flow from the dropped file to record, notice and clean staging."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from jobdesk.core.errors import PayloadError
from jobdesk_processors import safefiles
from tests.support import pictures
from tests.support.context import Bench

STEPS = [
    "IMAGE_UPLOAD_REQUESTED",
    "VIRUS_SCAN",
    "METADATA_EXTRACT",
    "THUMBNAIL_GENERATE",
    "IMAGE_RESIZE",
    "IMAGE_UPLOAD_PROCESSING",
    "DATABASE_UPDATE",
    "IMAGE_UPLOAD_COMPLETED",
    "NOTIFICATION_SEND",
    "CLEANUP_TEMP_FILES",
]


def test_a_photo_becomes_thumbnails_renditions_a_record_and_a_notice(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "data"
    photo.write_bytes(pictures.plain(size=(1500, 1000)))
    done = desk.flow(
        "IMAGE_UPLOAD_REQUESTED", {"source": photo, "name": "Lake.JPG", "album": "trips", "tags": ["blue"]}
    )
    assert list(done) == STEPS

    (record,) = done["DATABASE_UPDATE"].assets
    assert (record["name"], record["album"], record["tags"], record["user"]) == ("Lake.JPG", "trips", ["blue"], "ada")
    assert (record["type"], record["width"], record["height"]) == ("image/jpeg", 1500, 1000)
    assert record["sha256"] == record["checksums"]["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert record["checksums"]["md5"] == hashlib.md5(photo.read_bytes()).hexdigest()
    assert record["scan"] == {"scanned": False, "verdict": "not scanned: no scanner"}
    sizes = {one["name"]: (one["width"], one["height"], one["format"]) for one in record["renditions"]}
    assert sizes == {
        "thumbnail-256": (256, 171, "webp"),
        "width-1080": (1080, 720, "webp"),
        "width-1500": (1500, 1000, "webp"),
    }
    for one in record["renditions"]:
        content = Path(one["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (one["bytes"], one["sha256"])
        with Image.open(one["path"]) as image:
            assert image.size == (one["width"], one["height"])
    assert Path(record["path"]).read_bytes() == photo.read_bytes()
    assert done["NOTIFICATION_SEND"].result["channels"] == ["log"]
    assert not list((desk.home / "library" / ".staging").iterdir())
    assert all(Path(path).exists() for path in done["IMAGE_UPLOAD_PROCESSING"].artifacts)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_photo_that_lies_on_its_side_is_told_as_it_is_seen(desk: Bench, tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = tmp_path / "photo"
    photo.write_bytes(pictures.plain(kind, exif=exif))
    done = desk.flow("IMAGE_UPLOAD_REQUESTED", {"source": photo})
    asked, found = done["IMAGE_UPLOAD_REQUESTED"].result, done["METADATA_EXTRACT"].result
    assert (asked["width"], asked["height"]) == (found["width"], found["height"]) == (48, 64)
    (record,) = desk.run("DATABASE_UPDATE", {"source": photo}).assets
    assert (record["width"], record["height"]) == (48, 64)


def test_each_step_is_queued_where_the_reference_has_it(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(pictures.plain("PNG"))
    children = desk.run("IMAGE_UPLOAD_REQUESTED", {"source": photo}).children
    queues = {child["type"]: child.get("queue") or desk.processors[child["type"]].queue for child in children}
    assert queues == {
        "VIRUS_SCAN": "upload.high-priority",
        "METADATA_EXTRACT": "processing.images",
        "THUMBNAIL_GENERATE": "processing.images",
        "IMAGE_RESIZE": "processing.images",
        "IMAGE_UPLOAD_PROCESSING": "upload.normal",
        "DATABASE_UPDATE": "upload.normal",
        "IMAGE_UPLOAD_COMPLETED": "upload.events",
        "NOTIFICATION_SEND": "notifications",
        "CLEANUP_TEMP_FILES": "upload.batch",
    }
    assert {child["type"] for child in children if child.get("optional")} == {"NOTIFICATION_SEND", "CLEANUP_TEMP_FILES"}


def test_every_step_run_twice_changes_nothing(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain(size=(300, 200)))
    results: dict[str, object] = {}
    waiting: list[dict[str, Any]] = [
        {"type": STEPS[0], "data": {"source": str(photo)}, "id": "job_01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    ]
    while waiting:
        job = waiting.pop(0)
        first = desk.run(job["type"], job["data"], job=job["id"], results=results)
        before = _files(desk.home / "library")
        second = desk.run(job["type"], job["data"], job=job["id"], results=results, attempt=2)
        assert _files(desk.home / "library") == before
        changing = {"received_at", "completed_at", "files", "bytes", "uploads"}
        assert _without(first.result, changing) == _without(second.result, changing)
        results[job["type"]] = first.result
        waiting += first.children
    library = _files(desk.home / "library")
    assert len(library) == 3 and not any(name.endswith(".part") for name in library)


def test_a_failure_is_told_with_its_reason_and_keeps_the_staging(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "noise.png"
    photo.write_bytes(pictures.png(40, 40, b"\0" * 700))  # whole by its chunks, but only a part of the rows is there
    done = desk.flow("IMAGE_UPLOAD_REQUESTED", {"source": photo})
    failed = ["IMAGE_UPLOAD_REQUESTED", "VIRUS_SCAN", "METADATA_EXTRACT", "IMAGE_UPLOAD_FAILED", "NOTIFICATION_SEND"]
    assert list(done) == failed
    assert done["METADATA_EXTRACT"].error.retryable is False
    told = done["IMAGE_UPLOAD_FAILED"].result
    assert (told["reason"], told["failed_type"]) == ("truncated", "METADATA_EXTRACT")
    assert told["failed_job"] == done["METADATA_EXTRACT"].id
    assert done["NOTIFICATION_SEND"].result["title"] == "noise.png was not uploaded"
    assert "cut short" in done["NOTIFICATION_SEND"].result["message"]
    assert Path(done["IMAGE_UPLOAD_REQUESTED"].result["staged"]).exists()


def test_a_rendition_changed_on_the_way_is_not_stored(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    made = desk.run("THUMBNAIL_GENERATE", {"source": photo, "output": tmp_path / "made"}).result
    Path(made["renditions"][0]["path"]).write_bytes(b"something else")
    stored = desk.run("IMAGE_UPLOAD_PROCESSING", {"source": photo}, results={"THUMBNAIL_GENERATE": made})
    assert stored.error.type == "corrupt" and "changed since it was made" in stored.error.message


def test_a_storage_that_cannot_be_written_is_for_a_person_to_mend(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    (desk.home / "library").write_text("in the way")
    failed = desk.run("IMAGE_UPLOAD_REQUESTED", {"source": photo}).error
    assert (failed.type, failed.retryable) == ("storage-failed", False)
    assert "then retry this job" in failed.message


def test_a_name_that_would_move_the_cursor_is_shown_harmless(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "data"
    photo.write_bytes(pictures.plain())
    named = desk.run("IMAGE_UPLOAD_REQUESTED", {"source": photo, "name": "a\n\x1b[2J\u202egnp.jpg"})
    assert named.result["name"] == "a\ufffd\ufffd[2J\ufffdgnp.jpg"
    assert safefiles.shown("Größe 写真.jpg") == "Größe 写真.jpg"


@pytest.mark.parametrize("bad", ["../../etc", "a/b", "", ".hidden", "x" * 81])
def test_an_upload_id_cannot_leave_the_storage(desk: Bench, bad: str) -> None:
    for type_, rest in (("IMAGE_UPLOAD_REQUESTED", {"source": "a.jpg"}), ("CLEANUP_TEMP_FILES", {})):
        with pytest.raises(PayloadError, match="upload_id"):
            desk.processors[type_].check({"upload_id": bad, **rest})


def test_old_stagings_are_cleaned_and_a_dry_run_only_tells(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    old = Path(desk.run("IMAGE_UPLOAD_REQUESTED", {"source": photo, "upload_id": "old"}).result["staged"]).parent
    new = Path(desk.run("IMAGE_UPLOAD_REQUESTED", {"source": photo, "upload_id": "new"}).result["staged"]).parent
    for path in (*old.iterdir(), old):
        os.utime(path, (1_000_000, 1_000_000))
    told = desk.run("CLEANUP_TEMP_FILES", {"older_than": "7d", "dry_run": True}).result
    assert told["uploads"] == ["old"] and told["files"] == 1 and old.exists()
    assert desk.run("CLEANUP_TEMP_FILES", {"older_than": "7d"}).result["uploads"] == ["old"]
    assert not old.exists() and new.exists()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def _without(result: dict[str, object], keys: set[str]) -> dict[str, object]:
    return {key: value for key, value in result.items() if key not in keys}
