"""Health is healthy where all is well, and names what is not."""

from pathlib import Path
from typing import Any

from jobdesk import Desk
from jobdesk.core.errors import UnknownType
from jobdesk.core.job import Job, JobError, NewJob
from jobdesk.core.schedule import Missed, ScheduleSpec
from jobdesk.core.submission import Submission
from jobdesk.ledger import moves, queues, storing
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.health import health
from jobdesk.schedules import catalog
from jobdesk.schedules.scheduler import Scheduler
from tests.support.clock import FakeClock
from tests.support.factory import claim, new_job, submit
from tests.support.home import make_home

BROKEN = JobError("Broken", "it broke", retryable=False)


def alive(clock: FakeClock, *only: str) -> Consumer:
    return Consumer("con_test", "app", 7, 0.0, 2, only or None, clock.now() - 60, clock.now())


def prepare(wanted: Submission) -> NewJob:
    if wanted.type == "gone":
        raise UnknownType("no processor has the job type 'gone'")
    return new_job(0.0, type=wanted.type)


def ask(ledger: Ledger, *consumers: Consumer, **more: Any) -> dict[str, Any]:
    return health(ledger, home=ledger.path.parent, consumers=consumers, now=ledger.clock.now(), **more)


def says(answer: dict[str, Any], check: str) -> list[str]:
    """Messages of one check; the machine's own disk and memory are as they are."""
    return [one["message"] for one in answer["problems"] if one["check"] == check]


def test_a_desk_at_rest_is_healthy(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger)
    answer = ask(ledger, alive(clock), detailed=True)
    assert all(answer["checks"][name] for name in ("database", "consumers", "queues", "folders"))
    assert answer["uptime"] == 60
    assert answer["details"]["queues"]["default"]["pending"] == 1
    assert "details" not in ask(ledger, alive(clock))


def test_ready_jobs_without_a_consumer_are_a_warning(ledger: Ledger) -> None:
    assert says(ask(ledger), "consumers") == []
    submit(ledger)
    assert "start one with jobdesk --consumer" in says(ask(ledger), "consumers")[0]
    assert ask(ledger)["status"] != "healthy"


def test_a_silent_consumer_is_a_warning(ledger: Ledger, clock: FakeClock) -> None:
    one = alive(clock)
    clock.advance(60)
    assert says(ask(ledger, one), "consumers") == ["consumer 7 has been silent for 60s"]


def test_dead_letters_of_the_last_hour_are_a_warning_and_many_of_them_an_error(
    ledger: Ledger, clock: FakeClock
) -> None:
    def fail() -> None:
        submit(ledger)
        job = claim(ledger)
        with ledger.write() as tx:
            moves.fail(tx, job, BROKEN, None)

    fail()
    assert says(ask(ledger, alive(clock)), "queues") == ["queue default: 1 dead letter in the last hour"]
    for _ in range(9):
        fail()
    answer = ask(ledger, alive(clock), detailed=True)
    assert answer["status"] == "error"
    assert answer["details"]["queues"]["default"]["reason"] == "10 of 10 jobs of the last hour went to the dead letters"
    clock.advance(3 * 3600)
    assert says(ask(ledger, alive(clock)), "queues") == []


def test_dead_letters_that_were_retried_or_removed_are_no_problem_any_more(ledger: Ledger, clock: FakeClock) -> None:
    def dead(queue: str) -> Job:
        submit(ledger, queue=queue)
        job = claim(ledger)
        with ledger.write() as tx:
            moves.fail(tx, job, BROKEN, None)
        return job

    old = dead("mail")
    clock.advance(2 * 3600)
    retried, purged = dead("mail"), dead("mail")
    for _ in range(11):
        dead("video")
    assert says(ask(ledger, alive(clock)), "queues") == [
        "queue mail: 2 dead letters in the last hour",
        "queue video: 11 of 11 jobs of the last hour went to the dead letters",
    ]
    with ledger.write() as tx:
        moves.retry(tx, retried.id)
    assert says(ask(ledger, alive(clock)), "queues")[0] == "queue mail: 1 dead letter in the last hour"
    with ledger.write() as tx:
        moves.delete(tx, purged.id)
        tx.run("DELETE FROM job WHERE queue = 'video'")
    answer = ask(ledger, alive(clock), detailed=True)
    assert says(answer, "queues") == []
    assert answer["details"]["queues"]["mail"] == {
        "status": "healthy", "reason": None, "pending": 1, "processing": 0, "dead": 1, "completedLastHour": 0,
        "failedLastHour": 2,
    }  # fmt: skip
    with ledger.write() as tx:
        moves.delete(tx, old.id)
    assert ask(ledger, alive(clock), detailed=True)["details"]["queues"]["mail"]["dead"] == 0


