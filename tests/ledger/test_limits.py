"""Concurrency keys, rate limits and ageing: decided in the claim, at the same cost however much waits."""

import threading
from pathlib import Path

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.core.job import Job, JobError
from jobdesk.core.rate import Rate, rate
from jobdesk.ledger import claiming, moves, queues, rates, reads, storing, upkeep
from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock
from tests.support.factory import claim, new_job, submit


def take(ledger: Ledger, *only: str) -> Job | None:
    with ledger.write() as tx:
        return claiming.claim(tx, "con_test/1", only or None)


def finish(ledger: Ledger, job: Job) -> None:
    with ledger.write() as tx:
        assert moves.complete(tx, job, None)


def test_jobs_with_one_key_run_one_after_the_other_and_others_pass_them(ledger: Ledger) -> None:
    first = submit(ledger, concurrency_key="ada")
    second = submit(ledger, concurrency_key="ada")
    elsewhere = submit(ledger, queue="mail", concurrency_key="ada")
    other = submit(ledger, concurrency_key="bob", priority=25)
    free = submit(ledger, priority=10)
    held = claim(ledger)
    assert [held.id, claim(ledger).id, claim(ledger).id] == [first, other, free]
    assert take(ledger) is None
    finish(ledger, held)
    held = claim(ledger)
    assert held.id == second and take(ledger) is None
    finish(ledger, held)
    assert claim(ledger).id == elsewhere


def test_the_highest_priority_of_a_key_goes_first_even_if_it_came_last(ledger: Ledger) -> None:
    ids = [submit(ledger, concurrency_key="k", priority=priority) for priority in (25, 50, 100, 75)]
    order = []
    while (job := take(ledger)) is not None:
        order.append(job.id)
        finish(ledger, job)
    assert order == [ids[2], ids[3], ids[1], ids[0]]


def test_a_lane_that_begins_with_a_parked_job_holds_nothing_ready(ledger: Ledger) -> None:
    submit(ledger, concurrency_key="k")
    job = claim(ledger)
    submit(ledger, type="first of its type", concurrency_key="k")
    assert ledger.row("SELECT sum(ready) FROM lane") == (0,)
    finish(ledger, job)
    assert claim(ledger).type == "first of its type"


def test_jobs_of_a_paused_queue_are_nothing_to_claim(ledger: Ledger) -> None:
    submit(ledger, queue="closed")
    with ledger.write() as tx:
        queues.pause(tx, "closed", "ada")
    assert not claiming.is_any(ledger)
    submit(ledger, queue="open")
    assert claiming.is_any(ledger)
    finish(ledger, claim(ledger))
    assert not claiming.is_any(ledger)
    with ledger.write() as tx:
        queues.resume(tx, "closed", "ada")
    assert claiming.is_any(ledger)


def test_a_paused_queue_keeps_no_key_from_another(ledger: Ledger) -> None:
    submit(ledger, queue="closed", concurrency_key="k", priority=100)
    with ledger.write() as tx:
        queues.pause(tx, "closed", "ada")
    wanted = submit(ledger, queue="open", concurrency_key="k", priority=1)
    assert claim(ledger).id == wanted


@pytest.mark.parametrize("how", ["fail", "stop", "release", "snooze", "rescue"])
def test_however_a_job_ends_its_key_is_free_again(ledger: Ledger, how: str) -> None:
    submit(ledger, concurrency_key="k", priority=75)
    job = claim(ledger)
    waiting = submit(ledger, concurrency_key="k", priority=100)
    assert take(ledger) is None
    with ledger.write() as tx:
        match how:
            case "fail":
                moves.fail(tx, job, JobError("E", "no"), 5)
            case "rescue":
                upkeep.rescue(tx, "con_test", "it died")
            case "snooze":
                moves.snooze(tx, job, 5, "later")
            case _:
                getattr(moves, how)(tx, job, "why")
        assert tx.wakes
    assert claim(ledger).id == waiting


def test_a_candidate_that_is_cancelled_makes_way_for_the_next(ledger: Ledger) -> None:
    first, second = (submit(ledger, concurrency_key="k") for _ in range(2))
    with ledger.write() as tx:
        moves.cancel(tx, first, "no")
    assert claim(ledger).id == second


