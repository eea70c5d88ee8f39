"""The discovery flow: services on loopback that answer as its real ones would, real videos, a real consumer."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobdesk import Desk, JobdeskError
from jobdesk.core.job import State
from jobdesk_processors import discovery, insights, video_jobs
from tests.support.context import Bench, bench
from tests.support.files import file_server
from tests.support.home import make_home, until
from tests.support.videos import make_video
from tests.support.web import Answer, Asked, Server, server

_SERVICES = ("business-discovery", "instagram-detection", "video-scraping", "video-analysis")
SETTINGS = "".join(f'[services.{name}]\nurl = "{{url}}/{name}"\n' for name in _SERVICES)
REELS = [
    {"id": "r1", "views": 1000, "likes": 100, "comments": 10, "shares": 0, "caption": "pizza"},
    {"id": "r2", "views": 50000, "likes": 90, "comments": 1},
    {"id": "r/3?", "views": 10, "likes": 100, "comments": 10, "shares": 50},
    {"id": "r1", "views": 0},
]


class Services:
    """All of them on one server."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "discover-competitors": {"businesses": [{"id": "biz1", "name": "Trattoria"}, {"name": "Osteria"}]},
            "validate-business": {"valid": True, "address": "1 Main St"},
            "detect-instagram-profiles": {
                "profiles": [{"profileId": "p1", "username": "trattoria.nyc", "businessId": "biz1"}]
            },
            "validate-instagram-profile": {"exists": False},
            "analyze-reels": {"reels": REELS},
            "analyze-video-content": {"analysis": {"topics": ["pizza", "dough"], "mood": "warm"}},
        }
        self.server: Server

    def answer(self, asked: Asked) -> Answer:
        found = self.answers.get(asked.path.rpartition("/")[2])
        return Answer(404) if found is None else Answer(200, json.dumps(found).encode())

    def asked(self, what: str) -> list[Any]:
        return [json.loads(one.body) for one in self.server.asked if one.path.endswith(f"/{what}")]


@pytest.fixture
def services() -> Iterator[Services]:
    made = Services()
    with server(made.answer) as made.server:
        yield made


@pytest.fixture
def home(tmp_path: Path, services: Services) -> Bench:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "jobdesk.toml").write_text(SETTINGS.format(url=services.server.url))
    return bench(tmp_path / "home", discovery, video_jobs, insights)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "reel.mp4")


def test_competitors_are_asked_for_as_the_document_writes_it(home: Bench, services: Services) -> None:
    data = {"businessName": "Downtown", "location": "New York, NY", "businessType": "restaurant", "radius": 50}
    ran = home.run("discover-competitors", data)
    assert ran.result["businesses_found"] == 2 and not ran.children
    assert services.asked("discover-competitors") == [data]
    assert services.server.asked[0].headers["idempotency-key"] == ran.id
    (child,) = home.run("discover-with-instagram", data).children
    assert child["type"] == "detect-instagram-profiles" and child["data"]["businesses"][1]["name"] == "Osteria"
    assert home.run("validate-business", {"business_name": "Downtown"}).result["valid"] is True
    assert home.run("validate-instagram-profile", {"username": "@down.town"}).result["exists"] is False
    assert services.asked("validate-instagram-profile") == [{"username": "down.town"}]


def test_profiles_start_their_reels_and_reels_are_ranked_here(home: Bench) -> None:
    ran = home.run("detect-instagram-profiles", {"businesses": [{"name": "Trattoria"}], "top": 2})
    (child,) = ran.children
    assert (child["type"], child["data"]["profile_id"], child["data"]["top"]) == ("analyze-reels", "p1", 2)
    ran = home.run("analyze-reels", child["data"])
    assert [one["id"] for one in ran.result["top_reels"]] == ["r/3?", "r2"] and ran.result["reels_found"] == 3
    assert ran.result["top_reels"][0]["engagement"] == 100 + 20 + 150
    (child,) = ran.children
    assert child["type"] == "scrape-instagram-videos" and len(child["data"]["top_reels"]) == 2
    assert not home.run("analyze-reels", {"profileId": "p1", "username": "x", "follow": False}).children
    by_views = home.run("analyze-reels", {"profileId": "p1", "username": "x", "rank": "views"})
    assert by_views.result["top_reels"][0]["id"] == "r2"


