"""Every rule with its condition, on a clock of the test's own: failing jobs, a full disk, a folder that is gone …"""

from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.alert import ABOUT, Measure
from jobdesk.core.breaker import BreakerState, Policy
from jobdesk.core.calling import Called
from jobdesk.core.job import Job, JobError
from jobdesk.core.schedule import Reason
from jobdesk.ledger import breakers, folders, moves, queues, schedules, waiting
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.measures import Measurer
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit
from tests.support.watching import Looker, rule, story, told, watch

BROKEN = JobError("SMTPError", "mailbox full\nand more", retryable=False)


@pytest.fixture
def looker(ledger: Ledger, clock: FakeClock) -> Looker:
    return Looker(ledger, watch(), clock.advance)


def fail(ledger: Ledger, jobs: int, queue: str = "default", type_: str = "test") -> None:
    for _ in range(jobs):
        submit(ledger, queue=queue, type=type_)
        job = claim(ledger)
        with ledger.write() as tx:
            moves.fail(tx, job, BROKEN, None)


def complete(ledger: Ledger, jobs: int, queue: str = "default") -> None:
    for _ in range(jobs):
        submit(ledger, queue=queue)
        job = claim(ledger)
        with ledger.write() as tx:
            moves.complete(tx, job, {})


def test_a_disk_that_fills_up_is_low_until_there_is_room(
    ledger: Ledger, clock: FakeClock, small_disk: Path, tmp_path: Path
) -> None:
    places = [small_disk, small_disk / "gone", tmp_path]
    looker = Looker(ledger, watch(rule("disk_free", below=2e6), places=places), clock.advance)
    looker.look()
    assert story(ledger) == []
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 3_000_000)
    looker.look()
    (one,) = told(ledger)
    assert one.data["subject"] == str(small_disk) and one.data["message"].endswith("of 4.2 MB are free")
    ballast.unlink()
    looker.look()
    assert story(ledger) == [f"+{small_disk}", f"-{small_disk}"]


def test_a_failure_rate_needs_enough_jobs_and_looks_back_so_far(
    ledger: Ledger, clock: FakeClock, looker: Looker
) -> None:
    looker.watched = watch(rule("failure_rate", above=10.0, window_s=3600, minimum=10, queues=("mail*",)))
    fail(ledger, 8, "mail")
    fail(ledger, 10, "other")
    looker.look()
    assert story(ledger) == []
    complete(ledger, 8, "mail")
    looker.look()
    (one,) = told(ledger)
    assert (one.data["subject"], one.data["value"]) == ("mail", 50.0)
    assert "50% of the 16 jobs of queue mail that ended in the last 60m" in one.data["message"]
    clock.advance(2 * 3600)
    looker.look()
    assert story(ledger) == ["+mail", "-mail"]


def test_a_clock_set_back_leaves_what_it_wrote_ahead_out(ledger: Ledger, clock: FakeClock, looker: Looker) -> None:
    looker.watched = watch(rule("dead_letters", window_s=900))
    clock.advance(86_400)
    fail(ledger, 1)
    clock.advance(-86_400)
    looker.look()
    assert story(ledger) == []


def test_dead_letters_say_what_failed_last_in_one_line(ledger: Ledger, clock: FakeClock, looker: Looker) -> None:
    looker.watched = watch(rule("dead_letters", window_s=900))
    fail(ledger, 1, "mail")
    looker.look()
    (one,) = told(ledger)
    assert one.data["message"] == (
        "1 job of queue mail went to the dead letters in the last 15m; the newest: test: SMTPError: mailbox full"
    )
    clock.advance(1000)
    looker.look()
    assert story(ledger) == ["+mail", "-mail"]


def test_dead_letters_that_were_retried_or_purged_are_over(ledger: Ledger, looker: Looker) -> None:
    looker.watched = watch(rule("dead_letters", window_s=900))
    fail(ledger, 2, "mail")
    fail(ledger, 1, "video")
    looker.look()
    retried, purged = (str(id_) for (id_,) in ledger.rows("SELECT id FROM job WHERE queue = 'mail'"))
    with ledger.write() as tx:
        moves.retry(tx, retried)
    looker.look()
    assert story(ledger) == ["+mail", "+video"]
    with ledger.write() as tx:
        moves.delete(tx, purged)
    looker.look()
    assert story(ledger) == ["+mail", "+video", "-mail"]


