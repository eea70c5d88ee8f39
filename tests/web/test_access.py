"""Who is let in, and who is not."""

import json
import os
import socket
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobdesk.core.errors import ConfigError, HomeError, UsageError
from jobdesk.core.rate import Rate
from jobdesk.home import Home
from jobdesk.web import access, rate
from jobdesk.web.server import WebServer
from tests.support import web
from tests.support.clock import FakeClock
from tests.web.conftest import Serve, Served

GREET = {"type": "greet", "data": {"name": "a"}}


def test_the_token_is_made_once_and_its_owners_alone(served: Served) -> None:
    file = served.desk.home.http_token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.read_text().strip() == served.token
    assert access.token(served.desk.home, served.desk.config.http, read_only=True) == served.token
    file.chmod(0o644)
    with pytest.raises(HomeError, match="chmod 600"):
        access.token(served.desk.home, served.desk.config.http, read_only=False)


def test_without_the_token_nothing_is_told(served: Served) -> None:
    served.client.headers.pop("Authorization")
    for header in (None, "", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x"):
        headers = {} if header is None else {"Authorization": header.format(token=served.token)}
        for path in ("/health", "/jobs", "/openapi.json", "/nowhere"):
            answer = served.client.get(path, headers=headers)
            assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer"), header
            assert answer.json()["error"]["code"] == "unauthorized"


def test_the_token_of_the_settings_stands_in_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TOKEN", "a-token-of-my-own-choice")
    served = serve('[http]\ntoken = "${env:DESK_TOKEN}"\n')
    assert served.get("/health") and served.token == "a-token-of-my-own-choice"
    assert not served.desk.home.http_token.exists()
    monkeypatch.setenv("DESK_TOKEN", "short")
    with pytest.raises(UsageError, match="16 or more"):
        access.token(served.desk.home, served.desk.config.http, read_only=False)
    monkeypatch.delenv("DESK_TOKEN")
    with pytest.raises(ConfigError, match="DESK_TOKEN"):
        access.token(served.desk.home, served.desk.config.http, read_only=False)


def test_with_read_only_no_token_is_made(tmp_path: Path) -> None:
    settings: Any = SimpleNamespace(token="")
    with pytest.raises(UsageError, match="--read-only none is made"):
        access.token(Home(tmp_path), settings, read_only=True)
    assert not list(tmp_path.iterdir())


def test_without_a_token_only_this_machine_is_served(served: Served) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(UsageError, match="only this machine"):
            WebServer(served.desk, host, 0, None)


def test_a_port_that_is_taken_is_said(served: Served) -> None:
    with pytest.raises(UsageError, match="choose another"):
        WebServer(served.desk, "127.0.0.1", served.server.port, None)


def test_a_name_that_points_here_from_elsewhere_is_refused(serve: Serve) -> None:
    served = serve('[http]\nhosts = ["desk.example.org"]\n')
    for host in ("localhost:1", "127.0.0.1", "[::1]:80", "desk.example.org:80", "DESK.example.org"):
        assert served.client.get("/health", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example.org", "127.0.0.1.evil.example.org", "localhost.evil.org:80", ""):
        assert served.client.get("/health", headers={"Host": host}).status_code == 403, host


def test_a_page_of_another_site_cannot_submit_even_without_a_token(serve: Serve) -> None:
    served = serve(with_token=False)
    for headers in (
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = served.client.post("/queues/default/pause", headers=headers)
        assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
    own = served.client.post(
        "/queues/default/pause", headers={"Origin": served.server.url, "Sec-Fetch-Site": "same-origin"}
    )
    assert own.status_code == 200
    plain = served.client.post("/jobs", content=json.dumps(GREET), headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415


def test_pages_that_the_settings_name_may_ask(serve: Serve) -> None:
    served = serve('[http]\norigins = ["https://desk.example.org"]\n')
    page = {"Origin": "https://desk.example.org"}
    before = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    asked = served.client.options("/jobs", headers=page | before)
    assert asked.status_code == 200 and "POST" in asked.headers["access-control-allow-methods"]
    answer = served.client.get("/jobs", headers=page)
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == page["Origin"]


def test_long_bodies_are_refused_before_they_are_read_whole(serve: Serve) -> None:
    served = serve('[http]\nmax_body = "10KB"\n')
    long = json.dumps({"type": "greet", "data": {"name": "a" * 20_000}})
    kind = {"Content-Type": "application/json"}
    assert served.client.post("/jobs", content=long, headers=kind).status_code == 413
    parts = (long[at : at + 1000].encode() for at in range(0, len(long), 1000))
    assert served.client.post("/jobs", content=parts, headers=kind).status_code == 413, "chunked, no length announced"
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=60) as raw:
        raw.sendall(
            b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer " + str(served.token).encode() + b"\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    assert served.get("/jobs")["pagination"]["total"] == 0


def test_what_is_not_json_is_said(served: Served) -> None:
    long = b'{"a":' + b"9" * 5000 + b"}"
    for body in (b"", b"{", b'{"type": NaN}', b"\xff\xfe", b"[" * 100_000, long, b'"\\ud800"'):
        answer = served.client.post("/jobs", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
        assert answer.status_code == 400 and answer.json()["error"]["code"] == "payload", body[:10]


def test_a_client_that_asks_too_often_is_told_when_to_come_again(serve: Serve) -> None:
    served = serve('[http]\nrate_limit = "3/1h"\n')
    assert [served.client.get("/jobs").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = served.client.get("/jobs", headers={"X-Forwarded-For": "198.51.100.7", "x-user-id": "another"})
    assert refused.status_code == 429, "who asks is the address, and no header"
    assert 1 <= int(refused.headers["retry-after"]) <= 1200 and refused.json()["error"]["code"] == "rate_limit"


def test_a_proxy_that_the_settings_name_says_who_asks(serve: Serve) -> None:
    served = serve('[http]\nrate_limit = "1/1h"\nproxies = ["127.0.0.1"]\n')
    codes = [served.client.get("/jobs", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in (1, 2, 1)]
    assert codes == [200, 200, 429]


def test_buckets_fill_as_time_goes_by() -> None:
    clock = FakeClock()
    limit = rate.RateLimit(Rate(2, 10.0), clock)
    assert [limit.wait_s("a") for _ in range(3)] == [0.0, 0.0, 5.0] and limit.wait_s("b") == 0.0
    clock.advance(5)
    assert limit.wait_s("a") == 0.0 and limit.wait_s("a") == 5.0
    clock.advance(1000)
    assert [limit.wait_s("a") > 0 for _ in range(3)] == [False, False, True]
    for number in range(rate.REMEMBERED + 10):
        limit.wait_s(str(number))
    assert len(limit._left) == rate.REMEMBERED


def test_who_is_no_admin_sees_and_changes_only_their_own(served: Served) -> None:
    ada, bob = ({"x-user-id": name, "x-user-role": "user"} for name in ("ada", "bob"))
    hers = served.post("/jobs", GREET, 201, headers=ada)["data"]["jobId"]
    assert served.get(f"/jobs/{hers}", headers=ada)["data"]["userId"] == "ada"
    for method, path in (
        ("GET", f"/jobs/{hers}"), ("DELETE", f"/jobs/{hers}"), ("GET", f"/jobs/{hers}/logs"),
        ("GET", f"/jobs/{hers}/history"), ("GET", f"/jobs/{hers}/stream"), ("GET", "/jobs/user/ada"),
        ("POST", "/queues/default/pause"), ("GET", "/health/detailed"), ("GET", "/events"), ("GET", "/events/stream"),
    ):  # fmt: skip
        assert served.ask(method, path, 403, headers=bob)["error"]["code"] == "forbidden", path
    assert served.post(f"/jobs/{hers}/retry", {}, 403, headers=bob)
    assert served.post("/jobs/retry", {"jobId": hers}, 403, headers=bob)
    assert served.post("/jobs", GREET | {"after": [hers]}, 403, headers=bob)
    assert served.get("/jobs", headers=bob)["data"] == [] and len(served.get("/jobs", headers=ada)["data"]) == 1
    assert served.get("/jobs?userId=ada", headers=bob)["data"] == []
    for name in ("*", "a?a"):
        assert served.get("/jobs", 400, headers={"x-user-id": name, "x-user-role": "user"})
    assert served.get("/jobs", 400, headers={"x-user-role": "user"}), "nobody is no user"
    assert len(served.get("/jobs", headers={"x-user-id": "bob"})["data"]) == 1, "the token alone is the desk's own"
    assert len(served.get("/jobs", headers={"x-user-id": "bob", "x-user-role": "admin"})["data"]) == 1


def test_a_unique_key_does_not_show_anothers_job(served: Served) -> None:
    ada, bob = ({"x-user-id": name, "x-user-role": "user"} for name in ("ada", "bob"))
    served.post("/jobs", GREET | {"unique": "k"}, 201, headers=ada)
    assert served.post("/jobs", GREET | {"unique": "k"}, 403, headers=bob)


def test_the_payload_of_a_schedule_is_shown_to_admins_only(served: Served) -> None:
    served.desk.add_schedule("own", "greet", cron="@daily", data={"name": "Ada"})
    ada = {"x-user-id": "ada", "x-user-role": "user"}
    for who, shown in ({}, {"name": "Ada"}), (ada, None):
        assert served.get("/scheduler/jobs", headers=who)["data"][0]["data"] == shown
        assert served.get("/scheduler/jobs/own", headers=who)["data"]["data"] == shown


def test_types_that_the_settings_do_not_name_are_not_taken(serve: Serve) -> None:
    served = serve('[http]\ntypes = ["gre*"]\n')
    served.post("/jobs", GREET, 201)
    for path, body in (
        ("/jobs", {"type": "command", "data": {"argv": ["id"]}}),
        ("/scheduler/delayed", {"type": "command", "data": {"argv": ["id"]}, "delayMs": 1}),
        ("/scheduler/repeating", {"type": "command", "data": {"argv": ["id"]}, "cronExpression": "@daily"}),
    ):
        assert "not taken over HTTP" in served.post(path, body, 403)["error"]["message"]
    served.desk.add_schedule("own", "command", cron="@daily", data={"argv": ["id"]})
    assert served.post("/scheduler/jobs/own/trigger", status=403)
    own = served.desk.submit("command", {"argv": ["id"]})
    served.desk.cancel(own.id)
    assert served.post(f"/jobs/{own.id}/retry", {"data": {"argv": ["ls"]}}, 403)


def test_read_only_refuses_every_change_and_makes_no_file(serve: Serve) -> None:
    writing = serve()
    id_ = writing.post("/jobs", GREET, 201)["data"]["jobId"]
    writing.server.stop()
    writing.desk.close()
    served = serve(read_only=True)
    before = sorted(str(path) for path in Path(served.desk.home.path).rglob("*"))
    document = served.get("/openapi.json")
    tried = 0
    for path, item in document["paths"].items():
        for method in item.keys() - {"get"}:
            real = path.format(jobId=id_, queueName="default", jobName="x", userId="x")
            answer = served.ask(method.upper(), real, 403)
            assert answer["error"]["code"] == "read_only" and "--read-only" in answer["error"]["message"]
            tried += 1
    assert tried >= 14
    for path in ("/jobs", f"/jobs/{id_}", "/queues", "/scheduler/stats", "/health", "/metrics", "/events"):
        assert served.client.get(path).status_code == 200, path
    assert sorted(str(path) for path in Path(served.desk.home.path).rglob("*")) == before
    assert os.access(served.desk.home.path, os.R_OK)


def test_methods_and_addresses_that_are_not_there(served: Served) -> None:
    answer = served.client.put("/api/v1/jobs")
    assert answer.status_code == 405 and answer.headers["allow"] == "GET, HEAD, POST"
    assert served.client.request("TRACE", "/jobs/x").headers["allow"] == "DELETE, GET, HEAD"
    assert served.client.head("/health").status_code == 200
    assert served.get("/api/v2/jobs", 404)["error"]["code"] == "not_found"
    assert served.get("/jobs/job_01NOSUCH", 404)["error"]["code"] == "not_found"
    assert served.client.get("/jobs").headers["cache-control"] == "no-store"


def test_a_shortened_id_tells_nobody_the_ids_of_others(served: Served) -> None:
    ada, bob = ({"x-user-id": name, "x-user-role": "user"} for name in ("ada", "bob"))
    ids = [served.post("/jobs", GREET, 201, headers=ada)["data"]["jobId"] for _ in range(2)]
    short = ids[0][: next(at for at, (one, other) in enumerate(zip(*ids, strict=True)) if one != other)]
    said = json.dumps(
        [
            served.get(f"/jobs/{short}", 400, headers=bob),
            served.post("/jobs/retry", {"jobId": short}, 400, headers=bob),
            served.post("/jobs", GREET | {"after": [short]}, 400, headers=bob),
            served.get(f"/jobs/{ids[0][:-1]}", 403 if ids[0][:-1] != ids[1][:-1] else 400, headers=bob),
        ]
    )
    assert "several ids" in said and not any(id_ in said for id_ in ids)
    assert ids[0] in json.dumps(served.get(f"/jobs/{short}", 400)), "an admin is told"


def test_what_came_over_http_fetches_nothing_from_this_machine(serve: Serve, tmp_path: Path) -> None:
    with web.server(lambda asked: web.Answer(200, b"inside")) as inner:
        served, data = serve(consumer=True), {"url": inner.url, "method": "GET"}

        def end(id_: str) -> Any:
            return served.desk.wait(id_, timeout=60)

        posted = served.post("/jobs", {"type": "http_request", "data": data}, 201)["data"]["jobId"]
        assert (error := end(posted).error) is not None and error.type == "PrivateAddress" and not inner.asked
        weekly = {"name": "w", "type": "http_request", "data": data, "cronExpression": "0 0 * * 0"}
        served.post("/scheduler/repeating", weekly, 201)
        made = served.post("/scheduler/jobs/w/trigger", None, 201)["data"]["jobId"]
        assert (error := end(made).error) is not None and error.type == "PrivateAddress" and not inner.asked
        own = served.desk.submit("http_request", data, source="command")
        assert end(own.id).result["body"] == "inside"
        served.post(f"/jobs/{own.id}/retry", {})
        assert end(own.id).error is None, "its own data are as they were"
        asked = len(inner.asked)
        served.post(f"/jobs/{own.id}/retry", {"data": data})
        assert (error := end(own.id).error) is not None and error.type == "PrivateAddress"
        assert len(inner.asked) == asked
