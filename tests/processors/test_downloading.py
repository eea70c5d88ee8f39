"""Videos are fetched from a real server that breaks off, changes the file, or does not know ranges."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk_processors import video_jobs
from tests.support.context import Bench, Ran, bench
from tests.support.files import file_server
from tests.support.home import make_home

CONTENT = os.urandom(3_000_001)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
JOB = "job_01K00000000000000000000000"


@pytest.fixture
def home(tmp_path: Path) -> Bench:
    return bench(tmp_path / "home", video_jobs)


def fetch(home: Bench, url: str, attempt: int = 1, **data: Any) -> Ran:
    return home.run("download-video", {"url": f"{url}/reel.mp4", **data}, job=JOB, attempt=attempt)


def test_a_video_is_fetched_and_said_what_it_is(home: Bench) -> None:
    with file_server(CONTENT) as server:
        ran = fetch(home, server.url, videoId="reel1")
    assert Path(ran.result["path"]).read_bytes() == CONTENT
    assert (ran.result["sha256"], ran.result["bytes"]) == (SHA256, len(CONTENT))
    assert (ran.result["video_id"], ran.result["suffix"], ran.result["resumed_at"]) == ("reel1", ".mp4", 0)
    assert [said["progress"][0] for said in ran.said if "progress" in said][-1] == len(CONTENT)


def test_what_broke_off_is_gone_on_with_in_the_same_attempt(home: Bench) -> None:
    with file_server(CONTENT, cuts=[1_000_000, 500_000]) as server:
        ran = fetch(home, server.url)
        assert ran.result["sha256"] == SHA256
        assert [one.get("range") for one in server.asked] == [None, "bytes=1000000-", "bytes=1500000-"]
        assert [one.get("if-range") for one in server.asked[1:]] == [server.etag] * 2


def test_what_broke_off_is_gone_on_with_in_the_next_attempt(home: Bench) -> None:
    with file_server(CONTENT, cuts=[1_000_000, 0]) as server:
        error = fetch(home, server.url).error
        assert (error.type, error.retryable) == ("ConnectionError", True)
        ran = fetch(home, server.url, attempt=2)
        assert (ran.result["sha256"], ran.result["resumed_at"]) == (SHA256, 1_000_000)
        assert server.asked[-1]["range"] == "bytes=1000000-"
        assert fetch(home, server.url, attempt=3).result["sha256"] == SHA256 and len(server.asked) == 3


def test_another_file_behind_the_same_url_is_fetched_from_its_beginning(home: Bench) -> None:
    with file_server(CONTENT, cuts=[1_000_000, 0]) as server:
        assert fetch(home, server.url).error.retryable
        server.content = CONTENT[::-1]
        ran = fetch(home, server.url, attempt=2)
        assert ran.result["sha256"] == hashlib.sha256(CONTENT[::-1]).hexdigest()


@pytest.mark.parametrize("how", [{"ranges": False}, {"validator": False}])
def test_a_server_without_ranges_or_etag_is_asked_for_all_of_it_again(home: Bench, how: dict[str, Any]) -> None:
    with file_server(CONTENT, cuts=[1_000_000, 0], **how) as server:
        assert fetch(home, server.url).error.retryable
        assert fetch(home, server.url, attempt=2).result["sha256"] == SHA256


def test_a_known_checksum_allows_to_go_on_without_an_etag(home: Bench) -> None:
    with file_server(CONTENT, cuts=[1_000_000, 0], validator=False) as server:
        assert fetch(home, server.url, sha256=SHA256).error.retryable
        assert fetch(home, server.url, attempt=2, sha256=SHA256).result["resumed_at"] == 1_000_000
        assert "range" in server.asked[-1]


def test_a_wrong_checksum_throws_away_what_came(home: Bench) -> None:
    with file_server(CONTENT) as server:
        error = fetch(home, server.url, sha256="0" * 64).error
        assert (error.type, error.retryable) == ("ChecksumMismatch", True) and SHA256 in error.message
        assert fetch(home, server.url, attempt=2, sha256=SHA256).result["resumed_at"] == 0
        assert fetch(home, server.url, attempt=3, sha256="0" * 64).error.type == "ChecksumMismatch"


def test_everything_came_but_the_attempt_died_before_it_knew(home: Bench) -> None:
    with file_server(CONTENT, cuts=[len(CONTENT) - 1, 0]) as server:
        assert fetch(home, server.url).error.retryable
        part = next(home.home.rglob("download.part"))
        part.write_bytes(CONTENT)
        assert fetch(home, server.url, attempt=2).result["sha256"] == SHA256
        part = part.with_name("download").rename(part)
        part.write_bytes(CONTENT + b"more")  # not what the server has
        assert fetch(home, server.url, attempt=3).error.retryable
        assert fetch(home, server.url, attempt=4).result["sha256"] == SHA256


def test_a_file_that_is_too_long_or_not_there_is_refused_for_good(home: Bench) -> None:
    with file_server(CONTENT) as server:
        error = fetch(home, server.url, max_bytes=1_000_000).error
        assert (error.type, error.retryable) == ("TooLong", False)
        server.status = 404
        error = fetch(home, server.url).error
        assert not error.retryable and "HTTP 404" in error.message
        server.status = 503
        assert fetch(home, server.url).error.retryable


def test_a_consumer_goes_on_with_a_download_that_broke_off(tmp_path: Path) -> None:
    with file_server(CONTENT, cuts=[1_000_000, 0, 500_000, 0]) as server, Desk(make_home(tmp_path)) as desk:
        job = desk.submit("download-video", {"url": f"{server.url}/reel.mp4"}, retry_delay="10ms")
        done = desk.wait(job.id, timeout=60)
        assert (done.state, done.attempt) == (State.COMPLETED, 3)
        assert (done.result["sha256"], done.result["resumed_at"]) == (SHA256, 1_500_000)
