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


PAYLOADS: list[tuple[str, dict[str, Any]]] = [
    ("discover-with-instagram", {
        "businessName": "Downtown Restaurant", "location": "New York, NY", "businessType": "restaurant", "radius": 50,
    }),
    ("discover-competitors", {"businessId": "test123", "businessName": "Test Restaurant"}),
    ("analyze-reels", {"profileId": "profile123", "username": "restaurant_nyc"}),
    ("scrape-instagram-videos", {"profileId": "profile123", "topReels": [{"id": "r1"}]}),
    ("analyze-video-content", {"videoId": "video123", "analysisType": "comprehensive"}),
    ("generate-competitor-report", {"businessId": "biz123", "analysisData": COMPARED}),
    ("cleanup-expired-jobs", {"olderThanDays": 30}),
    ("email-sending", {
        "to": "user@example.com", "template": "welcome", "data": {"name": "John Doe"}, "priority": "high",
    }),
    ("file-processing", {
        "fileId": "file-123", "fileUrl": "https://storage.example.com/file.pdf", "fileName": "document.pdf",
        "fileType": "application/pdf", "fileSize": 1024000, "userId": "user-123", "processingType": "virus_scan",
    }),
    ("file-processing", {
        "fileId": "file-123", "fileUrl": "https://storage.example.com/file.jpg", "fileName": "image.jpg",
        "fileType": "image/jpeg", "fileSize": 1024000, "userId": "user-123", "productId": "product-123",
        "options": {"generateThumbnail": True, "optimizeImage": True, "scanForViruses": True},
    }),
    ("analytics-aggregation", {
        "type": "daily", "dateRange": {"start": "2024-01-01T00:00:00Z", "end": "2024-01-01T23:59:59Z"},
        "metrics": ["page_views", "purchases"],
    }),
    ("analytics-aggregation", {
        "type": "daily", "dateRange": {"start": "2024-01-01", "end": "2024-01-31"},
        "metrics": ["page_views", "conversion_rate"],
    }),
    ("email", {
        "to": "user@example.com", "subject": "Welcome to PhraseWorks", "template": "welcome",
        "variables": {"userName": "John Doe"},
    }),
    ("email", {"template": "daily_reminder", "to": "user@example.com"}),
    ("image_process", {
        "sourceUrl": "https://example.com/image.jpg", "outputPath": "/uploads/processed/image.webp",
        "operations": [
            {"type": "resize", "width": 800, "height": 600}, {"type": "optimize", "quality": 85},
            {"type": "format", "format": "webp"},
        ],
    }),
    ("image_process", {"file": "photo.jpg", "operations": [{"type": "resize", "width": 800}]}),
    ("cleanup", {"action": "remove_old_logs", "olderThan": "30 days"}),
    ("cleanup", {"action": "temp_files"}),
    ("backup", {"type": "database", "retention": "30 days"}),
    ("report", {"type": "weekly_analytics", "recipients": ["admin@example.com"]}),
    ("image-generation", {
        "userId": "user-uuid", "generationId": "gen_123", "prompt": "A beautiful sunset",
        "platforms": ["instagram-post", "twitter-post"], "imageType": "vivid",
    }),
    *(("file-cleanup", {"type": kind, "olderThanDays": 30}) for kind in ("temp-files", "failed-generations", "all")),
]  # fmt: skip


def test_the_payloads_of_the_documents_are_taken_as_they_stand_there(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path))
    try:
        for type_, data in PAYLOADS:
            assert desk.submit(type_, data).type == type_
    finally:
        desk.close()


def test_each_schedule_of_analytics_and_reports_makes_jobs_that_complete(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text('{"timestamp": "2026-11-01T10:00:00Z", "event": "page_view"}\n')
    settings = f'[analytics]\nsources = ["{tmp_path}/events.ndjson"]\n[reports]\nformats = ["html"]\n'
    with Desk(make_home(tmp_path, "", settings)) as desk:
        names = [one.name for one in desk.schedules_off() if one.name.startswith(("analytics", "daily-r", "weekly-"))]
        assert len(names) == 7
        jobs = []
        for name in names:
            desk.resume_schedule(name)
            jobs.append(desk.trigger_schedule(name).id)
        desk.wait(*jobs, timeout=120)
        assert {desk.job(id_).state for id_ in jobs} == {State.COMPLETED}


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
        wanted = {"userId": "user123", "uploadId": "upload_123456789", "imageId": "img_123456789"}
        first = done(desk, "IMAGE_UPLOAD_REQUESTED", wanted | {"source": str(photo)}, queue="upload.high-priority")
        assert {"user_id": "user123", "image_id": "img_123456789"}.items() <= first.result.items()
        assert first.flow is not None and desk.wait_flow(first.flow, timeout=120).state.value == "completed"
        steps = {job.type: job for job in desk.jobs(f"flow:{first.flow}", limit=50).jobs}
        assert {type_: (job.queue, job.priority, job.state.value) for type_, job in steps.items()} == {
            "IMAGE_UPLOAD_REQUESTED": ("upload.high-priority", 75, "completed"),
            "VIRUS_SCAN": ("upload.high-priority", 75, "completed"),
            "METADATA_EXTRACT": ("processing.images", 50, "completed"),
            "THUMBNAIL_GENERATE": ("processing.images", 50, "completed"),
            "IMAGE_RESIZE": ("processing.images", 50, "completed"),
            "IMAGE_UPLOAD_PROCESSING": ("upload.high-priority", 75, "completed"),
            "DATABASE_UPDATE": ("upload.high-priority", 75, "completed"),
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