def test_ten_claimers_never_hold_one_key_twice(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock(), synchronous=lambda: "off")
    with ledger.write() as tx:
        queues.ensure(tx, "default")
        storing.submit(tx, [new_job(tx.now, concurrency_key=f"k{n % 3}") for n in range(90)])
    holding, wrong, done = set[str | None](), list[str](), list[str]()
    lock = threading.Lock()

    def work(number: int) -> None:
        own = Ledger(tmp_path / "jobdesk.db", SystemClock(), synchronous=lambda: "off")
        while len(done) < 90:
            with own.write() as tx:
                job = claiming.claim(tx, f"con_{number}/1")
            if job is None:
                continue
            with lock:
                if job.concurrency_key in holding:
                    wrong.append(job.id)
                holding.add(job.concurrency_key)
            with lock:
                holding.discard(job.concurrency_key)
                done.append(job.id)
            finish(own, job)
        own.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and sorted(done) == sorted(set(done)) and len(done) == 90
    ledger.close()


@pytest.mark.parametrize("scope", ["queue", "type"])
def test_a_limit_lets_no_more_start_in_any_span_and_never_slows_others(
    ledger: Ledger, clock: FakeClock, scope: rates.Scope
) -> None:
    rates.sync(ledger, {(scope, "slow"): Rate(3, 10.0)})
    for _ in range(9):
        submit(ledger, queue="slow" if scope == "queue" else "default", type="slow", priority=100)
    other = submit(ledger, priority=1)
    starts: list[float] = []
    for _ in range(120):
        while (job := take(ledger)) is not None:
            if job.id == other:
                assert len(starts) == 3, "it goes first only when the limit is reached"
            else:
                starts.append(clock.now())
        clock.advance(0.25)
    assert len(starts) == 9
    assert all(later - early >= 10 for early, later in zip(starts, starts[3:], strict=False))
    assert starts[6] - starts[0] == 20, "and no fewer either"


def test_when_a_limit_opens_is_known_only_where_something_waits_for_it(ledger: Ledger, clock: FakeClock) -> None:
    rates.sync(ledger, {("queue", "default"): Rate(1, 60.0)})
    submit(ledger)
    claim(ledger)
    assert rates.next_open(ledger, clock.now()) is None
    submit(ledger)
    assert rates.next_open(ledger, clock.now()) == clock.now() + 60


def test_a_clock_that_is_set_back_closes_no_limit_for_longer_than_its_span(ledger: Ledger, clock: FakeClock) -> None:
    rates.sync(ledger, {("queue", "default"): Rate(1, 60.0)})
    first, second = submit(ledger), submit(ledger)
    assert claim(ledger).id == first
    clock.advance(-3600)
    assert claim(ledger).id == second


def test_a_changed_limit_holds_at_once(ledger: Ledger) -> None:
    rates.sync(ledger, {("queue", "default"): Rate(1, 60.0)})
    first, second = submit(ledger), submit(ledger)
    assert claim(ledger).id == first and take(ledger) is None
    rates.sync(ledger, {})
    assert claim(ledger).id == second


@pytest.mark.parametrize(
    ("text", "most", "span_s"),
    [("10/s", 10, 1), ("100/m", 100, 60), ("500/h", 500, 3600), ("5/10s", 5, 10), ("1/d", 1, 86400)],
)
def test_rates_are_written_as_people_do(text: str, most: int, span_s: float) -> None:
    assert rate(text) == Rate(most, span_s)
    assert str(rate(text)) == text


@pytest.mark.parametrize("text", ["", "10", "0/s", "x/s", "10/", "10/fortnight", "-1/s"])
def test_what_is_no_rate_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 10/s, 100/m"):
        rate(text)


def test_the_claim_walks_only_the_lanes_and_the_claim_index(ledger: Ledger) -> None:
    plan = " ".join(
        row[3] for row in ledger.rows("EXPLAIN QUERY PLAN " + claiming._HEADS, {"now": 0.0, "queues": None})
    )
    assert "USING COVERING INDEX job_claim" in plan or "USING INDEX job_claim (queue=? AND type=?)" in plan
    assert "SCAN j" not in plan.replace("SCAN json_each", "") and "SCAN job" not in plan


def test_reading_a_job_tells_its_key(ledger: Ledger) -> None:
    assert reads.job(ledger, submit(ledger, concurrency_key="k")).to_json()["concurrency_key"] == "k"
