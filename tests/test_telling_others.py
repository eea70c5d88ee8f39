"""Events for others: streams of updates, and webhooks, against a real HTTP server."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.herald import DELIVERY, Herald
from jobdesk.ledger import webhooks
from tests.support.home import make_home, said, until

PROCESSORS = """
from jobdesk import Context, Reject, processor

@processor("greet", isolation="thread")
def greet(ctx: Context, name: str) -> str:
    "Say hello."
    ctx.progress(1, 4, "quarter")
    return "hello " + name

@processor("refuse", isolation="thread")
def refuse(ctx: Context) -> None:
    "Never works."
    raise Reject("it never works")
"""
SETTINGS = """
[[webhooks]]
name = "all"
url = "{url}/all"
events = ["job_completed", "job_failed", "queue_*"]
secret = "${{env:HOOK_SECRET}}"

[[webhooks]]
name = "some"
url = "{url}/some"
query = "type:greet data.name:Ada"

[types."webhook.deliver"]
retry_delay = "10ms"
"""
SECRET = "the secret of the hook"


class Receiver(ThreadingHTTPServer):
    """Takes deliveries; answers 503 as often as it is told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.refuses = 0
        self.asked = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked += 1
                refused = receiver.refuses > 0
                receiver.refuses -= refused
                if not refused:
                    receiver.taken.append((self.path, dict(self.headers), body))
                self.send_response(503 if refused else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def events(self, path: str) -> list[dict[str, Any]]:
        """What came to a path, in order."""
        return [event for at, _, body in list(self.taken) if at == path for event in json.loads(body)["events"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_webhooks_get_each_event_in_order_signed_and_never_their_own(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    home = make_home(tmp_path, PROCESSORS, SETTINGS.format(url=receiver.url))
    with Desk(home) as desk:
        for name in ("all", "some"):
            until(lambda name: webhooks.standing(desk.ledger, name), name)
        receiver.refuses = 2
        ids = [desk.submit("greet", {"name": name}).id for name in ("Ada", "Bob", "Ada")]
        ids.append(desk.submit("refuse").id)
        desk.wait(*ids, timeout="60s")
        desk.pause("maintenance")
        until(lambda: len(receiver.events("/all")) >= 5 and len(receiver.events("/some")) >= 2)
        until(lambda: not any(webhooks.standing(desk.ledger, name).busy for name in ("all", "some")))  # type: ignore[union-attr]
        told = receiver.events("/all")
        assert sorted(event["id"] for event in told) == [event["id"] for event in told]
        assert {event.get("job_id") for event in told} == {*ids, None}
        assert [event["event"] for event in told if "job_id" not in event] == ["queue_paused"]
        assert {event["job_id"] for event in receiver.events("/some")} == {ids[0], ids[2]}
        assert receiver.asked == len(receiver.taken) + 2  # what was refused came again
        for path, headers, body in receiver.taken:
            signed = f"{headers['X-Jobdesk-Timestamp']}.".encode() + body
            mark = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            assert headers.get("X-Jobdesk-Signature") == (mark if path == "/all" else None)
        rows = desk.ledger.rows("SELECT data, result FROM job WHERE type = ?", (DELIVERY,))
        assert rows and SECRET not in str(rows)
    assert SECRET not in (home / "jobdesk.db").read_bytes().decode("latin1")


def test_a_webhook_waits_for_its_delivery_and_starts_where_it_stopped(tmp_path: Path, receiver: Receiver) -> None:
    home = make_home(tmp_path, PROCESSORS, SETTINGS.format(url=receiver.url))
    desk = Desk(home)
    herald = Herald(desk)
    assert herald.run_once() is None

    def deliveries() -> list[list[str]]:
        rows = desk.ledger.rows("SELECT data FROM job WHERE type = ? ORDER BY seq", (DELIVERY,))
        return [[event["event"] for event in json.loads(data)["events"]] for (data,) in rows]

    desk.sync_queues()
    desk.pause("maintenance")
    herald.run_once()
    desk.resume("maintenance")
    for one in (herald, Herald(desk)):  # another consumer makes none beside it
        one.run_once()
    assert deliveries() == [["queue_paused"]]
    (delivery,) = desk.jobs(f"type:{DELIVERY}").jobs
    desk.cancel(delivery.id)
    Herald(desk).run_once()
    assert deliveries() == [["queue_paused"], ["queue_resumed"]]
    desk.close()


def test_a_secret_that_is_not_there_is_said(tmp_path: Path, receiver: Receiver) -> None:
    home = make_home(tmp_path, PROCESSORS, SETTINGS.format(url=receiver.url))
    with Desk(home) as desk:
        job = desk.wait(desk.submit(DELIVERY, {"webhook": "all", "events": []}).id, timeout="60s")
        assert job.error is not None and "${env:HOOK_SECRET}, which is not set here" in job.error.message
        job = desk.wait(desk.submit(DELIVERY, {"webhook": "gone", "events": []}).id, timeout="60s")
        assert job.error is not None and "have no webhook 'gone'" in job.error.message
    assert receiver.taken == []


def test_wrong_webhooks_are_refused(tmp_path: Path) -> None:
    for wrong, why in (
        ('url = "ftp://x"', "url"),
        ('url = "http://x"\nevents = ["job_complete"]', "job_completed"),
        ('url = "http://x"\nquery = "stat:failed"', "state"),
    ):
        home = make_home(tmp_path / why, "", f'[[webhooks]]\nname = "x"\n{wrong}\n')
        answer = said(home, "config", "check")
        assert answer.code == 2 and why in answer.error


def test_a_job_is_watched_to_its_end(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with Desk(home) as desk:
        job = desk.submit("greet", {"name": "Ada"}, delay="50ms")
        told = list(desk.watch(job.id))
        assert told[0] == {"type": "connected", "jobId": job.id}
        assert {one["type"] for one in told[1:-1]} <= {"update"}
        final = told[-1]
        assert (final["type"], final["status"], final["result"]) == ("final", "completed", "hello Ada")
        lost = desk.submit("refuse")
        final = list(desk.watch(lost.id))[-1]
        assert (final["status"], final["error"]["message"]) == ("failed", "it never works")
        later = desk.submit("greet", {"name": "Eve"}, delay="1h")
        stream = desk.watch(later.id)
        assert [next(stream)["type"], next(stream)["status"]] == ["connected", "scheduled"]
        desk.delete(later.id)
        assert next(stream)["type"] == "error"
        updates = [one["data"] for one in desk.updates() if one["data"]["jobId"] == job.id]
        assert [one["status"] for one in updates if one["event"] != "job_progress"][-2:] == ["processing", "completed"]
        assert updates[-1]["result"] == "hello Ada"
    answer = said(home, "jobs", "watch", job.id, "--json")
    assert answer.code == 0
    assert [json.loads(line)["type"] for line in answer.out.splitlines()] == ["connected", "final"]
    assert said(home, "jobs", "watch", lost.id).code == 3
    lines = said(home, "events", "--updates", "--since", "0").out.splitlines()
    assert {json.loads(line)["type"] for line in lines} == {"job_update"}
