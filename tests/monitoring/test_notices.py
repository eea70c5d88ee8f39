"""From events to messages, with a clock of the test's own: each event once, grouped, not too often, in right words."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.alert import Severity
from jobdesk.core.errors import QueueFull
from jobdesk.core.events import Kind
from jobdesk.core.job import JobError, NewJob
from jobdesk.core.notice import SPELLED, Route, Routing, Told, Topic
from jobdesk.core.query import parse
from jobdesk.core.rate import rate
from jobdesk.core.submission import Submission
from jobdesk.ledger import alerts, claiming, flows, moves, notices, queues, storing
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.monitoring.notifier import IDLE_S, LOOK_S, Notifier
from tests.support.clock import FakeClock
from tests.support.factory import claim, new_job, store, submit
from tests.support.watching import Looker, rule, watch

BROKEN = JobError("SMTPError", "mailbox full", retryable=False)
GROUP_S = 10.0


def routing(*routes: Route, targets: Sequence[str] = ("ops", "chat"), limit: str = "10/m") -> Routing:
    return Routing(routes=routes, targets=targets, group_s=GROUP_S, rate=rate(limit))


def route(*topics: str, **over: Any) -> Route:
    return Route(**({"to": ("ops",), "events": frozenset(map(Topic, topics))} | over))


def prepare(wanted: Submission) -> NewJob:
    return new_job(0.0, type=wanted.type, queue="notifications", data=dict(wanted.data))


class Teller:
    """A notifier whose settings a test can change."""

    def __init__(self, ledger: Ledger, settings: Routing, store: Any = store) -> None:
        self.settings = settings
        self.ledger = ledger
        self.notifier = Notifier(ledger, ledger.clock, lambda: self.settings, prepare=prepare, store=store)

    def tell(self, clock: FakeClock) -> None:
        """Handle everything, and wait until it may be sent."""
        while self.notifier.run_once() == 0.0:
            pass
        clock.advance(GROUP_S)
        self.notifier.run_once()

    @property
    def messages(self) -> list[dict[str, str]]:
        """What was to be sent, oldest first."""
        import json

        rows = self.ledger.rows("SELECT data FROM job WHERE type = 'send-notification' ORDER BY seq")
        return [json.loads(data) for (data,) in rows]


def teller(ledger: Ledger, *routes: Route, **more: Any) -> Teller:
    made = Teller(ledger, routing(*routes, **more))
    made.notifier.run_once()
    return made


def end(ledger: Ledger, state: str = "failed", queue: str = "default") -> str:
    """Let the next job of a queue run and end; its id."""
    with ledger.write() as tx:
        job = claiming.claim(tx, "con_test/1", [queue])
    assert job is not None
    with ledger.write() as tx:
        if state == "completed":
            moves.complete(tx, job, {})
        else:
            moves.fail(tx, job, BROKEN, None)
    return job.id


def fail(ledger: Ledger, **over: Any) -> str:
    submit(ledger, **over)
    return end(ledger, queue=over.get("queue", "default"))


def test_an_event_is_told_once_in_words_whoever_looks_and_however_often(ledger: Ledger, clock: FakeClock) -> None:
    fail(ledger, type="before")
    one = teller(ledger, route("job_failed"))
    id_ = fail(ledger, type="email")
    one.tell(clock)
    expected = {"target": "ops", "title": "email failed", "body": f"{id_}\nSMTPError: mailbox full", "level": "error"}
    assert one.messages == [expected]
    heir = Teller(ledger, one.settings)
    for _ in range(3):
        one.tell(clock)
        heir.tell(clock)
    assert one.messages == [expected]


def test_notices_that_come_together_are_one_message(ledger: Ledger, clock: FakeClock) -> None:
    one = teller(ledger, route("job_failed"))
    for n in range(SPELLED + 10):
        fail(ledger, type=f"type-{n:02}")
    one.tell(clock)
    (message,) = one.messages
    assert message["title"] == f"{SPELLED + 10} notices, the first: type-00 failed"
    assert message["body"].endswith("\n\nand 10 more") and f"type-{SPELLED - 1} failed" in message["body"]
    assert f"type-{SPELLED}" not in message["body"]


def test_a_target_gets_no_more_than_its_rate_and_loses_nothing(ledger: Ledger, clock: FakeClock) -> None:
    one = teller(ledger, route("job_failed"), limit="2/m")
    for n in range(6):
        fail(ledger, type=f"type-{n}")
        one.tell(clock)
    assert [message["title"] for message in one.messages] == ["type-0 failed", "type-1 failed"]
    clock.advance(60)
    one.tell(clock)
    assert one.messages[2]["title"] == "4 notices, the first: type-2 failed"
    fail(ledger)
    clock.advance(-100_000)  # a clock set back holds nothing up
    one.tell(clock)
    assert len(one.messages) == 4


def test_many_that_look_at_once_tell_each_event_once(tmp_path: Path, clock: FakeClock) -> None:
    ledgers = [Ledger(tmp_path / "jobdesk.db", clock) for _ in range(4)]
    first = teller(ledgers[0], route("job_failed"))
    for n in range(5):
        fail(ledgers[0], type=f"type-{n}")
    gate = threading.Barrier(len(ledgers))

    def race(ledger: Ledger) -> None:
        rival = Teller(ledger, first.settings)
        gate.wait(60)
        rival.notifier.hurry()
        ledger.close()

    rivals = [threading.Thread(target=race, args=(ledger,)) for ledger in ledgers]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(60)
    first.tell(clock)
    said = "\n".join(f"{message['title']}\n{message['body']}\n" for message in first.messages)
    assert [said.count(f"type-{n} failed\njob_") for n in range(5)] == [1] * 5
    ledgers[0].close()


def test_what_came_after_others_sent_as_many_is_not_taken_for_them(ledger: Ledger, clock: FakeClock) -> None:
    def told_of(text: str) -> notices.Waiting:
        with ledger.write() as tx:
            mark = notices.outlook(ledger).mark
            assert mark is not None and notices.take_down(tx, mark, mark, {"ops": [Told(text, "", "info")]})
        (waiting,) = notices.waiting(ledger)
        return waiting

    notices.begin(ledger)
    first = told_of("first")
    with ledger.write() as tx:
        assert notices.take(tx, first)
    clock.advance(1)
    second = told_of("second")
    with ledger.write() as tx:
        assert not notices.take(tx, first), "who read the first before it was sent"
        assert notices.take(tx, second)


def test_without_routes_it_rests_and_what_happens_meanwhile_is_no_news_later(ledger: Ledger, clock: FakeClock) -> None:
    one = teller(ledger, route("job_failed"))
    kept = one.settings
    fail(ledger, type="pending")
    one.notifier.run_once()
    one.settings = routing()
    assert one.notifier.run_once() == IDLE_S
    assert not one.notifier.hurry()
    fail(ledger, type="meanwhile")
    one.settings = kept
    one.tell(clock)
    assert one.messages == []
    fail(ledger, type="later")
    one.tell(clock)
    assert [message["title"] for message in one.messages] == ["later failed"]
    assert one.notifier.run_once() == LOOK_S


def test_routes_choose_by_rule_severity_query_and_target(ledger: Ledger, clock: FakeClock) -> None:
    looker = Looker(
        ledger,
        watch(
            rule("queue_depth", "deep", queues=("a",)),
            rule("lag", "late", severity=Severity.ERROR, queues=("b",), above=1.0),
        ),
        clock.advance,
    )
    one = teller(
        ledger,
        route("alert_raised", "alert_cleared", rules=("de*",), to=("ops", "chat"), title="{severity} {rule} {nothing}"),
        route("alert_raised", severities=(Severity.ERROR,), to=("chat",), title="! {subject}", body="{value}"),
        route("job_failed", query=parse("type:mail* -user:bob"), title="{type} of {user} in {queue}"),
    )
    fail(ledger, type="mail-out", queue="c", user="ada")
    fail(ledger, type="mail-out", queue="c", user="bob")
    fail(ledger, type="other", queue="c", user="ada")
    one.tell(clock)
    assert [(one["target"], one["title"]) for one in one.messages] == [("ops", "mail-out of ada in c")]
    submit(ledger, queue="a")
    looker.look()
    one.tell(clock)
    assert {(one["target"], one["title"], one["level"]) for one in one.messages[1:]} == {
        ("ops", "warning deep", "warning"), ("chat", "warning deep", "warning"),
    }  # fmt: skip
    submit(ledger, queue="b")
    looker.look(2)
    one.tell(clock)
    assert (one.messages[3]["target"], one.messages[3]["title"], one.messages[3]["level"]) == ("chat", "! b", "error")
    while ledger.row("SELECT 1 FROM job WHERE state = 'pending' AND queue = 'a'"):
        claim(ledger)
    looker.look()
    one.tell(clock)
    assert {message["level"] for message in one.messages[4:]} == {"success"}


def test_a_flow_is_told_of_once_when_all_of_it_has_ended(ledger: Ledger, clock: FakeClock) -> None:
    one = teller(ledger, route("flow_completed", "flow_failed", "flow_cancelled", flows=("good", "bad", "gone")))

    def begin(name: str, *steps: str) -> str:
        flow = f"flow_{name}"
        with ledger.write() as tx:
            queues.ensure(tx, "default")
            flows.begin(tx, flow, name, {})
            jobs = [new_job(tx.now, flow=flow, step=step) for step in steps]
            storing.submit(tx, jobs)
        return flow

    begin("good", "one", "two")
    end(ledger, "completed")
    one.tell(clock)
    assert one.messages == []
    end(ledger, "completed")
    one.tell(clock)
    begin("bad", "one", "two")
    end(ledger)
    end(ledger, "completed")
    begin("other", "one")
    end(ledger)
    one.tell(clock)
    gone = begin("gone", "one", "two", "three")
    with ledger.write() as tx:
        flows.cancel(tx, gone, "nobody wants it")
    one.tell(clock)
    assert [(one["title"], one["body"], one["level"]) for one in one.messages] == [
        ("flow good completed", "2 of 2 jobs completed", "success"),
        ("flow bad failed", "one: SMTPError: mailbox full", "error"),
        ("flow gone cancelled", "0 of 3 jobs completed", "warning"),
    ]
    with ledger.write() as tx:
        flows.resume(tx, "flow_bad")
    end(ledger, "completed")
    one.tell(clock)
    assert one.messages[-1]["title"] == "flow bad completed"


def test_what_becomes_of_notices_is_told_to_nobody(ledger: Ledger, clock: FakeClock) -> None:
    looker = Looker(ledger, watch(rule("dead_letters", "dead", window_s=900)), clock.advance)
    one = teller(
        ledger, route("job_failed", "job_completed", "job_stalled", "alert_raised", "alert_cleared", "job_cancelled")
    )
    fail(ledger, type="send-notification", queue="notifications")
    looker.look()
    assert alerts.worst(ledger, clock.now()) == (1, False)
    one.tell(clock)
    assert one.messages[1:] == []  # the first is the one that failed
    clock.advance(3600)
    looker.look()
    one.tell(clock)
    assert one.messages[1:] == []


def test_what_was_silenced_is_not_told_when_it_is_over(ledger: Ledger, clock: FakeClock) -> None:
    looker = Looker(ledger, watch(rule("queue_depth", "deep")), clock.advance)
    one = teller(ledger, route("alert_cleared"))
    submit(ledger)
    looker.look()
    with ledger.write() as tx:
        alerts.silence(tx, "deep", "", tx.now + 3600, "ada")
    claim(ledger)
    looker.look()
    one.tell(clock)
    assert one.messages == []


def test_a_full_queue_keeps_notices_and_a_target_that_is_gone_drops_them(ledger: Ledger, clock: FakeClock) -> None:
    full = True

    def maybe(tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        if full:
            raise QueueFull("queue notifications is full", "notifications", 1)
        return store(tx, jobs)

    one = Teller(ledger, routing(route("job_failed", to=("ops", "chat"))), maybe)
    one.notifier.run_once()
    fail(ledger)
    one.tell(clock)
    assert one.messages == [] and len(notices.waiting(ledger)) == 2
    full = False
    one.settings = routing(route("job_failed"), targets=("ops",))
    one.notifier.run_once()
    assert [message["target"] for message in one.messages] == ["ops"] and not notices.waiting(ledger)


def test_other_events_say_what_they_carry(ledger: Ledger, clock: FakeClock) -> None:
    one = teller(ledger, route("breaker_opened", "schedule_missed", title="{event}", body="{message} on {host}!"))
    with ledger.write() as tx:
        tx.event(Kind.BREAKER_OPENED, service="smtp", reason="it fails")
    one.tell(clock)
    (message,) = one.messages
    assert message["title"] == "breaker_opened" and message["body"].startswith("service=smtp reason=it fails on ")


def test_a_long_absence_is_made_up_for_in_steps(
    ledger: Ledger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = teller(ledger, route("job_failed"))
    monkeypatch.setattr(notices, "STEP", 4)
    for n in range(3):
        fail(ledger, type=f"type-{n}")
    one.tell(clock)
    (message,) = one.messages
    assert all(f"type-{n} failed" in message["body"] for n in range(3))