def test_lag_is_of_what_waited_longest_whatever_stands_before_it(
    ledger: Ledger, clock: FakeClock, looker: Looker
) -> None:
    looker.watched = watch(rule("lag", above=60.0))
    submit(ledger, queue="low", priority=1)
    for _ in range(3):
        submit(ledger, queue="paused")
    with ledger.write() as tx:
        queues.pause(tx, "paused", "ada")
    clock.advance(100)
    submit(ledger, queue="low", priority=90)
    submit(ledger, queue="new")
    looker.look()
    (one,) = told(ledger)
    assert (one.data["subject"], one.data["value"]) == ("low", 115.0)


def test_a_schedule_that_is_overdue_or_missed_a_time(ledger: Ledger, clock: FakeClock, looker: Looker) -> None:
    looker.watched = watch(rule("schedule_missed", window_s=3600))
    with ledger.write() as tx:
        tx.run(
            "INSERT INTO schedule (name, origin, type, cron, timezone, data, missed, overlap, created_at, changed_at, "
            "cursor_at, next_at) VALUES ('late', 'added', 't', '@daily', 'UTC', '{}', 'once', 'allow', 0, 0, 0, ?)",
            (clock.now(),),
        )
        schedules.missed(tx, "night", [clock.now()], Reason.DOWNTIME, "1 time passed while nobody worked")
        schedules.missed(tx, "rests", [clock.now()], Reason.PAUSED, "it was paused by ada then")
    looker.look()
    assert story(ledger) == ["+night"]
    looker.look(4)
    assert story(ledger) == ["+night", "+late"]
    with ledger.write() as tx:
        tx.run("UPDATE schedule SET next_at = ?", (clock.now() + 86_400,))
    looker.look()
    assert story(ledger)[-1] == "-late"
    clock.advance(3600)
    looker.look()
    assert story(ledger)[-1] == "-night"


def test_a_service_is_down_while_its_breaker_is_open(ledger: Ledger, looker: Looker) -> None:
    looker.watched = watch(rule("service_down"))
    policy = Policy(failures=2, minimum_calls=2, open_for_s=30.0, max_open_s=30.0, trials=1)
    submit(ledger)

    def calls(job: Job, *failures: str | None) -> None:
        with ledger.write() as tx:
            for failure in failures:
                breakers.report(tx, policy, Called("smtp", failure), job)

    calls(claim(ledger), "HTTP 500", "HTTP 503")
    with ledger.write() as tx:
        breakers.open_(tx, "flaps", "for a moment")
        breakers.close(tx, "flaps", "for a moment")
    looker.look()
    (one,) = told(ledger)
    assert one.data["message"].startswith("service smtp is down: 2 of 2 calls failed")
    for failure in ("HTTP 500", None):  # a trial in vain that lasts, and one that succeeds
        looker.advance(30)
        submit(ledger)
        trial = claim(ledger)
        assert breakers.admit(ledger, "smtp", trial) is None
        looker.advance(3600)
        looker.look()
        assert story(ledger) == ["+smtp"]
        calls(trial, failure)
    looker.look()
    assert story(ledger) == ["+smtp", "-smtp"]


def test_a_service_that_nobody_tries_again_does_not_stay_down_for_ever(ledger: Ledger, looker: Looker) -> None:
    looker.watched = watch(rule("service_down"))
    policy = Policy(failures=1, minimum_calls=1, open_for_s=30.0, max_open_s=30.0, trials=1)
    submit(ledger)
    job, late = claim(ledger), submit(ledger, queue="late")
    waits = claim(ledger)
    assert waits.id == late
    with ledger.write() as tx:
        breakers.report(tx, policy, Called("smtp", "HTTP 500"), job)
        waiting.wait(tx, waits, "smtp", "it is down", moves.Usage())
    looker.look()
    looker.advance(30 * 86_400)
    looker.look()
    assert story(ledger) == ["+smtp"]  # somebody waits for it
    with ledger.write() as tx:
        moves.cancel(tx, waits.id, "no longer wanted")
    looker.look()
    assert story(ledger) == ["+smtp", "-smtp"]
    (one,) = breakers.every(ledger, ledger.clock.now())
    assert one.state is BreakerState.HALF_OPEN
    submit(ledger)
    trial = claim(ledger)
    assert breakers.admit(ledger, "smtp", trial) is None
    with ledger.write() as tx:
        breakers.report(tx, policy, Called("smtp", "HTTP 500"), trial)
    looker.look()
    assert story(ledger) == ["+smtp", "-smtp", "+smtp"]