def test_the_service_says_where_videos_are_only_when_nobody_else_does(home: Bench, services: Services) -> None:
    known = {"profileId": "p1", "topReels": [{"id": "r1", "videoUrl": "http://host/1.mp4"}]}
    ran = home.run("scrape-instagram-videos", known)
    assert [one["type"] for one in ran.children] == [
        "download-video", "upload-to-storage", "analyze-video-content", "CLEANUP_TEMP_FILES", "generate-insights",
    ]  # fmt: skip
    assert ran.children[-1]["on_parent_failure"] == "ignore" and not services.server.asked
    services.answers["scrape-instagram-videos"] = {"videos": [{"id": "r2", "videoUrl": "http://host/2.mp4"}]}
    ran = home.run("scrape-instagram-videos", {"profileId": "p1", "topReels": REELS[1:3]})
    assert ran.result == {"profile_id": "p1", "videos": ["r2"], "missing": ["r/3?"]}
    services.answers["scrape-instagram-videos"] = {"videos": []}
    assert home.run("scrape-instagram-videos", {"profileId": "p1", "topReels": REELS[:1]}).error.type == "NoVideos"


def test_metadata_frames_and_a_contact_sheet_come_from_the_file_itself(home: Bench, film: Path) -> None:
    said = home.run("extract-metadata", {"videoPath": film}).result
    assert (said["width"], said["height"], said["duration_s"]) == (160, 90, pytest.approx(4.0, abs=0.2))
    assert said["video"][0]["codec"] == "mpeg4" and said["video"][0]["frames_per_second"] == 10
    assert said["audio"][0]["codec"] == "aac" and len(said["sha256"]) == 64
    data = {"videoId": "v1", "videoPath": film, "analysisType": "technical", "frames": 4}
    ran = home.run("analyze-video-content", data)
    times = [one["at_s"] for one in ran.result["frames"]]
    assert times == sorted(set(times)) and len(times) == 4 and ran.result["analysis"] is None
    reds = []
    for one in ran.result["frames"]:
        with Image.open(one["path"]) as image:
            assert image.size == (160, 90)
            pixel = image.getpixel((80, 45))
            assert isinstance(pixel, tuple)
            reds.append(pixel[0])
    assert reds == sorted(reds) and reds[-1] > reds[0] + 60
    with Image.open(ran.result["contact_sheet"]) as sheet:
        assert sheet.width > 2 * 320 and ran.artifacts == [ran.result["contact_sheet"]]


def test_the_service_gets_numbers_and_the_contact_sheet(home: Bench, services: Services, film: Path) -> None:
    ran = home.run("analyze-video-content", {"videoId": "v1", "videoPath": film, "reel": {"likes": 5}})
    assert ran.result["analysis"]["topics"] == ["pizza", "dough"]
    (asked,) = services.asked("analyze-video-content")
    assert asked["metadata"]["width"] == 160 and asked["reel"] == {"likes": 5}
    with Image.open(io.BytesIO(base64.b64decode(asked["contactSheet"]))) as sheet:
        assert sheet.format == "JPEG"


