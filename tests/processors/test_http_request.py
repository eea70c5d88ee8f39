"""HTTP requests as jobs, against a real server on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk.core.outcome import Failed, Stopped
from jobdesk_processors import http_request
from tests.support.context import Bench, Ran, bench
from tests.support.home import make_home, until
from tests.support.web import Answer, Asked, Server, server

SETTINGS = """
[services.shop]
url = "{url}/v1"
token = "${{env:SHOP_TOKEN}}"
headers = {{ X-Api-Key = "${{env:SHOP_KEY}}", X-Shop = "north" }}
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t0p")
    monkeypatch.setenv("SHOP_KEY", "k3y")


def ask(home: Path, server_: Server | None, **data: Any) -> Ran:
    home.mkdir(exist_ok=True)
    if server_ is not None:
        (home / "jobdesk.toml").write_text(SETTINGS.format(url=server_.url))
    return bench(home, http_request).run("http_request", data)


def echo(asked: Asked) -> Answer:
    said = {"method": asked.method, "path": asked.path, "headers": dict(asked.headers), "body": asked.body.decode()}
    return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json", "Set-Cookie": "s=1"})


def test_the_answer_is_the_result(tmp_path: Path) -> None:
    with server(echo) as shop:
        ran = ask(tmp_path, None, url=f"{shop.url}/a?b=1", query={"c": "ü"}, headers={"X-One": "1"}, json={"n": 1})
        assert ran.result["status"] == 200 and "set-cookie" not in ran.result["headers"]
        said = ran.result["json"]
        assert said["path"].startswith("/a") and "c=%C3%BC" in said["path"]
        assert said["headers"]["x-one"] == "1" and said["headers"]["content-type"] == "application/json"
        assert json.loads(said["body"]) == {"n": 1} and "idempotency-key" not in said["headers"]
        ran = ask(tmp_path, None, url=shop.url, method="POST", form={"a": "1 2", "b": "&"})
        assert ran.result["json"]["body"] == "a=1+2&b=%26"
        assert ran.result["json"]["headers"]["idempotency-key"] == ran.id
        ran = ask(tmp_path, None, url=shop.url, method="PUT", body="grüezi", headers={"Content-Type": "text/markdown"})
        assert ran.result["json"]["headers"]["content-type"] == "text/markdown"
        assert ran.result["json"]["body"] == "grüezi"


def test_a_service_gives_url_headers_and_token_and_none_of_it_is_said(tmp_path: Path) -> None:
    with server(echo) as shop:
        ran = ask(tmp_path, shop, service="shop", path="/pay", method="POST", idempotency_key="order-7")
        (asked,) = shop.asked
        assert (asked.method, asked.path) == ("POST", "/v1/pay")
        assert asked.headers["authorization"] == "Bearer t0p" and asked.headers["x-api-key"] == "k3y"
        assert asked.headers["x-shop"] == "north" and asked.headers["idempotency-key"] == "order-7"
        assert {"ask": "shop", "of": "test"} in ran.said and {"called": ["shop", None], "of": "test"} in ran.said
        said = json.dumps(ran.lines) + json.dumps(ran.result["headers"])
        assert "t0p" not in said and "k3y" not in said


@pytest.mark.parametrize(
    ("status", "headers", "retryable", "delay_s"),
    [
        (404, {}, False, None),
        (401, {}, False, None),
        (429, {"Retry-After": "17"}, True, 17.0),
        (503, {}, True, None),
        (500, {"Retry-After": "3"}, True, 3.0),
    ],
)
def test_the_status_decides_whether_to_try_again(
    tmp_path: Path, status: int, headers: dict[str, str], retryable: bool, delay_s: float | None
) -> None:
    with server(lambda asked: Answer(status, b"sorry\nnot now", headers)) as shop:
        outcome = ask(tmp_path, None, url=f"{shop.url}/x?token=1").outcome
        assert isinstance(outcome, Failed) and outcome.error.type == "HttpStatus"
        assert (outcome.error.retryable, outcome.delay_s) == (retryable, delay_s)
        assert outcome.error.message == f"GET {shop.url}/x answered HTTP {status}: sorry not now"


def test_a_status_that_is_expected_is_fine(tmp_path: Path) -> None:
    with server(lambda asked: Answer(404)) as shop:
        assert ask(tmp_path, None, url=shop.url, expect=[404, "2xx"]).result["status"] == 404
        assert ask(tmp_path, None, url=shop.url, expect=["4xx"]).result["status"] == 404
        assert not ask(tmp_path, None, url=shop.url, expect=[204]).error.retryable


