"""Alerts from the first look to the last, with a clock of the test's own: raised once, for as long as it holds."""

import threading
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.alert import Rule, Severity
from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.events import Kind
from jobdesk.ledger import alerts
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.alerter import IDLE_S
from jobdesk.monitoring.health import health
from jobdesk.monitoring.measures import Measurer
from tests.support.clock import SettableClock
from tests.support.factory import claim, submit
from tests.support.home import make_home, until
from tests.support.watching import LOOK_S, Looker, rule, story, told, watch


def deep(**over: Any) -> Rule:
    return rule("queue_depth", **{"above": 1.0, **over})


def fill(ledger: Ledger, queue: str = "default", jobs: int = 2) -> None:
    for _ in range(jobs):
        submit(ledger, queue=queue)


def empty(ledger: Ledger) -> None:
    while ledger.row("SELECT 1 FROM job WHERE state = 'pending'"):
        claim(ledger)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def looker(ledger: Ledger, clock: SettableClock) -> Looker:
    return Looker(ledger, watch(deep()), clock.advance)


def test_it_is_raised_once_says_everything_and_is_cleared(ledger: Ledger, looker: Looker) -> None:
    looker.look()
    assert story(ledger) == [] and looker.told == 0
    fill(ledger, "mail")
    looker.look(3)
    (raised,) = told(ledger)
    assert raised.queue == "mail"
    assert dict(raised.data) == {
        "alert": 1, "rule": "r", "subject": "mail", "severity": "warning", "value": 2.0, "threshold": 1.0,
        "message": "2 jobs of queue mail wait for a worker",
    }  # fmt: skip
    (one,) = alerts.open_alerts(ledger, ledger.clock.now())
    assert (one.state, one.to_json()["value"], looker.told) == ("active", 2.0, 1)
    empty(ledger)
    looker.look(2)
    assert story(ledger) == ["+mail", "-mail"] and looker.told == 2
    assert alerts.open_alerts(ledger, ledger.clock.now()) == []
    (over,) = alerts.recent(ledger, ledger.clock.now(), 10)
    assert (over.state, over.cleared_at) == ("cleared", told(ledger, Kind.ALERT_CLEARED)[0].at)


def test_it_must_hold_so_long_and_no_step_of_the_clock_counts(ledger: Ledger, clock: SettableClock) -> None:
    looker = Looker(ledger, watch(deep(for_s=60)), clock.advance)
    looker.look()
    fill(ledger)
    looker.look()
    (one,) = alerts.open_alerts(ledger, clock.now())
    assert one.state == "pending"
    clock.advance(8 * 3600)  # asleep
    looker.look()
    assert story(ledger) == []
    clock.set(-9 * 3600)
    looker.look()
    assert story(ledger) == []
    looker.look()
    assert story(ledger) == ["+default"]


def test_what_ends_before_it_was_raised_leaves_nothing(ledger: Ledger, clock: SettableClock) -> None:
    looker = Looker(ledger, watch(deep(for_s=60)), clock.advance)
    fill(ledger)
    looker.look()
    empty(ledger)
    looker.look()
    assert (story(ledger), ledger.row("SELECT count(*) FROM alert")) == ([], (0,))


def test_after_it_is_over_it_cools_down(ledger: Ledger, clock: SettableClock) -> None:
    looker = Looker(ledger, watch(deep(cooldown_s=300)), clock.advance)
    fill(ledger)
    looker.look()
    empty(ledger)
    looker.look()
    fill(ledger)
    looker.look(3)
    assert story(ledger) == ["+default", "-default"]
    clock.set(-10_000)  # a clock set back does not make it longer
    looker.look(round(300 / LOOK_S) - 1)
    assert story(ledger) == ["+default", "-default"]
    looker.look(2)
    assert story(ledger) == ["+default", "-default", "+default"]


def test_a_silenced_rule_raises_nothing_until_the_silence_ends(ledger: Ledger, looker: Looker) -> None:
    def hush(subject: str) -> None:
        with ledger.write() as tx:
            alerts.silence(tx, "r", subject, tx.now + 100, "ada")

    fill(ledger, "one")
    fill(ledger, "two")
    hush("one")
    looker.look()
    assert story(ledger) == ["+two"]
    assert {one.subject: one.state for one in alerts.open_alerts(ledger, ledger.clock.now())} == {
        "one": "silenced", "two": "active",
    }  # fmt: skip
    looker.advance(100)
    looker.look()
    assert story(ledger) == ["+two", "+one"]
    hush("")
    assert alerts.worst(ledger, ledger.clock.now()) == (0, False)
    empty(ledger)
    looker.look()
    assert [one.data["silenced"] for one in told(ledger, Kind.ALERT_CLEARED)] == [True, True]
    fill(ledger, "one")
    looker.look()
    with ledger.write() as tx:
        assert alerts.unsilence(tx, "r", "") and not alerts.unsilence(tx, "r", "")
    looker.look()
    assert story(ledger)[-1] == "+one"


def test_a_silence_keeps_what_is_left_of_it_when_the_clock_is_set_back(
    ledger: Ledger, clock: SettableClock, looker: Looker
) -> None:
    fill(ledger)
    with ledger.write() as tx:
        alerts.silence(tx, "r", "", tx.now + 100, "ada")
    looker.look(2)
    clock.set(-86_400)
    looker.look(3)
    assert story(ledger) == []
    looker.look(4)
    assert story(ledger) == ["+default"]