@pytest.mark.parametrize("content", [b"no video at all" * 100, b"", b"\0\0\0\x18ftypisom" + b"\0" * 99])
def test_what_is_no_video_is_refused_for_good(home: Bench, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "reel.mp4"
    file.write_bytes(content)
    for type_ in ("extract-metadata", "analyze-video-content"):
        data = {"videoId": "v1", "videoPath": file} | ({"analysisType": "technical"} if "analyze" in type_ else {})
        error = home.run(type_, data).error
        assert (error.type, error.retryable) == ("corrupt", False)


def test_a_playlist_does_not_open_other_files(home: Bench, tmp_path: Path, film: Path) -> None:
    file = tmp_path / "reel.m3u8"
    file.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{film}\n#EXT-X-ENDLIST\n")
    assert home.run("extract-metadata", {"videoPath": file}).error.type == "corrupt"


def test_storing_checks_the_checksum_and_records(home: Bench, film: Path) -> None:
    ran = home.run("upload-to-storage", {"videoId": "v1", "videoPath": film})
    (asset,) = ran.assets
    assert (
        asset["id"] == "v1" and asset["type"] == "video/mp4" and Path(asset["path"]).read_bytes() == film.read_bytes()
    )
    error = home.run("upload-to-storage", {"videoId": "v1", "videoPath": film, "sha256": "0" * 64}).error
    assert (error.type, error.retryable) == ("corrupt", False)
    assert home.run("upload-to-storage", {"videoId": "v2"}).error.type == "unreadable"
    assert home.run("extract-metadata", {"videoId": "v1"}).result["width"] == 160


def test_a_library_at_a_url_gets_videos_too(tmp_path: Path, film: Path) -> None:
    far = (tmp_path / "far").as_uri()
    home = bench(tmp_path / "home", video_jobs)
    home.settings["storage"] = {**home.settings["storage"], "url": far}
    ran = home.run("upload-to-storage", {"videoId": "v1", "videoPath": film})
    assert ran.result["path"] == f"{far}/videos/v1/video.mp4" == ran.assets[0]["path"]
    assert (tmp_path / "far" / "videos" / "v1" / "video.mp4").read_bytes() == film.read_bytes()


def test_insights_are_worked_out_and_written(home: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def analysis(id_: str, seconds: float, size: tuple[int, int], likes: int, topics: list[str]) -> dict[str, Any]:
        metadata = {"duration_s": seconds, "width": size[0], "height": size[1], "video": [{"codec": "h264"}]}
        return {
            "video_id": id_,
            "metadata": metadata,
            "reel": {"views": 10, "engagement": likes},
            "analysis": {"topics": topics},
        }

    data = [analysis("a", 10, (90, 160), 4, ["pizza"]), analysis("b", 20, (90, 160), 8, ["pizza", "oven"])]
    monkeypatch.setattr(insights, "is_registered", lambda type_: False)
    ran = home.run("generate-insights", {"analysisData": [*data, analysis("c", 22, (160, 90), 2, [])]})
    found = ran.result["insights"]
    assert found["duration_s"] == {"min": 10, "mean": 17.333, "median": 20, "max": 22}
    assert found["portrait_share"] == 0.6667 and found["best"] == "b" and found["views"] == 30
    assert found["engagement_by_length"] == {"under 15 s": 4.0, "15 to 30 s": 5.0}
    assert found["topics"] == {"pizza": 2, "oven": 1} and found["codecs"] == {"h264": 3}
    assert json.loads(Path(ran.result["file"]).read_bytes())["insights"] == found and not ran.children
    monkeypatch.setattr(insights, "is_registered", lambda type_: True)
    (child,) = home.run("generate-insights", {"analysisData": data, "businessId": "biz1"}).children
    assert child["type"] == "generate-competitor-report" and child["data"]["businessId"] == "biz1"
    assert [one["videoId"] for one in child["data"]["analysisData"]] == ["a", "b"]
    dated = [{**one, "reel": {"postedAt": f"2026-01-0{day}"}} for day, one in enumerate([*data, *data], 1)]
    assert "generate-trend-analysis" in home.run("generate-insights", {"analysisData": dated}).result["reports"]
    assert not home.run("generate-insights", {"videoIds": ["gone"]}).error.retryable


@pytest.mark.parametrize(
    "answer", [{}, {"reels": "none"}, {"reels": [{"likes": 3}]}, {"reels": [{"id": "r", "likes": "many"}]}, []]
)
def test_an_answer_that_makes_no_sense_is_refused_for_good(home: Bench, services: Services, answer: Any) -> None:
    services.answers["analyze-reels"] = answer
    error = home.run("analyze-reels", {"profileId": "p1", "username": "x"}).error
    assert (error.type, error.retryable) == ("BadAnswer", False) and "instagram-detection" in error.message


@pytest.mark.parametrize(
    ("type_", "data", "service"),
    [
        ("discover-competitors", {"businessName": "x"}, "business-discovery"),
        ("discover-with-instagram", {"businessName": "x"}, "business-discovery"),
        ("validate-business", {"businessName": "x"}, "business-discovery"),
        ("detect-instagram-profiles", {"businesses": [{"name": "x"}]}, "instagram-detection"),
        ("validate-instagram-profile", {"username": "x"}, "instagram-detection"),
        ("analyze-reels", {"profileId": "p", "username": "x"}, "instagram-detection"),
        ("scrape-instagram-videos", {"profileId": "p", "topReels": [{"id": "r"}]}, "video-scraping"),
        ("analyze-video-content", {"videoId": "v", "videoPath": "/none"}, "video-analysis"),
    ],
)  # fmt: skip
def test_without_settings_it_says_what_to_configure(
    tmp_path: Path, type_: str, data: dict[str, Any], service: str
) -> None:
    error = bench(tmp_path / "bare", discovery, video_jobs).run(type_, data).error
    assert (error.type, error.retryable) == ("NotConfigured", False) and f"[services.{service}]" in error.message


def test_wrong_data_is_refused_at_submission(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path))
    try:
        for type_, data, says in (
            ("analyze-video-content", {"videoId": "v", "videoPath": "s3://bucket/v.mp4"}, "download-video"),
            ("download-video", {"url": "ftp://host/v.mp4"}, "'url'"),
            ("analyze-reels", {"profileId": "p", "username": "no name!"}, "'username'"),
            ("discover-competitors", {"location": "NYC"}, "'business_name' is missing"),
        ):
            with pytest.raises(JobdeskError, match=says):
                desk.submit(type_, data)
    finally:
        desk.close()


def test_the_whole_flow_runs_through_a_consumer(tmp_path: Path, services: Services, film: Path) -> None:
    content = film.read_bytes()
    settings = SETTINGS.format(url=services.server.url)
    with file_server(content, cuts=[len(content) // 2]) as files, Desk(make_home(tmp_path, "", settings)) as desk:
        videos = [{"id": one["id"], "videoUrl": f"{files.url}/{number}.mp4"} for number, one in enumerate(REELS[:3])]
        services.answers["scrape-instagram-videos"] = {"videos": videos}
        first = desk.submit("discover-with-instagram", {"businessName": "Restaurant", "location": "NYC", "top": 2})
        desk.wait(first.id, timeout=60)
        flow = desk.job(first.id).flow
        assert flow is not None
        until(lambda: desk.jobs(f"flow:{flow} type:generate-insights").jobs, seconds=120)
        (last,) = desk.jobs(f"flow:{flow} type:generate-insights").jobs
        done = desk.wait(last.id, timeout=120)
        assert done.state is State.COMPLETED and done.result["videos"] == 2 and done.result["missing"] == []
        assert done.result["insights"]["topics"] == {"pizza": 2, "dough": 2}
        types = {job.type: job.queue for job in desk.jobs(f"flow:{flow}", limit=100).jobs}
        assert {type_: types[type_] for type_ in (
            "detect-instagram-profiles", "analyze-reels", "scrape-instagram-videos", "download-video",
            "upload-to-storage", "analyze-video-content", "generate-insights",
        )} == {
            "detect-instagram-profiles": "instagram-detection", "analyze-reels": "instagram-detection",
            "scrape-instagram-videos": "video-scraping", "download-video": "video-scraping",
            "upload-to-storage": "video-scraping", "analyze-video-content": "video-analysis",
            "generate-insights": "video-analysis",
        }  # fmt: skip
        stored = desk.jobs(f"flow:{flow} type:upload-to-storage").jobs
        assert all(Path(desk.job(one.id).result["path"]).read_bytes() == content for one in stored)
