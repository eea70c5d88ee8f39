"""`jobs why` names what keeps a job, whatever it is."""

import math
from dataclasses import replace

from jobdesk.core.job import JobError
from jobdesk.core.rate import Rate
from jobdesk.ledger import moves, queues, rates, reads, workers
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.why import why
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit

ALIVE = Consumer("con_test", "consumer", 1, 0.0, 2, None, 0.0, math.inf)


def said(ledger: Ledger, id_: str, *consumers: Consumer, types: tuple[str, ...] = ("test",)) -> list[str]:
    return why(ledger, reads.job(ledger, id_), types, ledger.clock.now(), consumers=consumers)


def test_a_ready_job_with_a_free_worker_is_kept_by_nothing(ledger: Ledger) -> None:
    assert said(ledger, submit(ledger), ALIVE) == ["Nothing keeps it: a free worker takes it at once."]


def test_a_blocked_job_names_what_it_waits_for(ledger: Ledger) -> None:
    parents = [submit(ledger, type=f"P{number}") for number in range(7)]
    (one,) = said(ledger, submit(ledger, after=parents), ALIVE)
    assert one.startswith(f"It waits for P0 ({parents[0]}), which is pending, P1 ") and one.endswith(", and 2 more.")


def test_a_later_job_says_when(ledger: Ledger, clock: FakeClock) -> None:
    id_ = submit(ledger, run_at=clock.now() + 90)
    assert said(ledger, id_, ALIVE) == ["It is due at 2027-01-15T08:01:30.000Z, in 90s."]


def test_a_retrying_job_says_why_and_when(ledger: Ledger) -> None:
    id_ = submit(ledger)
    job = claim(ledger)
    with ledger.write() as tx:
        moves.fail(tx, job, JobError("Timeout", "no\nanswer"), 5)
    assert said(ledger, id_, ALIVE) == [
        "Attempt 1 of 3 failed (no answer); it waits before the next.",
        "It is due at 2027-01-15T08:00:05.000Z, in 5.0s.",
    ]


def test_a_pending_job_names_its_queue_and_those_ahead(ledger: Ledger) -> None:
    queues.sync(ledger, {"mail": queues.QueueSpec(concurrency=1)})
    submit(ledger, queue="mail", priority=100)
    claim(ledger)
    submit(ledger, queue="mail", priority=75)
    submit(ledger, queue="mail")
    id_ = submit(ledger, queue="mail")
    submit(ledger, queue="mail")
    with ledger.write() as tx:
        queues.pause(tx, "mail", "ada")
    paused, full, first = said(ledger, id_, ALIVE)
    assert "was paused by ada" in paused and "jobdesk queues resume mail" in paused
    assert full == "Its queue mail may run 1 at once, and 1 run now."
    assert first == "2 ready jobs of its queue go first."


def test_nobody_works_or_nobody_works_on_its_queue_or_all_are_busy(ledger: Ledger) -> None:
    id_ = submit(ledger, queue="mail")
    assert "No consumer runs" in said(ledger, id_)[0]
    only = Consumer("con_x", "consumer", 1, 0.0, 1, ("other",), 0.0, math.inf)
    assert said(ledger, id_, only) == ["No running consumer takes jobs of its queue mail: start one without --queues."]
    submit(ledger, queue="other", priority=100)
    claim(ledger)
    assert "The one worker is busy." in said(ledger, id_, only)


def test_a_job_whose_consumer_is_gone_does_not_run(ledger: Ledger, clock: FakeClock) -> None:
    id_ = submit(ledger)
    claim(ledger, "con_dead/1")
    clock.advance(3)
    gone = "It does not run: con_dead, which took it 3.0s ago, is gone; the next consumer takes it back."
    assert said(ledger, id_, ALIVE) == [gone]
    alone, nobody = said(ledger, id_)
    assert alone == gone and "No consumer runs" in nobody


def test_a_consumer_that_stands_still_is_named(ledger: Ledger, clock: FakeClock) -> None:
    id_, still = submit(ledger), replace(ALIVE, heartbeat_at=clock.now() - 20)
    assert said(ledger, id_, still) == ["The consumer 1 has been silent for 20s: see jobdesk doctor."]
    assert said(ledger, id_, still, replace(still, heartbeat_at=clock.now() - 16)) == [
        "Of 2 consumers the last one heard, 1, has been silent for 16s: see jobdesk doctor."
    ]
    assert said(ledger, id_, still, ALIVE) == ["Nothing keeps it: a free worker takes it at once."]


def test_a_job_without_a_processor_says_so(ledger: Ledger) -> None:
    (one,) = said(ledger, submit(ledger, type="gone"), ALIVE)
    assert one == "No processor has its type gone: it will fail when a worker takes it."


def test_a_running_or_ended_job_says_that(ledger: Ledger, clock: FakeClock) -> None:
    id_ = submit(ledger)
    job = claim(ledger, "con_test/1")
    clock.advance(3)
    with ledger.write() as tx:
        moves.cancel(tx, id_, "no")
    clock.advance(2)
    assert said(ledger, id_, ALIVE) == [
        "It runs now: attempt 1 of 3 on con_test/1, for 5.0s.",
        "It was asked to stop 2.0s ago and has not yet.",
    ]
    with ledger.write() as tx:
        moves.fail(tx, job, JobError("Broken", "it broke", retryable=False), None)
    (one,) = said(ledger, id_, ALIVE)
    assert one.startswith("It failed at ") and one.endswith(
        f"after 1 attempt: it broke; to run it again: jobdesk jobs retry {id_}."
    )


def test_the_ledger_is_asked_for_consumers_where_none_are_given(ledger: Ledger) -> None:
    id_ = submit(ledger)
    with ledger.write() as tx:
        workers.register(tx, "con_a", "consumer", 1, 0.0, 4, None)
    assert why(ledger, reads.job(ledger, id_), ["test"], ledger.clock.now()) == [
        "Nothing keeps it: a free worker takes it at once."
    ]


def test_a_limited_job_says_when_the_limit_opens_and_who_holds_its_key(ledger: Ledger, clock: FakeClock) -> None:
    rates.sync(ledger, {("queue", "default"): Rate(1, 60.0), ("type", "test"): Rate(1, 30.0)})
    holder = submit(ledger, concurrency_key="ada")
    id_ = submit(ledger, concurrency_key="ada")
    claim(ledger)
    clock.advance(1)
    assert said(ledger, id_, ALIVE) == [
        "Its queue default may start 1/m: the next at 2027-01-15T08:01:00.000Z, in 59s.",
        "Its type test may start 1/30s: the next at 2027-01-15T08:00:30.000Z, in 29s.",
        f"Its concurrency key ada is held by {holder}, which runs now.",
    ]
