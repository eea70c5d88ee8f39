"""Services that fail and recover, as real consumers in processes of their own meet them."""

from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.breaker import BreakerState
from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support.home import consumer, end, kill, make_home, until
from tests.support.web import Answer, Asked, Server, server

PROCESSORS = '''
import os
import urllib.request
from jobdesk import Context, processor

def call(ctx):
    service = ctx.service("bank")
    with service.call() as call:
        request = urllib.request.Request(service.url + "/pay", headers=service.headers)
        with urllib.request.urlopen(request, timeout=service.timeout) as answer:
            return answer.status

@processor("pay", service="bank", retries=1, retry_delay="10ms")
def pay(ctx: Context, n: int = 0) -> int:
    """Pays; its type says that it needs the bank."""
    return call(ctx)

@processor("loose", retries=0)
def loose(ctx: Context, n: int = 0) -> int:
    """Pays; nobody knows that it needs the bank until it calls it."""
    return call(ctx)

@processor("quiet", service="bank", retries=0)
def quiet(ctx: Context, n: int = 0) -> int:
    """Calls by its own means: how it ends says what came of it."""
    with urllib.request.urlopen(os.environ["BANK_URL"] + "/pay", timeout=10) as answer:
        return answer.status

@processor("in-thread", retries=0, isolation="thread")
def in_thread(ctx: Context, n: int = 0) -> int:
    """The same in a thread of the consumer."""
    return call(ctx)

@processor("slow", service="bank", retries=0, timeout="1s")
def slow(ctx: Context) -> int:
    """Has less time than the bank takes."""
    return call(ctx)

@processor("free")
def free(ctx: Context) -> int:
    """Needs nobody."""
    return 1
'''

SETTINGS = """
[services.bank]
url = "{url}"
token = "${{env:BANK_TOKEN}}"
timeout = "10m"
breaker = {{ failures = 3, window = "2h", minimum_calls = 3, open_for = "{pause}", max_open = "{pause}" }}
"""


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_TOKEN", "t0p-s3cret")


def home_of(tmp_path: Path, bank: Server, pause: str = "500ms") -> Path:
    return make_home(tmp_path, PROCESSORS, SETTINGS.format(url=bank.url, pause=pause))


def down(asked: Asked) -> Answer:
    return Answer(503)


def up(asked: Asked) -> Answer:
    return Answer(200)


def breaker(desk: Desk) -> BreakerState:
    return desk.service("bank").state


def states(desk: Desk, ids: list[str]) -> set[State]:
    return set(reads.states(desk.ledger, ids).values())


def opened(desk: Desk) -> int:
    return len(reads.events(desk.ledger, kinds=[Kind.BREAKER_OPENED]))


def submit(desk: Desk, type_: str, count: int) -> list[str]:
    return [desk.submit(type_, {"n": n}).id for n in range(count)]


@pytest.mark.parametrize("type_", ["pay", "loose", "in-thread"])
def test_two_consumers_stop_calling_together_and_go_on_when_it_recovers(tmp_path: Path, type_: str) -> None:
    with server(down) as bank:
        home = home_of(tmp_path, bank)
        desk = Desk(home)
        working = [consumer(home, "--workers", "2") for _ in range(2)]
        try:
            until(lambda: len(desk.consumers()) == 2)
            submit(desk, "in-thread", 3)  # they cost their one attempt
            until(lambda: opened(desk) >= 1)
            waiting = submit(desk, type_, 12)
            until(lambda: opened(desk) >= 3)  # trials that failed
            assert not states(desk, waiting) & {State.FAILED, State.COMPLETED}
            bank.answer = up
            desk.wait(*waiting, timeout=60)
            assert states(desk, waiting) == {State.COMPLETED}
            assert breaker(desk) is BreakerState.CLOSED
            assert {desk.job(id_).attempt for id_ in waiting} == {1}, "waiting and trials cost no attempt"
            assert {one.headers["authorization"] for one in bank.asked} == {"Bearer t0p-s3cret"}
            said = [event.to_json() for event in reads.events(desk.ledger, limit=5000)]
            assert "t0p-s3cret" not in repr(said) and said
            assert reads.events(desk.ledger, kinds=[Kind.BREAKER_CLOSED])[0].data["service"] == "bank"
        finally:
            end(*working)
            desk.close()


