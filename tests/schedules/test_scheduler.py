"""The scheduler with a clock of the test's own: on time, only once, and in trouble."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jobdesk.core.errors import Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import NewJob
from jobdesk.core.schedule import Missed, Origin, Overlap, ScheduleSpec
from jobdesk.ledger import moves
from jobdesk.ledger import schedules as table
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.schedules.scheduler import LOOK_S, Scheduler
from tests.schedules.conftest import DAY, HOUR, MINUTE, START, events, made, minutes, prepare, run_until
from tests.support.clock import FakeClock
from tests.support.factory import claim, store


def test_each_time_makes_its_job_exactly_then(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(data={"n": 1})
    run_until(scheduler, clock, START + 35 * MINUTE)
    jobs = made(ledger)
    assert [job.created_at for job in jobs] == [START + 10 * MINUTE, START + 20 * MINUTE, START + 30 * MINUTE]
    assert {(job.schedule, job.data["n"], job.user, job.source) for job in jobs} == {("s", 1, "ada", "schedule")}
    fired = events(ledger, Kind.SCHEDULE_FIRED)
    assert [event.job_id for event in fired] == [job.id for job in jobs]
    assert fired[0].data == {"schedule": "s", "fire_at": "2027-01-15T08:10:00.000Z"}
    assert not events(ledger, Kind.SCHEDULE_MISSED)
    assert table.get(ledger, "s").next_at == START + 40 * MINUTE


def test_a_one_off_time_comes_once(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(cron=None, at=START + 90.5)
    run_until(scheduler, clock, START + DAY)
    assert [job.created_at for job in made(ledger)] == [START + 90.5]
    assert table.get(ledger, "s").next_at is None


def test_idle_it_sleeps_until_the_next_time_and_looks_rarely(
    scheduler: Scheduler, add: Callable[..., None], clock: FakeClock
) -> None:
    assert scheduler.run_once() == LOOK_S
    add(cron="0 12 * * *")
    assert scheduler.run_once() == LOOK_S
    clock.advance(4 * HOUR - 3.25)
    assert scheduler.run_once() == 3.25


def test_with_overlap_skip_a_time_passes_while_the_last_job_has_not_ended(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(overlap=Overlap.SKIP)
    add("beside", overlap=Overlap.ALLOW)
    run_until(scheduler, clock, START + 25 * MINUTE)
    assert (minutes(ledger), minutes(ledger, "beside")) == ([10], [10, 20])
    (missed,) = events(ledger, Kind.SCHEDULE_MISSED)
    assert (missed.data["schedule"], missed.data["reason"]) == ("s", "overlap")
    assert made(ledger)[0].id in missed.data["message"]
    running = next(job for job in (claim(ledger) for _ in range(3)) if job.schedule == "s")
    with ledger.write() as tx:
        moves.complete(tx, running, None)
    run_until(scheduler, clock, START + 35 * MINUTE)
    assert minutes(ledger) == [10, 30]


@pytest.mark.parametrize(
    ("type_", "says"),
    [
        ("gone", "no processor has the job type 'gone'"),
        ("changed", "changed: 'n' is missing"),
        ("explodes", "explodes cannot take its data: RuntimeError: its own check is broken"),
    ],
)
def test_a_schedule_whose_job_cannot_be_made_says_so_and_the_others_go_on(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None], type_: str, says: str
) -> None:
    add("broken", type=type_)
    add("sound")
    run_until(scheduler, clock, START + 25 * MINUTE)
    assert table.get(ledger, "broken").problem == says
    assert not made(ledger, "broken")
    missed = events(ledger, Kind.SCHEDULE_MISSED)
    assert [(event.data["schedule"], event.data["reason"], event.data["message"]) for event in missed] == [
        ("broken", "problem", says)
    ] * 2
    assert minutes(ledger, "sound") == [10, 20]
    assert table.get(ledger, "sound").problem is None


def test_a_queue_that_takes_no_more_is_a_problem_of_that_time_only(
    ledger: Ledger, clock: FakeClock, add: Callable[..., None]
) -> None:
    def full_until_20(tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        ids = store(tx, jobs)
        if tx.now < START + 20 * MINUTE:
            raise Refused("queue default is full")
        return ids

    add()
    run_until(Scheduler(ledger, clock, prepare=prepare, store=full_until_20), clock, START + 15 * MINUTE)
    assert table.get(ledger, "s").problem == "queue default is full"
    assert made(ledger) == []
    run_until(Scheduler(ledger, clock, prepare=prepare, store=full_until_20), clock, START + 25 * MINUTE)
    assert minutes(ledger) == [20]
    assert table.get(ledger, "s").problem is None


def test_a_burst_of_commits_does_not_keep_it_busy(ledger: Ledger) -> None:
    class Recording(FakeClock):
        def __init__(self) -> None:
            super().__init__()
            self.waits: list[float] = []
            self.enough = threading.Event()

        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            self.waits.append(timeout_s)
            if len(self.waits) >= 3:
                self.enough.set()
                return event.wait(10)
            return super().wait(event, timeout_s)

    clock = Recording()
    scheduler = Scheduler(ledger, clock, prepare=prepare, store=store)
    scheduler.wake()
    scheduler.start()
    assert clock.enough.wait(10)
    scheduler.stop()
    assert clock.waits[:3] == [LOOK_S, Scheduler.rest_s, LOOK_S]  # woken at once, it lets more wakes gather first


def test_a_timezone_that_this_machine_no_longer_knows_stops_one_schedule_until_it_is_mended(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add("lost")
    add("sound")
    with ledger.write() as tx:
        tx.run("UPDATE schedule SET timezone = 'Mars/Olympus' WHERE name = 'lost'")
    run_until(scheduler, clock, START + 25 * MINUTE)
    assert "'Mars/Olympus' is not a timezone" in str(table.get(ledger, "lost").problem)
    assert minutes(ledger, "sound") == [10, 20]
    with ledger.write() as tx:
        tx.run("UPDATE schedule SET timezone = 'UTC' WHERE name = 'lost'")
    run_until(Scheduler(ledger, clock, prepare=prepare, store=store), clock, START + 35 * MINUTE)
    assert minutes(ledger, "lost")[-1] == 30


def test_two_schedulers_that_race_make_each_job_once(tmp_path: Path, clock: FakeClock) -> None:
    ledgers = [Ledger(tmp_path / "jobdesk.db", clock) for _ in range(4)]
    with ledgers[0].write() as tx:
        for n in range(10):
            spec = ScheduleSpec(name=f"s{n}", type="test", cron="* * * * *", missed=Missed.ALL)
            table.define(tx, spec, Origin.ADDED, None, START, START + 60)
    for _ in range(5):
        clock.advance(10 * MINUTE)
        gate = threading.Barrier(len(ledgers))

        def race(ledger: Ledger, gate: threading.Barrier = gate) -> None:
            rival = Scheduler(ledger, clock, prepare=prepare, store=store)
            gate.wait(10)
            rival.run_once()
            ledger.close()

        rivals = [threading.Thread(target=race, args=(ledger,)) for ledger in ledgers]
        for rival in rivals:
            rival.start()
        for rival in rivals:
            rival.join(30)
    assert [minutes(ledgers[0], f"s{n}") for n in range(10)] == [list(range(1, 51))] * 10
    assert ledgers[0].row("SELECT count(*) FROM job") == (500,)
    ledgers[0].close()


def test_what_is_remembered_of_times_stays_small(
    ledger: Ledger, clock: FakeClock, scheduler: Scheduler, add: Callable[..., None]
) -> None:
    add(cron="* * * * *")
    run_until(scheduler, clock, START + (table.RUNS_KEPT + 50) * MINUTE)
    assert ledger.row("SELECT count(*) FROM schedule_run") == (table.RUNS_KEPT,)
    assert table.runs(ledger, "s", 1)[0]["state"] == "pending"
