"""Job types of the reference systems, with the payloads of their documents, through a consumer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import Job, State
from tests.support import pictures
from tests.support.home import make_home, until
from tests.support.videos import make_video
from tests.support.web import Answer, Asked, Server, server

SETTINGS = """
[services.business-discovery]
url = "{url}"
[services.instagram-detection]
url = "{url}"
"""
ANSWERS: dict[str, Any] = {
    "/discover-competitors": {"businesses": [{"id": "biz1", "name": "Trattoria"}]},
    "/validate-business": {"valid": True, "address": "1 Main St"},
    "/detect-instagram-profiles": {"profiles": [{"profileId": "profile123", "username": "restaurant_nyc"}]},
    "/validate-instagram-profile": {"exists": False},
    "/analyze-reels": {"reels": [{"id": "r1", "views": 10, "likes": 2}, {"id": "r2", "views": 90, "likes": 40}]},
}
COMPARED = [
    {"businessId": f"biz12{n}", "name": f"Place {n}", "followers": 100 * n, "publishedAt": f"2026-11-0{n}"}
    for n in range(1, 5)
]


def answer(asked: Asked) -> Answer:
    said = ANSWERS.get(asked.path)
    return Answer(404) if said is None else Answer(200, json.dumps(said).encode())


@pytest.fixture
def services() -> Iterator[Server]:
    with server(answer) as one:
        yield one


def done(desk: Desk, type_: str, data: dict[str, Any], **how: Any) -> Job:
    """A job that has completed."""
    job = desk.wait(desk.submit(type_, data, **how).id, timeout=120)
    assert job.state is State.COMPLETED, (type_, job.error)
    return job


def test_each_call_of_a_discovery_service(tmp_path: Path, services: Server) -> None:
    test = {"businessId": "test123", "businessName": "Test Restaurant"}
    with Desk(make_home(tmp_path, "", SETTINGS.format(url=services.url))) as desk:
        found = done(desk, "discover-competitors", test)
        assert found.queue == "business-discovery" and found.result["businesses"][0]["name"] == "Trattoria"
        valid = done(desk, "validate-business", test)
        assert (valid.queue, valid.result["valid"]) == ("business-discovery", True)
        seen = done(desk, "detect-instagram-profiles", {"businesses": [{"name": "Trattoria"}], "follow": False})
        assert (seen.queue, seen.result["profiles"][0]["username"]) == ("instagram-detection", "restaurant_nyc")
        gone = done(desk, "validate-instagram-profile", {"username": "restaurant_nyc"})
        assert (gone.queue, gone.result["exists"]) == ("instagram-detection", False)
        reels = {"profileId": "profile123", "username": "restaurant_nyc", "follow": False}
        ranked = done(desk, "analyze-reels", reels)
        assert (ranked.queue, ranked.max_attempts) == ("instagram-detection", 6)
    assert {one.path for one in services.asked} == set(ANSWERS)
    assert len({one.headers["idempotency-key"] for one in services.asked}) == len(ANSWERS)


def test_a_video_is_measured_where_it_lies(tmp_path: Path) -> None:
    film = make_video(tmp_path / "reel.mp4", seconds=1)
    with Desk(make_home(tmp_path)) as desk:
        said = done(desk, "extract-metadata", {"videoId": "video123", "videoPath": str(film)})
        assert said.queue == "video-analysis" and said.result["video_id"] == "video123" and said.result["sha256"]
        looked = {"videoId": "video123", "videoPath": str(film), "analysisType": "technical"}
        assert done(desk, "analyze-video-content", looked).queue == "video-analysis"
        stored = done(desk, "upload-to-storage", {"videoId": "video123", "videoPath": str(film)})
        assert Path(stored.result["path"]).read_bytes() == film.read_bytes()


def test_reports_of_an_analysis(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path)) as desk:
        made = done(desk, "generate-competitor-report", {"businessId": "biz123", "analysisData": COMPARED})
        trend = done(desk, "generate-trend-analysis", {"analysisData": COMPARED})
        assert trend.result["trends"]["Followers"]["each_day"] == 100
        exported = done(desk, "export-pdf-report", {"report": made.result["files"]["json"]})
        assert {made.queue, trend.queue, exported.queue} == {"report-generation"}
        for job in (made, trend, exported):
            assert Path(job.result["files"]["pdf"]).read_bytes().startswith(b"%PDF-")


def test_an_upload_step_by_step_and_one_that_fails(tmp_path: Path) -> None:
    photo, broken = tmp_path / "photo.jpg", tmp_path / "broken.jpg"
    photo.write_bytes(pictures.plain(size=(600, 400)))
    broken.write_bytes(photo.read_bytes()[:600])
    with Desk(make_home(tmp_path)) as desk:
        wanted = {"source": str(photo), "uploadId": "upload_123456789"}
        first = done(desk, "IMAGE_UPLOAD_REQUESTED", wanted, queue="upload.high-priority", priority="high")
        assert first.flow is not None and desk.wait_flow(first.flow, timeout=120).state.value == "completed"
        steps = {job.type: job for job in desk.jobs(f"flow:{first.flow}", limit=50).jobs}
        assert {type_: (job.queue, job.priority, job.state.value) for type_, job in steps.items()} == {
            "IMAGE_UPLOAD_REQUESTED": ("upload.high-priority", 75, "completed"),
            "VIRUS_SCAN": ("upload.high-priority", 75, "completed"),
            "METADATA_EXTRACT": ("processing.images", 50, "completed"),
            "THUMBNAIL_GENERATE": ("processing.images", 50, "completed"),
            "IMAGE_RESIZE": ("processing.images", 50, "completed"),
            "IMAGE_UPLOAD_PROCESSING": ("upload.normal", 50, "completed"),
            "DATABASE_UPDATE": ("upload.normal", 50, "completed"),
            "IMAGE_UPLOAD_COMPLETED": ("upload.events", 50, "completed"),
            "NOTIFICATION_SEND": ("notifications", 25, "completed"),
            "CLEANUP_TEMP_FILES": ("upload.batch", 25, "completed"),
        }
        lost = desk.wait(desk.submit("IMAGE_UPLOAD_REQUESTED", {"source": str(broken)}).id, timeout=120)
        assert (lost.state, lost.attempt, lost.queue) == (State.FAILED, 1, "upload.normal")
        until(lambda: desk.jobs("type:IMAGE_UPLOAD_FAILED state:completed").jobs)
        (told,) = desk.jobs("type:IMAGE_UPLOAD_FAILED").jobs
        assert (told.queue, told.priority) == ("upload.events", 50)
        until(lambda: len(desk.jobs("type:NOTIFICATION_SEND state:completed").jobs) == 2)


def test_steps_of_an_upload_by_themselves(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.plain(size=(600, 400)))
    source = {"source": str(photo)}
    with Desk(make_home(tmp_path)) as desk:
        assert done(desk, "IMAGE_RESIZE", {**source, "widths": [300]}).result
        assert done(desk, "THUMBNAIL_GENERATE", {**source, "sizes": [64]}).result
        assert done(desk, "METADATA_EXTRACT", source).result["width"] == 600
        assert done(desk, "VIRUS_SCAN", source).result["verdict"]
        assert done(desk, "DATABASE_UPDATE", {**source, "name": "photo"}).result["name"] == "photo"
        assert done(desk, "NOTIFICATION_SEND", {"message": "stored"}).result["channels"][0] == "log"
        assert done(desk, "CLEANUP_TEMP_FILES", {"older_than": "1h"}).result["files"] == 0


def test_pictures_together_and_a_storage_elsewhere(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.plain(size=(600, 400)))
    with Desk(make_home(tmp_path, "", '[storage]\nurl = "memory://shelf/desk"\n')) as desk:
        sheet = done(desk, "CONTACT_SHEET", {"sources": [str(photo)] * 3})
        assert sheet.queue == "processing.images" and sheet.artifacts
        assert done(desk, "STORAGE_CHECK", {}).result["remote"] is True
        assert done(desk, "STORAGE_ROLLBACK", {"upload_id": "upload_1"}).result["deleted"] == 0
