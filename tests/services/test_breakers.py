"""The breaker in the ledger: when it opens, whom it lets through, what a clock that is set does to it."""

import pytest

from jobdesk.core.breaker import BreakerState, Policy
from jobdesk.core.calling import Called, called
from jobdesk.core.events import Kind
from jobdesk.core.job import Job, State
from jobdesk.ledger import breakers, claiming, moves, prune, reads, upkeep, waiting
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.moves import Usage
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit

POLICY = Policy(failures=3, minimum_calls=4, failure_rate=0.5, open_for_s=30.0, max_open_s=100.0, trials=2)
NEEDS = {"pay": "bank"}


def report(ledger: Ledger, job: Job, failure: str | None = None, policy: Policy = POLICY) -> bool:
    with ledger.write() as tx:
        return breakers.report(tx, policy, Called("bank", failure), job)


def state(ledger: Ledger) -> BreakerState:
    found = breakers.find(ledger, "bank", ledger.clock.now())
    return BreakerState.CLOSED if found is None else found.state


def take(ledger: Ledger, count: int) -> list[Job]:
    """What a claim takes for so many workers."""
    with ledger.write() as tx:
        found = claiming.claim_many(tx, [f"con_a/{n}" for n in range(count)], needs=NEEDS)
        return [one.begin("w", tx.now) for one in found]


@pytest.fixture
def bystander(ledger: Ledger) -> Job:
    """A job that runs, and is on trial for nothing."""
    submit(ledger)
    return claim(ledger, "con_b/1")


def opened(ledger: Ledger, job: Job, policy: Policy = POLICY) -> None:
    """Let it fail until it opens."""
    report(ledger, job, None, policy)
    for _ in range(3):
        report(ledger, job, "HTTP 503", policy)
    assert state(ledger) is BreakerState.OPEN


def events(ledger: Ledger) -> list[str]:
    kinds = [Kind.BREAKER_OPENED, Kind.BREAKER_CLOSED]
    return [f"{event.kind.value}: {event.data['reason']}" for event in reads.events(ledger, kinds=kinds)]


def test_it_opens_at_so_many_failures_of_enough_calls_and_says_so(ledger: Ledger, bystander: Job) -> None:
    for _ in range(3):
        report(ledger, bystander, "HTTP 503")
    assert state(ledger) is BreakerState.CLOSED, "three failures, and four calls are the minimum"
    report(ledger, bystander)
    assert state(ledger) is BreakerState.CLOSED, "a success opens nothing"
    report(ledger, bystander, "HTTP 502")
    assert state(ledger) is BreakerState.OPEN
    assert events(ledger) == ["breaker_opened: 4 of 5 calls failed in 60s, the last with HTTP 502"]


def test_many_successes_and_old_failures_keep_it_closed(ledger: Ledger, bystander: Job, clock: FakeClock) -> None:
    for _ in range(8):
        report(ledger, bystander)
    for _ in range(4):
        report(ledger, bystander, "HTTP 503")
    assert state(ledger) is BreakerState.CLOSED, "a third of the calls failed"
    clock.advance(120)
    assert breakers.lately(ledger, "bank", POLICY, clock.now()) == (0, 0)
    for _ in range(3):
        report(ledger, bystander, "HTTP 503")
    assert state(ledger) is BreakerState.CLOSED, "the window has passed, and three calls are too few"


def test_while_it_is_open_a_claim_leaves_its_types_and_takes_the_others(ledger: Ledger, bystander: Job) -> None:
    opened(ledger, bystander)
    first = submit(ledger, type="pay", priority=100)
    other = submit(ledger, type="mail")
    assert [job.id for job in take(ledger, 3)] == [other]
    job = reads.job(ledger, first)
    assert (job.state, job.attempt) == (State.PENDING, 0)


def test_a_drain_does_not_wait_for_what_a_breaker_keeps(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger, type="pay")
    with ledger.write() as tx:
        breakers.open_(tx, "bank", "maintenance")
    soon = clock.now() + 60
    assert breakers.down_until(ledger, soon) == {"bank"}
    assert upkeep.anything_to_do(ledger, None, soon)
    assert not upkeep.anything_to_do(ledger, None, soon, ["pay"])


def test_half_open_lets_as_many_through_as_it_has_trials(ledger: Ledger, bystander: Job, clock: FakeClock) -> None:
    opened(ledger, bystander)
    for _ in range(5):
        submit(ledger, type="pay")
    clock.advance(30)
    assert state(ledger) is BreakerState.HALF_OPEN
    trials = take(ledger, 5)
    assert len(trials) == 2 and take(ledger, 5) == []
    assert not report(ledger, trials[0])
    assert state(ledger) is BreakerState.HALF_OPEN and take(ledger, 5) == [], "both must succeed"
    report(ledger, trials[1])
    assert state(ledger) is BreakerState.CLOSED
    assert len(take(ledger, 5)) == 3
    assert events(ledger)[-1] == "breaker_closed: 2 trials succeeded"