def test_redirects_are_followed_so_far_and_take_no_secret_to_another_place(tmp_path: Path) -> None:
    with server(echo) as other, server() as shop:
        shop.answer = lambda asked: Answer(307, headers={"Location": f"{other.url}/there"})
        ran = ask(tmp_path, shop, service="shop", method="POST", json={"n": 1})
        assert ran.result["url"] == f"{other.url}/there"
        there = other.asked[0].headers
        assert not {"authorization", "x-api-key", "x-shop"} & set(there) and other.asked[0].body == b'{"n": 1}'
        shop.answer = lambda asked: Answer(302, headers={"Location": f"{shop.url}/again"})
        error = ask(tmp_path, None, url=shop.url, redirects=3).error
        assert "redirects more than 3 times" in error.message and not error.retryable
        assert ask(tmp_path, None, url=shop.url, redirects=0, expect=["3xx"]).result["status"] == 302
        shop.answer = lambda asked: Answer(302, headers={"Location": "file:///etc/passwd"})
        assert not ask(tmp_path, None, url=shop.url).error.retryable


def test_a_long_or_binary_answer_is_a_file_and_one_too_long_is_refused(tmp_path: Path) -> None:
    picture = b"\x89PNG" + bytes(range(256)) * 1000
    with server(lambda asked: Answer(200, picture, {"Content-Type": "image/png"})) as shop:
        ran = ask(tmp_path, None, url=shop.url)
        assert ran.artifacts == [ran.result["file"]] and ran.result["file"].endswith(f"{ran.id}.png")
        assert Path(ran.result["file"]).read_bytes() == picture
        place = tmp_path / "deep" / "cat.png"
        assert ask(tmp_path, None, url=shop.url, save=str(place)).result["file"] == str(place)
        assert place.read_bytes() == picture and [file.name for file in place.parent.iterdir()] == ["cat.png"]
        error = ask(tmp_path, None, url=shop.url, max_bytes=1000).error
        assert error.type == "TooLong" and not error.retryable


def test_a_place_that_does_not_answer_is_tried_again(tmp_path: Path) -> None:
    with server(lambda asked: Answer(hang=True)) as shop:
        error = ask(tmp_path, None, url=f"{shop.url}/x", timeout=0.2).error
        assert (error.type, error.retryable) == ("TimeoutError", True) and "no answer in time" in error.message
        shop.answer = lambda asked: Answer(drop=True)
        error = ask(tmp_path, None, url=f"{shop.url}/x").error
        assert (error.type, error.retryable) == ("ConnectionError", True) and f"GET {shop.url}/x" in error.message
    error = ask(tmp_path, None, url=f"{shop.url}/x").error  # it is closed by now
    assert error.type == "ConnectionError" and error.retryable


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "give url, or service with path"),
        ({"url": "http://h", "json": 1, "body": "x"}, "three ways to say one thing"),
        ({"url": "http://h", "path": "/x"}, "path belongs to a service"),
        ({"url": "http://h", "headers": {"Authorization": "Bearer x"}}, "put it into [services.NAME]"),
        ({"url": "http://h", "headers": {"X": "a\r\nHost: b"}}, "no header may have"),
        ({"service": "none"}, "service 'none' is not configured"),
        ({"url": "http://["}, "is not a URL"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_for_good(tmp_path: Path, data: dict[str, Any], says: str) -> None:
    error = ask(tmp_path, None, **data).error
    assert says in error.message and not error.retryable


def test_a_cancel_is_heard_while_the_answer_comes(desk: Bench, tmp_path: Path) -> None:
    with server(lambda asked: Answer(200, b"x" * 1_000_000)) as shop:
        made = bench(tmp_path / "own", http_request)
        made.cancelled = "cancelled by ada"
        assert made.run("http_request", {"url": shop.url}).outcome == Stopped("cancelled by ada")


def test_requests_of_a_service_that_is_down_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(lambda asked: Answer(503)) as shop:
        more = 'breaker = { failures = 2, window = "2h", minimum_calls = 2, open_for = "500ms" }\n'
        home = make_home(tmp_path, "", SETTINGS.format(url=shop.url) + more)
        with Desk(home) as desk:
            lost = [desk.submit("http_request", {"service": "shop"}, retries=0).id for _ in range(2)]
            desk.wait(*lost, timeout=60)
            until(lambda: _opened(desk) >= 1)
            waiting = [desk.submit("http_request", {"service": "shop"}, retries=0).id for _ in range(6)]
            until(lambda: _opened(desk) >= 2)
            shop.answer = lambda asked: Answer(200)
            desk.wait(*waiting, timeout=60)
            assert {desk.job(id_).state for id_ in waiting} == {State.COMPLETED}
            assert {desk.job(id_).attempt for id_ in waiting} == {1}


def _opened(desk: Desk) -> int:
    return sum(event.kind == "breaker_opened" for event in desk.events())