def test_a_paused_queue_with_jobs_and_a_deep_one_without_workers_are_warnings(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(101):
        submit(ledger, queue="deep")
    submit(ledger, queue="held")
    with ledger.write() as tx:
        queues.pause(tx, "held", "ada")
    assert says(ask(ledger, alive(clock, "held")), "queues") == [
        "queue deep: 101 jobs are ready and nobody works on it",
        "queue held: it is paused by ada with 1 job ready",
    ]


def test_a_queue_without_room_is_a_warning(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger, queue="small")
    with ledger.write() as tx:
        tx.run("UPDATE queue SET max_size = 2 WHERE name = 'small'")
    assert says(ask(ledger, alive(clock)), "queues") == []
    submit(ledger, queue="small")
    assert says(ask(ledger, alive(clock)), "queues") == ["queue small: it is full: 2 jobs wait and its max_size is 2"]


def test_a_check_that_cannot_look_is_an_error_and_no_crash(ledger: Ledger, clock: FakeClock) -> None:
    with ledger.write() as tx:
        tx.run("DROP TABLE folder")
    answer = ask(ledger, alive(clock))
    (said,) = says(answer, "folders")
    assert said.startswith("it cannot be looked at: ") and "no such table" in said
    assert answer["status"] == "error" and answer["checks"]["database"] and answer["checks"]["queues"]


def test_a_folder_that_is_gone_is_a_warning(ledger: Ledger, clock: FakeClock, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with ledger.write() as tx:
        for name in ("in", "gone"):
            tx.run("INSERT INTO folder (path, pipeline, mode) VALUES (?, 'upload', 'watch')", (str(tmp_path / name),))
    (one,) = says(ask(ledger, alive(clock)), "folders")
    assert str(tmp_path / "gone") in one


def test_a_schedule_that_cannot_go_on_or_was_missed_is_a_warning(ledger: Ledger, clock: FakeClock) -> None:
    with ledger.write() as tx:
        queues.ensure(tx, "default")
        for name, type_, cron in (("gone", "gone", "* * * * *"), ("night", "test", "0 * * * *")):
            catalog.add(tx, ScheduleSpec(name=name, type=type_, cron=cron, missed=Missed.SKIP), "ada", change=False)
    assert says(ask(ledger, alive(clock)), "schedules") == []
    clock.advance(3 * 3600 + 120)
    said = says(ask(ledger), "schedules")
    assert len(said) == 2 and "has not come; no consumer runs: start one" in said[0]
    scheduler = Scheduler(ledger, clock, prepare=prepare, store=storing.submit)
    scheduler.run_once()
    clock.advance(60)
    scheduler.run_once()
    said = says(ask(ledger, alive(clock)), "schedules")
    assert said == [
        "schedule gone makes no jobs: no processor has the job type 'gone'",
        "schedule night missed 3 times, noticed in the last hour: nobody worked",
    ]
    answer = ask(ledger, alive(clock), detailed=True)
    assert answer["details"]["schedules"]["night"]["missedLastHour"] == 3 and answer["status"] != "healthy"
    clock.advance(3600)
    assert [one.split(" and ")[0][:30] for one in says(ask(ledger, alive(clock)), "schedules")] == [
        "schedule gone makes no jobs: n", "schedule gone was due at 2027-", "schedule night was due at 2027",
    ]  # fmt: skip


def test_wrong_settings_are_an_error_in_words_of_their_own(tmp_path: Path) -> None:
    home = make_home(tmp_path, settings="[desk]\nworker = 3\n")
    desk = Desk(home)
    answer = desk.health()
    assert (answer["status"], answer["checks"]["settings"], answer["checks"]["database"]) == ("error", False, True)
    assert "line 2: 'desk.worker' is not a setting" in says(answer, "settings")[0]
    (home / "jobdesk.toml").unlink()
    assert desk.health()["checks"]["settings"]
    desk.close()


def test_a_damaged_database_is_an_error_and_no_crash(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(50):
        submit(ledger, data={"pad": "x" * 2000})
    ledger.row("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    size = ledger.path.stat().st_size
    with ledger.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    answer = ask(ledger, alive(clock))
    assert answer["status"] == "error" and answer["checks"]["database"] is False
