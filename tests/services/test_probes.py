"""Health URLs of services: asked seldom, by one process, without secrets."""

from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.ledger import probes
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.keeper import ServiceKeeper, Target
from jobdesk.runtime.probing import probe
from tests.support.clock import FakeClock
from tests.support.home import make_home
from tests.support.web import Answer, server


def test_one_process_asks_for_all_as_seldom_as_it_is_told(ledger: Ledger, clock: FakeClock) -> None:
    with server() as shop:
        targets = {"shop": Target(f"{shop.url}/health", 10.0, 60.0)}
        keepers = [ServiceKeeper(ledger, clock, lambda: targets) for _ in range(2)]
        for keeper in keepers:
            rest_s = keeper.run_once()
            assert rest_s is not None and rest_s >= 10
        assert [one.path for one in shop.asked] == ["/health"]
        clock.advance(59)
        keepers[0].run_once()
        assert len(shop.asked) == 1
        shop.answer = lambda asked: Answer(503)
        clock.advance(1)
        keepers[1].run_once()
        (found,) = probes.every(ledger)
        assert (found.ok, found.message, found.at) == (False, "HTTP 503", clock.now()) and len(shop.asked) == 2
        clock.advance(-7200)  # the clock is set back
        keepers[0].run_once()
        assert len(shop.asked) == 3
        targets.clear()
        keepers[0].run_once()
        assert probes.every(ledger) == []


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (302, True), (401, True), (404, True), (429, False), (500, False)]
)
def test_what_answers_below_500_is_there(status: int, ok: bool) -> None:
    with server(lambda asked: Answer(status, headers={"Location": "/elsewhere"})) as shop:
        assert probe(shop.url, 10.0) == (ok, f"HTTP {status}")
        assert len(shop.asked) == 1


def test_what_does_not_answer_is_not_there() -> None:
    with server(lambda asked: Answer(hang=True)) as shop:
        assert probe(shop.url, 0.2) == (False, "no answer in time")
        shop.answer = lambda asked: Answer(drop=True)
        assert probe(shop.url, 10.0)[0] is False
    assert probe(shop.url, 10.0) == (False, "Connection refused")


def test_health_says_it_and_no_secret_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t0p")
    with server(lambda asked: Answer(500)) as shop:
        text = f'[services.shop]\nurl = "{shop.url}"\ntoken = "${{env:SHOP_TOKEN}}"\nhealth = "/up"\n'
        desk = Desk(make_home(tmp_path, settings=text))
        ServiceKeeper(desk.ledger, desk.clock, desk.probes).run_once()
        assert "authorization" not in shop.asked[0].headers and shop.asked[0].path == "/up"
        answer = desk.health(detailed=True)
        assert answer["checks"]["services"] is False
        assert answer["details"]["services"]["shop"]["health"]["message"] == "HTTP 500"
        assert [one["message"] for one in answer["problems"] if one["check"] == "services"] == [
            "the health URL of service shop answered: HTTP 500"
        ]
        assert desk.test_service("shop") == (False, "HTTP 500")
        assert shop.asked[-1].headers["authorization"] == "Bearer t0p"
        assert desk.service("shop").state == "closed", "what a health URL says does not open a breaker"
        desk.close()