def test_a_trial_that_fails_opens_it_for_longer_each_time(ledger: Ledger, bystander: Job, clock: FakeClock) -> None:
    opened(ledger, bystander)
    submit(ledger, type="pay")
    for pause_s in (30, 60, 100, 100):
        clock.advance(pause_s - 1)
        assert state(ledger) is BreakerState.OPEN and take(ledger, 1) == []
        clock.advance(1)
        (trial,) = take(ledger, 1)
        assert report(ledger, trial, "HTTP 500")
        with ledger.write() as tx:
            assert waiting.wait(tx, trial, "bank", "still down", Usage())
            tx.run("UPDATE job SET state = 'pending' WHERE seq = ?", (trial.seq,))
    job = reads.job(ledger, trial.id)
    assert job.attempt == 0


def test_a_late_answer_of_a_job_that_is_not_on_trial_decides_nothing(
    ledger: Ledger, bystander: Job, clock: FakeClock
) -> None:
    opened(ledger, bystander)
    assert not report(ledger, bystander)
    clock.advance(30)
    assert not report(ledger, bystander, "HTTP 500") and not report(ledger, bystander)
    assert state(ledger) is BreakerState.HALF_OPEN


def test_a_trial_that_dies_with_its_consumer_gives_its_place_back(
    ledger: Ledger, bystander: Job, clock: FakeClock
) -> None:
    opened(ledger, bystander)
    submit(ledger, type="pay", max_attempts=5)
    submit(ledger, type="pay", max_attempts=5)
    clock.advance(30)
    lost = take(ledger, 2)
    assert len(lost) == 2 and take(ledger, 2) == []
    with ledger.write() as tx:
        assert upkeep.rescue(tx, "con_a", "con_a died") == 2
    again = take(ledger, 2)
    assert [job.id for job in again] == [job.id for job in lost]
    assert not breakers.shut(ledger, "mail", clock.now()), "of another service nobody ever heard"


def test_a_clock_set_back_does_not_keep_it_open(ledger: Ledger, bystander: Job, clock: FakeClock) -> None:
    opened(ledger, bystander)
    submit(ledger, type="pay")
    clock.advance(-3600)
    assert state(ledger) is BreakerState.HALF_OPEN
    assert len(take(ledger, 1)) == 1


def test_held_by_hand_it_stays_until_it_is_closed_by_hand(ledger: Ledger, clock: FakeClock) -> None:
    id_ = submit(ledger, type="pay")
    with ledger.write() as tx:
        assert breakers.open_(tx, "bank", "ada: maintenance")
        assert not breakers.open_(tx, "bank", "again")
    clock.advance(1e6)
    assert state(ledger) is BreakerState.OPEN and take(ledger, 1) == []
    with ledger.write() as tx:
        assert breakers.close(tx, "bank", "closed by ada")
        assert not breakers.close(tx, "bank", "again")
    assert [job.id for job in take(ledger, 1)] == [id_]


def test_jobs_put_off_come_back_when_it_closes_and_only_some_of_them_for_trials(
    ledger: Ledger, bystander: Job, clock: FakeClock
) -> None:
    opened(ledger, bystander)
    for _ in range(5):
        submit(ledger, type="test")
    jobs = [claim(ledger, f"con_a/{n}") for n in range(5)]
    with ledger.write() as tx:
        for job in jobs:
            assert waiting.wait(tx, job, "bank", "it is down", Usage())
    assert waiting.waiting(ledger, "bank") == 5
    assert waiting.waits_for(ledger, reads.job(ledger, jobs[0].id)) == ["bank"]
    clock.advance(30)
    with ledger.write() as tx:
        assert upkeep.stage(tx) == 2
    for _ in range(2):
        trial = claim(ledger)
        assert breakers.admit(ledger, "bank", trial) is None
        report(ledger, trial)
    assert state(ledger) is BreakerState.CLOSED
    with ledger.write() as tx:
        assert upkeep.stage(tx) == 3
    assert {reads.job(ledger, job.id).attempt for job in jobs[2:]} == {0}


