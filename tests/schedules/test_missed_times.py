"""The scheduler after downtime, behind clocks that step, and after a pause."""

from collections.abc import Callable

import pytest

from jobdesk.core.events import Kind
from jobdesk.core.schedule import Missed
from jobdesk.ledger import schedules as table
from jobdesk.ledger.database import Ledger
from jobdesk.schedules import catalog
from jobdesk.schedules.scheduler import CAUGHT_UP, Scheduler
from tests.schedules.conftest import DAY, HOUR, MINUTE, START, events, made, minutes, prepare, run_until
from tests.support.clock import FakeClock
from tests.support.factory import store


@pytest.mark.parametrize(
    ("policy", "ran"),
    [(Missed.SKIP, []), (Missed.ONCE, [50]), (Missed.ALL, [10, 20, 30, 40, 50])],
)
def test_after_downtime_or_suspend_the_policy_decides(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None], policy: Missed, ran: list[int]
) -> None:
    add(missed=policy)
    scheduler.run_once()
    clock.advance(55 * MINUTE)
    scheduler.run_once()
    assert minutes(ledger) == ran
    (missed,) = events(ledger, Kind.SCHEDULE_MISSED)
    assert (missed.data["reason"], missed.data["count"], missed.data["run"]) == ("downtime", 5, len(ran))
    assert (missed.data["first"], missed.data["last"]) == ("2027-01-15T08:10:00.000Z", "2027-01-15T08:50:00.000Z")
    assert table.get(ledger, "s").missed == 5 - len(ran)
    run_until(scheduler, clock, START + 65 * MINUTE)
    assert minutes(ledger) == [*ran, 60]


@pytest.mark.parametrize("policy", list(Missed))
def test_a_one_off_time_missed_follows_the_policy_too(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None], policy: Missed
) -> None:
    add(cron=None, at=START + HOUR, missed=policy)
    clock.advance(DAY)
    scheduler.run_once()
    assert len(made(ledger)) == (policy is not Missed.SKIP)
    assert len(events(ledger, Kind.SCHEDULE_MISSED)) == 1


def test_a_time_found_a_few_seconds_late_is_not_missed(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(missed="skip")
    clock.advance(10 * MINUTE + 45)
    scheduler.run_once()
    assert minutes(ledger) == [10]
    assert not events(ledger, Kind.SCHEDULE_MISSED)


def test_making_up_for_a_year_stops_at_the_latest_hundred(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(cron="* * * * *", missed="all")
    clock.advance(365 * DAY + 70)
    scheduler.run_once()
    ran = minutes(ledger)
    assert len(ran) == CAUGHT_UP + 1  # and the one of this minute
    assert ran[-1] == 365 * 24 * 60 + 1
    assert ran == list(range(ran[0], ran[-1] + 1))


def test_a_clock_set_back_fires_nothing_again_and_waits(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add()
    run_until(scheduler, clock, START + 65 * MINUTE)
    before = minutes(ledger)
    clock.advance(-HOUR)
    run_until(scheduler, clock, START + 65 * MINUTE)
    assert minutes(ledger) == before == [10, 20, 30, 40, 50, 60]
    assert len(made(ledger)) == 6
    fresh = Scheduler(ledger, clock, prepare=prepare, store=store)  # a consumer that starts while it is behind
    clock.advance(-HOUR)
    run_until(fresh, clock, START + 75 * MINUTE)
    assert minutes(ledger) == [*before, 70]
    assert not events(ledger, Kind.SCHEDULE_MISSED)


def test_removed_and_added_again_behind_a_clock_set_back_fires_no_time_twice(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add()
    run_until(scheduler, clock, START + 15 * MINUTE)
    with ledger.write() as tx:
        catalog.remove(tx, "s")
    clock.advance(-10 * MINUTE)
    add()
    run_until(scheduler, clock, START + 25 * MINUTE)
    assert minutes(ledger) == [10, 20]
    assert len(made(ledger)) == 2


def test_a_clock_that_was_years_ahead_does_not_silence_a_schedule(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(missed="skip")
    clock.advance(1000 * DAY)
    scheduler.run_once()
    clock.advance(-1000 * DAY)
    run_until(scheduler, clock, START + 15 * MINUTE)
    assert 10 in minutes(ledger)


def test_a_clock_set_forward_follows_the_policy(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(missed="once")
    run_until(scheduler, clock, START + 15 * MINUTE)
    clock.advance(HOUR)
    scheduler.run_once()
    assert minutes(ledger) == [10, 70]
    (missed,) = events(ledger, Kind.SCHEDULE_MISSED)
    assert (missed.data["count"], missed.data["run"]) == (6, 1)


def test_paused_it_fires_nothing_and_what_passed_is_not_made_up_for(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(missed="all")
    add("once", cron=None, at=START + 20 * MINUTE, missed="all")
    with ledger.write() as tx:
        assert catalog.pause(tx, "s", "ada")
        assert not catalog.pause(tx, "s", "ada")
        catalog.pause(tx, "once", "ada")
    run_until(scheduler, clock, START + 35 * MINUTE)
    with ledger.write() as tx:
        assert catalog.resume(tx, "s")
        assert not catalog.resume(tx, "s")
        catalog.resume(tx, "once")
    run_until(scheduler, clock, START + 45 * MINUTE)
    assert (minutes(ledger), minutes(ledger, "once")) == ([40], [])
    (missed,) = events(ledger, Kind.SCHEDULE_MISSED)
    assert (missed.data["schedule"], missed.data["reason"]) == ("once", "paused")
