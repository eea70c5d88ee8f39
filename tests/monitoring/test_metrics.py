"""Metrics are exact over what ended in the window, and the top line costs no reading of jobs."""

import pytest

from jobdesk.core.job import JobError
from jobdesk.ledger import moves
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.spans import ACCURACY
from jobdesk.monitoring.metrics import metrics, recent, throughput
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit

TIMEOUT = JobError("Timeout", "no answer", None, "t", retryable=False)


def run(
    ledger: Ledger, clock: FakeClock, *, waits: float, takes: float, error: JobError | None = None, **over: object
) -> None:
    submit(ledger, **over)
    clock.advance(waits)
    job = claim(ledger)
    clock.advance(takes)
    with ledger.write() as tx:
        assert moves.fail(tx, job, error, None) if error else moves.complete(tx, job, None)


def test_averages_rates_and_percentiles_are_those_of_the_jobs(ledger: Ledger, clock: FakeClock) -> None:
    for number in range(1, 101):
        run(ledger, clock, waits=number / 10, takes=number, error=TIMEOUT if number > 90 else None)
    unwanted = submit(ledger)
    with ledger.write() as tx:
        moves.cancel(tx, unwanted, "no")
    submit(ledger, type="later")
    clock.advance(7)
    found = metrics(ledger, hours=24, now=clock.now())
    assert (found["total"], found["completed"], found["failed"], found["cancelled"], found["pending"]) == (
        102,
        90,
        10,
        1,
        1,
    )
    assert found["averageProcessingTime"] == 50_500
    assert found["averageQueueTime"] == 5_050
    assert found["averageTotalTime"] == 55_550
    assert found["processingTime"] == pytest.approx({"p50": 50_000, "p95": 95_000, "p99": 99_000}, rel=ACCURACY)
    assert found["queueTime"] == pytest.approx({"p50": 5_000, "p95": 9_500, "p99": 9_900}, rel=ACCURACY)
    assert found["completionRate"] == pytest.approx(100 * 90 / 101, abs=0.01)
    assert found["failureRate"] == pytest.approx(100 * 10 / 101, abs=0.01)
    assert found["errors"] == {"Timeout": 10}
    assert found["lag"] == 7_000
    minutes = (clock.now() - 1_800_000_000) / 60
    assert found["processingRate"] == pytest.approx(100 / minutes, abs=0.01)


def test_a_queue_and_a_type_have_numbers_of_their_own(ledger: Ledger, clock: FakeClock) -> None:
    run(ledger, clock, waits=1, takes=1, queue="a", type="x")
    run(ledger, clock, waits=1, takes=3, queue="a", type="y")
    run(ledger, clock, waits=1, takes=5, queue="b", type="x", error=TIMEOUT)
    one, other = metrics(ledger, now=clock.now(), queue="a"), metrics(ledger, now=clock.now(), type="x")
    assert (one["total"], one["completed"], one["averageProcessingTime"]) == (2, 2, 2000)
    assert (other["total"], other["failed"], other["averageProcessingTime"]) == (2, 1, 3000)
    assert metrics(ledger, queue="a", type="x", now=clock.now())["total"] == 1


def test_what_ended_before_the_window_does_not_count(ledger: Ledger, clock: FakeClock) -> None:
    run(ledger, clock, waits=0, takes=1)
    clock.advance(3600)
    run(ledger, clock, waits=0, takes=3)
    assert metrics(ledger, hours=0.5, now=clock.now())["averageProcessingTime"] == 3000
    assert metrics(ledger, hours=2, now=clock.now())["window"]["ended"] == 2


def test_retries_count_as_a_share_of_what_ended(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger)
    job = claim(ledger)
    with ledger.write() as tx:
        moves.release(tx, job, "stopping")
    run(ledger, clock, waits=0, takes=0, priority=100)
    job = claim(ledger, "con_a/1")
    with ledger.write() as tx:
        tx.run("UPDATE job SET attempt = 2 WHERE seq = ?", (job.seq,))
        moves.complete(tx, job, None)
    assert metrics(ledger, now=clock.now())["retryRate"] == 50.0


def test_an_empty_ledger_has_metrics_too(ledger: Ledger, clock: FakeClock) -> None:
    found = metrics(ledger, now=clock.now())
    assert found["total"] == found["lag"] == found["averageTotalTime"] == 0
    assert recent(ledger, clock.now()).failure_rate == 0.0


def test_the_chart_has_each_minute_and_agrees_with_the_jobs(ledger: Ledger, clock: FakeClock) -> None:
    for error in (None, TIMEOUT, None):
        run(ledger, clock, waits=0, takes=60, error=error, queue="a" if error else "b")
    chart = throughput(ledger, clock.now(), 5)
    assert chart == [(0, 0), (0, 0), (1, 0), (0, 1), (1, 0)]
    assert throughput(ledger, clock.now(), 5, queue="a") == [(0, 0), (0, 0), (0, 0), (0, 1), (0, 0)]
    exact = metrics(ledger, now=clock.now())["throughput"][-5:]
    assert [(one["completed"], one["failed"]) for one in exact] == chart


def test_the_top_line_reads_counters_only(ledger: Ledger, clock: FakeClock) -> None:
    for error in (None, None, None, TIMEOUT):
        run(ledger, clock, waits=0, takes=30, error=error)
    clock.advance(60)
    now = recent(ledger, clock.now())
    assert (now.completed, now.failed, now.failure_rate, now.per_minute) == (3, 1, 25.0, 0.8)
    clock.advance(7200)
    assert recent(ledger, clock.now()).completed == 0
    steps = ledger.rows("EXPLAIN QUERY PLAN SELECT at, sum(completed) FROM minute WHERE at >= 1 GROUP BY at")
    assert [row[3] for row in steps] == ["SEARCH minute USING PRIMARY KEY (at>?)"]


def test_minutes_older_than_a_week_are_forgotten(ledger: Ledger, clock: FakeClock) -> None:
    run(ledger, clock, waits=0, takes=1)
    clock.advance(8 * 86400)
    run(ledger, clock, waits=0, takes=1)
    assert ledger.row("SELECT count(*) FROM minute") == (1,)