def test_one_that_tried_in_vain_lets_others_try_before_it(ledger: Ledger, bystander: Job, clock: FakeClock) -> None:
    policy = Policy(failures=3, minimum_calls=3, open_for_s=30.0, max_open_s=30.0, trials=1)
    opened(ledger, bystander, policy)
    ids = [submit(ledger, type="test") for _ in range(3)]
    jobs = [claim(ledger, f"con_a/{n}") for n in range(3)]
    with ledger.write() as tx:
        for job in jobs:
            waiting.wait(tx, job, "bank", "it is down", Usage())
    tried = []
    for _ in range(6):
        clock.advance(30)
        waiting.call_due(ledger)
        with ledger.write() as tx:
            upkeep.stage(tx)
        trial = claim(ledger)
        assert breakers.admit(ledger, "bank", trial) is None
        assert report(ledger, trial, "HTTP 500", policy)
        with ledger.write() as tx:
            waiting.wait(tx, trial, "bank", "still down", Usage(), waiting.AFTER_OTHERS_S)
        tried.append(ids.index(trial.id))
    assert tried[:3] == [0, 1, 2] and sorted(tried[3:]) == [0, 1, 2]


def test_who_waits_is_called_when_a_trial_ends_without_an_answer(
    ledger: Ledger, bystander: Job, clock: FakeClock
) -> None:
    opened(ledger, bystander)
    for _ in range(4):
        submit(ledger, type="test")
    jobs = [claim(ledger, f"con_a/{n}") for n in range(4)]
    clock.advance(30)
    assert [breakers.admit(ledger, "bank", job) is None for job in jobs] == [True, True, False, False]
    with ledger.write() as tx:
        for job in jobs[2:]:
            waiting.wait(tx, job, "bank", "others try it", Usage())
    assert waiting.call_due(ledger) == (True, False)
    with ledger.write() as tx:
        assert upkeep.stage(tx) == 0, "two are on trial"
        for job in jobs[:2]:
            moves.complete(tx, job, None)  # they did not call it in the end
    waiting.call_due(ledger)
    with ledger.write() as tx:
        assert upkeep.stage(tx) == 2


@pytest.mark.parametrize("pruned", [True, False])
def test_a_job_with_the_seq_of_one_that_is_gone_does_not_wait_in_its_place(
    ledger: Ledger, bystander: Job, clock: FakeClock, pruned: bool
) -> None:
    opened(ledger, bystander)
    submit(ledger, type="test")
    gone = claim(ledger)
    with ledger.write() as tx:
        assert waiting.wait(tx, gone, "bank", "it is down", Usage())
        if pruned:
            moves.cancel(tx, gone.id, "no longer wanted")
            ended = prune.Ended(gone.seq, gone.queue, "cancelled", tx.now)
            assert prune.remove(tx, [ended]) == 1
        else:
            moves.delete(tx, gone.id)
    submit(ledger, type="test")
    other = claim(ledger)
    assert (other.seq, other.fence) == (gone.seq, gone.fence)
    with ledger.write() as tx:
        moves.snooze(tx, other, 3600, "for reasons of its own", Usage())
        breakers.close(tx, "bank", "it works")
    assert waiting.waits_for(ledger, reads.job(ledger, other.id)) == []
    assert reads.job(ledger, other.id).run_at == clock.now() + 3600


def test_who_was_cancelled_holds_up_nobody_that_waits(ledger: Ledger, bystander: Job, clock: FakeClock) -> None:
    opened(ledger, bystander)
    for _ in range(6):
        submit(ledger, type="test")
    jobs = [claim(ledger, f"con_a/{n}") for n in range(6)]
    with ledger.write() as tx:
        for job in jobs:
            waiting.wait(tx, job, "bank", "it is down", Usage())
        for job in jobs[:4]:
            moves.cancel(tx, job.id, "no longer wanted")
    clock.advance(30)
    assert waiting.call_due(ledger) == (True, False)
    with ledger.write() as tx:
        assert upkeep.stage(tx) == 2


def test_a_job_that_nobody_holds_any_more_is_not_put_off(ledger: Ledger, bystander: Job) -> None:
    with ledger.write() as tx:
        moves.complete(tx, bystander, None)
        assert not waiting.wait(tx, bystander, "bank", "late", Usage())
    assert waiting.waiting(ledger, "bank") == 0


class Status(Exception):
    def __init__(self, status_code: int) -> None:
        super().__init__(f"answered {status_code}")
        self.status_code = status_code


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (None, None),
        (Status(404), None),
        (Status(401), None),
        (Status(429), "HTTP 429"),
        (Status(503), "HTTP 503"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: [Errno 111] refused"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_what_counts_as_a_failure_of_a_service(error: Exception | None, failure: str | None) -> None:
    assert called("bank", error) == Called("bank", failure)


@pytest.mark.parametrize("error", [ValueError("bug"), KeyError("x"), FileNotFoundError("data.csv")])
def test_a_fault_of_the_job_says_nothing_of_the_service(error: Exception) -> None:
    assert called("bank", error) is None