def test_only_one_process_tries_it_at_a_time(tmp_path: Path) -> None:
    with server(down) as bank:
        home = home_of(tmp_path, bank, "300ms")
        desk = Desk(home)
        working = [consumer(home, "--workers", "3") for _ in range(2)]
        try:
            until(lambda: len(desk.consumers()) == 2)
            submit(desk, "in-thread", 3)
            until(lambda: opened(desk) >= 1)
            until(lambda: not desk.jobs("state:processing").jobs)
            before = len(bank.asked)
            bank.answer = lambda asked: Answer(hang=True)
            submit(desk, "pay", 8)
            until(lambda: len(bank.asked) > before)
            until(lambda: breaker(desk) is BreakerState.HALF_OPEN)
            submit(desk, "pay", 4)
            desk.wait(*[desk.submit("free").id for _ in range(6)], timeout=60)  # whoever could has claimed since
            (tried,) = desk.jobs("state:processing").jobs
            assert tried.type == "pay" and len(bank.asked) == before + 1
        finally:
            end(*working)
            desk.close()


def test_kill_9_of_the_one_that_tries_it_leaves_the_trial_to_another(tmp_path: Path) -> None:
    with server(down) as bank:
        home = home_of(tmp_path, bank)
        desk = Desk(home)
        first = consumer(home, "--workers", "1")
        second = None
        try:
            submit(desk, "in-thread", 3)
            until(lambda: opened(desk) == 1)
            before = len(bank.asked)
            bank.answer = lambda asked: Answer(hang=True)
            waiting = submit(desk, "pay", 3)
            until(lambda: len(bank.asked) > before)
            kill(first)
            assert breaker(desk) is BreakerState.HALF_OPEN
            bank.answer = up
            second = consumer(home, "--workers", "1")
            desk.wait(*waiting, timeout=60)
            assert states(desk, waiting) == {State.COMPLETED}
            assert breaker(desk) is BreakerState.CLOSED
        finally:
            end(first, *([second] if second else []))
            desk.close()


def test_a_timeout_is_a_failure_and_what_says_nothing_is_judged_by_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(lambda asked: Answer(hang=True)) as bank:
        monkeypatch.setenv("BANK_URL", bank.url)
        home = home_of(tmp_path, bank, "1h")
        with Desk(home) as desk:
            desk.wait(desk.submit("slow").id, timeout=60)
            until(lambda: desk.service("bank").failures == 1)
            bank.answer = up
            desk.wait(desk.submit("quiet").id, timeout=60)
            until(lambda: desk.service("bank").calls == 2)
            bank.answer = lambda asked: Answer(404)
            desk.wait(desk.submit("quiet").id, timeout=60)
            until(lambda: desk.service("bank").calls == 3)
            assert desk.service("bank").failures == 1, "what is wrong with a request is not the fault of the bank"
            bank.answer = lambda asked: Answer(drop=True)
            desk.wait(*submit(desk, "quiet", 1), timeout=60)
            desk.wait(*submit(desk, "loose", 1), timeout=60)
            until(lambda: breaker(desk) is BreakerState.OPEN)
            kept = submit(desk, "pay", 1)[0]
            assert desk.why(kept)[0].startswith("Its service bank is down (3 of 5 calls failed in 2h00, the last with ")
            put_off = submit(desk, "loose", 1)[0]
            until(lambda: desk.job(put_off).state is State.SCHEDULED)
            assert desk.why(put_off)[0].startswith("Its service bank is down")
            assert desk.health()["checks"]["services"] is False
            bank.answer = up
            assert desk.close_service("bank")
            assert desk.wait(kept, put_off, timeout=60).state is State.COMPLETED
            assert desk.job(kept).attempt == desk.job(put_off).attempt == 1
            assert desk.health()["checks"]["services"] is True


def test_held_open_by_hand_a_drain_does_not_wait_for_it(tmp_path: Path) -> None:
    with server(up) as bank:
        home = home_of(tmp_path, bank)
        desk = Desk(home)
        assert desk.open_service("bank", "maintenance until noon")
        held = submit(desk, "pay", 2) + submit(desk, "loose", 1)
        draining = consumer(home, "--drain")
        assert draining.wait(120) == 0
        assert states(desk, held) == {State.PENDING, State.SCHEDULED} and not bank.asked
        assert "maintenance until noon" in desk.why(held[0])[0]
        desk.close_service("bank")
        assert consumer(home, "--drain").wait(120) == 0
        assert states(desk, held) == {State.COMPLETED}
        desk.close()


def test_what_is_not_configured_says_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with Desk(home) as desk:
        job = desk.wait(desk.submit("loose").id, timeout=60)
        assert job.error is not None and job.error.type == "NotConfigured" and not job.error.retryable
        assert "give [services.bank] a url in jobdesk.toml" in job.error.message


def test_a_secret_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BANK_TOKEN")
    with server(up) as bank, Desk(home_of(tmp_path, bank)) as desk:
        job = desk.wait(desk.submit("loose").id, timeout=60)
        assert job.error is not None and "BANK_TOKEN" in job.error.message and not bank.asked