def test_a_folder_that_is_no_folder_or_offline_is_unreadable(ledger: Ledger, looker: Looker, tmp_path: Path) -> None:
    sound, file, away = (tmp_path / name for name in ("sound", "file", "away"))
    sound.mkdir()
    away.mkdir()
    file.write_text("")
    file.chmod(0o600)  # root may read whatever it likes, but enters no file
    with ledger.write() as tx:
        folders.report(tx, folders.Status(path=str(away), pipeline="p", mode="offline", message="the disk is gone"))
    looker.watched = watch(rule("folder_unreadable"), folders=[str(sound), str(file), str(away)])
    looker.look()
    assert sorted(str(one.data["message"]) for one in told(ledger)) == [
        f"the folder {away} cannot be used: the disk is gone",
        f"the folder {file} cannot be used: it is missing or may not be read and written",
    ]


def test_a_job_is_slow_against_the_average_of_its_type(ledger: Ledger, clock: FakeClock, looker: Looker) -> None:
    from jobdesk.ledger import folding

    looker.watched = watch(rule("slow_job", above=2.0, window_s=7 * 86_400, minimum=3))

    def run(seconds: float, ends: bool = True) -> str:
        submit(ledger)
        job = claim(ledger)
        clock.advance(seconds)
        if ends:
            with ledger.write() as tx:
                moves.complete(tx, job, {})
        return job.id

    run(100), run(100)
    folding.fold(ledger, 1000)
    run(1000, ends=False)
    looker.look()
    assert story(ledger) == []  # two say nothing about what is usual
    run(100)
    folding.fold(ledger, 1000)
    slow = run(201, ends=False)
    looker.look()
    assert f"+{slow}" in story(ledger)
    assert told(ledger)[-1].job_id is None and told(ledger)[-1].to_json()["job_id"] == slow


def test_a_query_is_a_rule_and_notices_that_fail_are_none_of_its_jobs(ledger: Ledger, looker: Looker) -> None:
    looker.watched = watch(rule("query", query="state:failed age:<1h", above=1.0))
    fail(ledger, 1)
    fail(ledger, 5, "notifications", "send-notification")
    looker.look()
    assert story(ledger) == []
    fail(ledger, 1)
    looker.look()
    (one,) = told(ledger)
    assert one.data["message"] == "2 jobs match state:failed age:<1h"


def test_no_measure_reads_more_the_more_jobs_there_are(ledger: Ledger, clock: FakeClock, looker: Looker) -> None:
    """Counted in steps of SQLite's own machine, not in time."""

    def steps(wanted: Measure) -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        connection: Any = ledger._connection()
        connection.set_progress_handler(step, 10)
        try:
            Measurer(ledger).read(rule(wanted, window_s=ABOUT[wanted].window_s or 0.0), watch())
        finally:
            connection.set_progress_handler(None, 10)
        return count

    def add(jobs: int) -> None:
        from jobdesk.ledger import storing
        from tests.support.factory import new_job

        with ledger.write() as tx:
            queues.ensure(tx, "default")
            storing.submit(tx, [new_job(tx.now) for _ in range(jobs)])
            tx.run("UPDATE job SET state = 'cancelled', finished_at = ? WHERE seq % 2", (tx.now,))
        complete(ledger, 10)
        fail(ledger, 2)

    measures = [one for one in Measure if one is not Measure.QUERY]
    add(1000)
    before = {one: steps(one) for one in measures}
    add(9000)
    after = {one: steps(one) for one in measures}
    assert {one: (before[one], after[one]) for one in measures if after[one] > before[one] + 100} == {}
