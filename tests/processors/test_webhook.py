"""Webhooks: what a receiver gets, and that it can trust it."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk_processors import webhook
from tests.support.context import bench
from tests.support.home import make_home
from tests.support.web import Answer, Asked, server

KEY = b"a key of the test's own"
SETTINGS = """
[services.crm]
url = "{url}"
signing_secret = "${{env:CRM_SECRET}}"
"""


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET", f"whsec_{base64.b64encode(KEY).decode()}")


def is_signed(asked: Asked) -> bool:
    """As a receiver checks it, from the words of the Standard Webhooks specification."""
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    wanted = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(wanted, asked.headers["webhook-signature"])


def test_an_event_is_sent_signed_until_it_is_taken_each_time_with_the_same_id(tmp_path: Path) -> None:
    answers = iter([503, 500, 204])
    with server(lambda asked: Answer(next(answers, 204))) as crm:
        home = make_home(tmp_path, "", SETTINGS.format(url=crm.url))
        with Desk(home) as desk:
            data = {"event": "asset.stored", "data": {"name": "Katze"}, "service": "crm", "path": "/hook"}
            job = desk.wait(desk.submit("webhook", data, retry_delay="10ms", backoff="fixed").id, timeout=60)
            assert job.result["id"] == job.id and job.result["signed"] and job.attempt == 3
        assert len(crm.asked) == 3 and all(is_signed(one) for one in crm.asked)
        assert {one.headers["webhook-id"] for one in crm.asked} == {job.id}
        assert {one.path for one in crm.asked} == {"/hook"}
        told = json.loads(crm.asked[-1].body)
        assert told["type"] == "asset.stored" and told["data"] == {"name": "Katze"} and told["id"] == job.id
        assert KEY.decode() not in json.dumps(job.to_json())


def test_without_a_secret_it_is_not_signed_and_says_so(tmp_path: Path) -> None:
    with server() as crm:
        ran = bench(tmp_path / "home", webhook).run("webhook", {"event": "x", "url": crm.url, "id": "evt_1"})
        assert ran.result == {"id": "evt_1", "status": 200, "signed": False, "seconds": ran.result["seconds"]}
        assert "webhook-signature" not in crm.asked[0].headers


def test_a_redirect_delivers_nothing(tmp_path: Path) -> None:
    with server(lambda asked: Answer(302, headers={"Location": "/elsewhere"})) as crm:
        error = bench(tmp_path / "home", webhook).run("webhook", {"event": "x", "url": crm.url}).error
        assert "HTTP 302" in error.message and len(crm.asked) == 1


def test_any_text_may_be_the_secret() -> None:
    body = b'{"a":1}'
    wanted = base64.b64encode(hmac.new(b"plain text", b"e1.5." + body, hashlib.sha256).digest()).decode()
    assert webhook.signature("plain text", "e1", 5, body) == f"v1,{wanted}"
