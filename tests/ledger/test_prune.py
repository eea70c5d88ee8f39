"""Retention: what it removes, what it keeps, and that nothing is left of what it removed."""

from pathlib import Path

import pytest

from jobdesk.core.job import JobError, State
from jobdesk.core.rate import Rate
from jobdesk.ledger import moves, queues, rates, reads
from jobdesk.ledger.clean import clean
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.pruner import PAUSE_S, Pruner
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit


def end(ledger: Ledger, error: bool = False, **over: object) -> str:
    id_ = submit(ledger, **over)
    job = claim(ledger)
    with ledger.write() as tx:
        if error:
            moves.fail(tx, job, JobError("E", "no"), None)
        else:
            moves.complete(tx, job, None)
    return id_


def settle(pruner: Pruner) -> None:
    for _ in range(10_000):
        if pruner.run_once() is None:
            return
    raise AssertionError("it never ends")


def left(ledger: Ledger) -> list[str]:
    return [id_ for (id_,) in ledger.rows("SELECT id FROM job ORDER BY seq")]


def test_ended_jobs_go_after_the_retention_and_dead_letters_after_their_own(ledger: Ledger, clock: FakeClock) -> None:
    queues.sync(ledger, {"default": queues.QueueSpec(dead_letter_ttl_s=500.0)})
    pruner = Pruner(ledger, clock, 100.0)
    end(ledger)
    dead, waiting = end(ledger, error=True), submit(ledger, priority=1)
    clock.advance(101)
    new = end(ledger)
    settle(pruner)
    assert left(ledger) == [dead, waiting, new]
    clock.advance(400)
    settle(pruner)
    assert left(ledger) == [waiting]
    assert ledger.row("SELECT count(*) FROM attempt") == (0,)
    assert ledger.row("SELECT count(*) FROM event WHERE job IS NOT NULL") == (1,)


def test_without_a_retention_only_what_a_queue_says_goes(ledger: Ledger, clock: FakeClock) -> None:
    queues.sync(ledger, {"few": queues.QueueSpec(keep_completed=2, keep_failed=1)})
    kept = [end(ledger), end(ledger, error=True)]
    done = [end(ledger, queue="few") for _ in range(5)]
    dead = [end(ledger, queue="few", error=True) for _ in range(3)]
    clock.advance(1e9)
    settle(Pruner(ledger, clock, None))
    assert left(ledger) == [*kept, *done[-2:], dead[-1]]


def test_a_completed_job_of_a_flow_that_may_go_on_is_kept(ledger: Ledger, clock: FakeClock) -> None:
    pruner = Pruner(ledger, clock, 100.0)
    first = end(ledger, flow="flow_1")
    second = submit(ledger, flow="flow_1", priority=1)
    clock.advance(200)
    settle(pruner)
    assert left(ledger) == [first, second]
    job = claim(ledger)
    with ledger.write() as tx:
        moves.complete(tx, job, None)
    clock.advance(101)
    settle(pruner)
    assert left(ledger) == [] and ledger.row("SELECT count(*) FROM flow") == (0,)


def test_a_job_that_was_retried_meanwhile_stays(ledger: Ledger, clock: FakeClock) -> None:
    from jobdesk.ledger import prune

    id_ = end(ledger)
    clock.advance(10)
    keep = prune.policies(ledger, 5.0)
    found = prune.aged(ledger, keep, 5.0, (0.0, 0), clock.now())
    with ledger.write() as tx:
        moves.retry(tx, id_)
        assert prune.remove(tx, found.doomed, "retention") == 0
    assert left(ledger) == [id_]


def test_old_events_of_no_job_go_too(ledger: Ledger, clock: FakeClock) -> None:
    with ledger.write() as tx:
        queues.ensure(tx, "mail")
        queues.pause(tx, "mail", "ada")
    clock.advance(101)
    with ledger.write() as tx:
        queues.resume(tx, "mail", "ada")
    settle(Pruner(ledger, clock, 100.0))
    assert [event.kind for event in reads.events(ledger)] == ["queue_resumed"]


def test_a_job_that_has_its_unique_key_for_a_while_is_kept_until_then(ledger: Ledger, clock: FakeClock) -> None:
    queues.sync(ledger, {"mail": queues.QueueSpec(keep_completed=0)})
    first = end(ledger, queue="mail", unique="k", unique_for_s=600.0)
    pruner = Pruner(ledger, clock, 100.0)
    clock.advance(599)
    settle(pruner)
    assert submit(ledger, queue="mail", unique="k", unique_for_s=600.0) == first
    clock.advance(61)  # what was passed over is looked at again after a minute
    settle(pruner)
    assert left(ledger) == []


class SlowClock(FakeClock):
    """A transaction of it seems to take so long."""

    takes_s = 0.0

    def monotonic(self) -> float:
        self.advance(self.takes_s)
        return self.now()


@pytest.mark.parametrize(("takes_s", "sizes"), [(0.0, [650, 450, 50, 0]), (0.008, [650, 600, 575, 563])])
def test_a_transaction_removes_as_many_as_keep_others_waiting_for_a_few_milliseconds(
    tmp_path: Path, takes_s: float, sizes: list[int]
) -> None:
    clock = SlowClock()
    ledger = Ledger(tmp_path / "jobdesk.db", clock, synchronous=lambda: "normal")
    for _ in range(750):
        end(ledger)
    clock.advance(101)
    pruner, rests, seen = Pruner(ledger, clock, 100.0), [], []
    clock.takes_s = takes_s
    for _ in range(4):
        rests.append(pruner.run_once())
        seen.append(len(left(ledger)))
    assert seen == sizes
    assert rests[0] == pytest.approx(2 * takes_s or PAUSE_S, abs=1e-5), "it rests as long as it worked"
    ledger.close()


def test_clean_removes_one_state_of_one_queue(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(150):
        end(ledger, queue="mail")
    kept = [end(ledger, queue="mail", error=True), end(ledger), submit(ledger, queue="mail")]
    assert clean(ledger, "mail", State.COMPLETED, clock.now(), "ada") == 150
    assert left(ledger) == kept


def test_a_queue_says_what_limits_it(ledger: Ledger) -> None:
    queues.sync(ledger, {"mail": queues.QueueSpec(keep_completed=5)})
    rates.sync(ledger, {("queue", "mail"): Rate(100, 60.0)})
    queue = reads.queue(ledger, "mail")
    assert (queue.keep_completed, queue.keep_failed, queue.rate_limit) == (5, None, "100/m")
