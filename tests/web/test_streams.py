"""Server-Sent Events: what they say, that they hold up nobody, and how they end."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.support.home import until
from tests.web.conftest import Serve, Served


def messages(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The data of each event, with `event_id` where there is one."""
    id_ = None
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            id_ = int(value)
        elif name == "data":
            yield json.loads(value) | ({} if id_ is None else {"event_id": id_})


def test_a_job_is_told_from_its_update_to_its_end(serve: Serve, tmp_path: Path) -> None:
    served = serve(consumer=True)
    go = tmp_path / "go"
    id_ = served.post("/jobs", {"type": "until", "data": {"file": str(go)}}, 201)["data"]["jobId"]
    with served.client.stream("GET", f"/api/jobs/{id_}/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = messages(answer)
        assert next(told) == {"type": "connected", "jobId": id_}
        for update in told:
            assert update["type"] == "update" and update["status"] in ("waiting", "active")
            if update.get("progress") == 25:
                break
        go.touch()
        *_, last = told
    assert (last["type"], last["status"], last["result"]) == ("final", "completed", "seen")
    with served.client.stream("GET", f"/api/v1/jobs/{id_}/stream") as answer:  # of one that has ended
        assert [one["type"] for one in messages(answer)] == ["connected", "final"]
    refused = served.client.get("/jobs/job_01NOSUCH/stream")
    assert refused.status_code == 404 and refused.json()["error"]["code"] == "not_found"


def test_a_failure_and_a_deletion_are_told_too(serve: Serve) -> None:
    served = serve()
    id_ = served.desk.submit("greet", {"name": "a"}, delay="1h").id
    with served.client.stream("GET", f"/api/v1/jobs/{id_}/stream") as answer:
        told = messages(answer)
        assert [next(told)["type"], next(told)["status"]] == ["connected", "scheduled"]
        served.desk.delete(id_)
        assert [one["type"] for one in told] == ["error"]
    engine = served.desk.engine("consumer", 1)
    engine.start()
    try:
        failed = served.desk.submit("refuse").id
        with served.client.stream("GET", f"/api/v1/jobs/{failed}/stream") as answer:
            *_, last = messages(answer)
        assert last["status"] == "failed" and last["error"] == {"type": "Reject", "message": "it never works"}
    finally:
        engine.stop(0.0)


def test_all_changes_are_told_and_a_client_goes_on_where_it_was_cut_off(served: Served) -> None:
    first = served.desk.submit("greet", {"name": "a"}, delay="1h").id
    with served.client.stream("GET", "/api/v1/events/stream?after=0") as answer:
        told = messages(answer)
        assert next(told)["type"] == "connected"
        created = next(told)
        assert created["type"] == "job_update" and created["data"]["jobId"] == first
        assert created["data"]["status"] == "scheduled" and created["event_id"] == created["data"]["id"]
    second = served.desk.submit("greet", {"name": "b"}, delay="1h").id
    served.desk.cancel(second)
    again = {"Last-Event-ID": str(created["event_id"])}
    with served.client.stream("GET", "/events/stream", headers=again) as answer:
        told = messages(answer)
        assert next(told)["type"] == "connected"
        found = [next(told)["data"] for _ in range(2)]
        assert [(one["jobId"], one["status"]) for one in found] == [(second, "delayed"), (second, "cancelled")]
    with served.client.stream("GET", "/events/stream") as answer:  # from now on
        told = messages(answer)
        assert next(told)["type"] == "connected"
        third = served.desk.submit("greet", {"name": "c"}).id
        assert next(told)["data"]["jobId"] == third
    assert served.client.get("/events/stream", headers={"Last-Event-ID": "x"}).status_code == 400
    assert [one["event"] for one in served.get("/events?limit=2&after=0")["data"]] == ["job_created"] * 2


def test_many_streams_hold_up_nobody_and_go_with_their_clients(serve: Serve) -> None:
    served = serve("[http]\nstreams = 60\n")
    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(headers=served.client.headers, timeout=60, trust_env=False))
            for _ in range(60)
        ]
        streams = [
            stack.enter_context(client.stream("GET", f"{served.server.url}/events/stream")) for client in clients
        ]
        told = [messages(one) for one in streams]
        assert all(next(one)["type"] == "connected" for one in told)
        beyond = served.client.get("/events/stream")
        assert beyond.status_code == 503 and beyond.headers["retry-after"]
        id_ = served.post("/jobs", {"type": "greet", "data": {"name": "a"}}, 201)["data"]["jobId"]
        assert {next(one)["data"]["jobId"] for one in told} == {id_}
        assert served.server.streams == 60
    until(lambda: served.server.streams == 0)
    until(lambda: served.server.follows is False)
    with served.client.stream("GET", "/events/stream?after=0") as answer:  # and others may come after
        told_again = messages(answer)
        assert [next(told_again)["type"] for _ in range(2)] == ["connected", "job_update"]


def test_a_stop_ends_open_streams_at_once(served: Served) -> None:
    with served.client.stream("GET", "/events/stream") as answer:
        told = messages(answer)
        assert next(told)["type"] == "connected"
        served.server.stop()
        assert list(told) == []
    assert not served.server.alive