def test_somebody_acknowledges_and_health_no_longer_minds(ledger: Ledger, looker: Looker) -> None:
    looker.watched = watch(deep(severity=Severity.ERROR))
    fill(ledger)
    looker.look()

    def says() -> list[str]:
        found = health(ledger, home=ledger.path.parent, consumers=[], now=ledger.clock.now(), detailed=True)
        assert len(found["details"]["alerts"]["list"]) == 1
        return [one["status"] for one in found["problems"] if one["check"] == "alerts"]

    assert says() == ["error"]
    with ledger.write() as tx:
        assert alerts.acknowledge(tx, 1, "ada") and not alerts.acknowledge(tx, 1, "bob")
    found = alerts.get(ledger, 1)
    assert (found.state, found.acked_by) == ("acknowledged", "ada") and says() == []
    empty(ledger)
    looker.look()
    with ledger.write() as tx:
        with pytest.raises(Refused, match="alert 1 has been cleared"):
            alerts.acknowledge(tx, 1, "ada")
        with pytest.raises(NotFound, match="there is no alert 7"):
            alerts.acknowledge(tx, 7, "ada")


def test_a_new_process_takes_over_what_the_last_has_raised(
    ledger: Ledger, clock: SettableClock, looker: Looker
) -> None:
    fill(ledger)
    looker.look()
    heir = Looker(ledger, looker.watched, clock.advance)
    heir.look(2)
    assert story(ledger) == ["+default"]
    empty(ledger)
    heir.look()
    assert story(ledger) == ["+default", "-default"]


def test_many_that_look_at_once_raise_it_once(tmp_path: Path, clock: SettableClock) -> None:
    ledgers = [Ledger(tmp_path / "jobdesk.db", clock) for _ in range(4)]
    for n in range(5):
        fill(ledgers[0], f"queue-{n}")
    gate = threading.Barrier(len(ledgers))

    def race(ledger: Ledger) -> None:
        rival = Looker(ledger, watch(deep()), lambda _: None)
        gate.wait(60)
        rival.look()
        ledger.close()

    clock.advance(LOOK_S)
    rivals = [threading.Thread(target=race, args=(ledger,)) for ledger in ledgers]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(60)
    assert sorted(story(ledgers[0])) == [f"+queue-{n}" for n in range(5)]
    ledgers[0].close()


def test_only_one_process_looks_in_each_interval(ledger: Ledger, clock: SettableClock, looker: Looker) -> None:
    looker.look()
    before = alerts.looked_at(ledger)
    clock.advance(LOOK_S / 2)
    other = Looker(ledger, looker.watched, clock.advance)
    other.alerter.look(looker.watched)
    assert alerts.looked_at(ledger) == before


def test_a_rule_that_is_taken_out_clears_its_alerts_and_a_worse_one_changes_them(
    ledger: Ledger, looker: Looker
) -> None:
    fill(ledger)
    looker.look()
    looker.watched = watch(deep(severity=Severity.ERROR))
    looker.look()
    assert alerts.get(ledger, 1).severity is Severity.ERROR
    looker.watched = watch()
    looker.look()
    assert story(ledger) == ["+default", "-default"]
    assert looker.alerter.run_once() == LOOK_S  # begins
    assert looker.alerter.run_once() == IDLE_S  # no rules, nothing open: it rests


def test_rules_and_routes_follow_the_settings(tmp_path: Path) -> None:
    home = make_home(tmp_path, settings="[alerts.rules.memory]\nabove = 50\n")
    desk = Desk(home)
    assert {one.threshold for one in desk.alert_watch().rules if one.name == "memory"} == {50.0}
    assert desk.routing().routes == ()
    (home / "jobdesk.toml").write_text(
        '[alerts]\nenabled = false\n[notify.targets]\nops = "ntfy://t"\n[[notify.routes]]\nto = ["ops"]\n'
    )
    until(lambda: desk.alert_watch().rules == () and desk.routing().routes)
    desk.close()


def test_when_everything_is_wrong_the_worst_say_it(ledger: Ledger, looker: Looker) -> None:
    for n in range(alerts.MOST + 5):
        fill(ledger, f"queue-{n:02}", jobs=2 + n)
    looker.look(2)
    assert sorted(story(ledger)) == [f"+queue-{n:02}" for n in range(5, alerts.MOST + 5)]


def test_a_rule_that_cannot_be_measured_keeps_its_alerts_and_holds_up_no_other(
    ledger: Ledger, looker: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ledger)
    looker.look()
    broken = rule("queue_depth", "r", above=1.0)
    looker.watched = watch(broken, rule("query", "other", query="type:test"))
    true = Measurer.read

    def read(self: Measurer, wanted: Rule, watched: object) -> object:
        if wanted.name == "r":
            raise OSError("the disk is on fire")
        return true(self, wanted, watched)  # type: ignore[arg-type]

    monkeypatch.setattr(Measurer, "read", read)
    looker.look()
    assert story(ledger) == ["+default", "+jobs"]


def test_what_is_over_is_forgotten_after_a_month(ledger: Ledger, clock: SettableClock, looker: Looker) -> None:
    fill(ledger)
    looker.look()
    empty(ledger)
    looker.look()
    clock.advance(alerts.KEPT_S)
    looker.look()
    assert ledger.row("SELECT count(*) FROM alert") == (0,)
