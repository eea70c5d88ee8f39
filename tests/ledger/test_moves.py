"""Each move of a job by itself: legal ones by the table, dependencies, unique keys, what a flow is told."""

import sqlite3

import pytest

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import FINAL, Job, JobError, State
from jobdesk.core.moves import is_legal
from jobdesk.ledger import claiming, follow, moves, queues, reads, unique, upkeep
from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock
from tests.support.factory import claim, new_job, submit

BROKEN = JobError("Broken", "it broke", "trace", "b", retryable=True)
PERMANENT = JobError("Rejected", "never", None, "r", retryable=False)


def into(ledger: Ledger, clock: FakeClock, state: State) -> str:
    """A job in the state, by legal moves only."""
    if state is State.BLOCKED:
        return submit(ledger, after=[submit(ledger, queue="parents")])
    if state is State.SCHEDULED:
        return submit(ledger, run_at=clock.now() + 60)
    id_ = submit(ledger, expires_at=clock.now() + 5 if state is State.EXPIRED else None)
    if state is State.EXPIRED:
        clock.advance(6)
        with ledger.write() as tx:
            upkeep.expire(tx)
    elif state is State.CANCELLED:
        with ledger.write() as tx:
            moves.cancel(tx, id_, "no")
    elif state is not State.PENDING:
        job = claim(ledger)
        with ledger.write() as tx:
            if state is State.COMPLETED:
                moves.complete(tx, job, {"n": 1})
            elif state in (State.RETRYING, State.FAILED):
                moves.fail(tx, job, BROKEN, 5 if state is State.RETRYING else None)
    assert reads.job(ledger, id_).state is state
    return id_


def finish(ledger: Ledger, job: Job, error: JobError | None = None) -> None:
    with ledger.write() as tx:
        assert moves.complete(tx, job, None) if error is None else moves.fail(tx, job, error, None)


def state(ledger: Ledger, id_: str) -> State:
    return reads.job(ledger, id_).state


@pytest.mark.parametrize("start", State)
@pytest.mark.parametrize("end", State)
def test_the_database_allows_the_moves_of_the_table_and_no_other(
    ledger: Ledger, clock: FakeClock, start: State, end: State
) -> None:
    id_ = into(ledger, clock, start)
    values = (end, clock.now() if end in FINAL else None, clock.now(), id_)
    sql = "UPDATE job SET state = ?, finished_at = ?, worker = 'w', started_at = ? WHERE id = ?"
    if end is start or is_legal(start, end):
        with ledger.write() as tx:
            assert tx.run(sql, values) == 1
        assert state(ledger, id_) is end
    else:
        with pytest.raises(sqlite3.IntegrityError, match="illegal move"), ledger.write() as tx:
            tx.run(sql, values)
        assert state(ledger, id_) is start


@pytest.mark.parametrize("start", State)
def test_what_an_operator_may_do_depends_on_the_state(ledger: Ledger, clock: FakeClock, start: State) -> None:
    id_ = into(ledger, clock, start)
    if start in FINAL:
        with pytest.raises(Refused, match="has not ended"), ledger.write() as tx:
            moves.cancel(tx, id_, "no")
        with ledger.write() as tx:
            moves.retry(tx, id_, {"new": 1})
        job = reads.job(ledger, id_)
        assert (job.state, job.attempt, job.data, job.finished_at) == (State.PENDING, 0, {"new": 1}, None)
    else:
        with pytest.raises(Refused, match="only an ended job"), ledger.write() as tx:
            moves.retry(tx, id_)
        with ledger.write() as tx:
            asked = moves.cancel(tx, id_, "no")
        assert asked is (State.PROCESSING if start is State.PROCESSING else State.CANCELLED)
        assert (reads.job(ledger, id_).cancel_requested_at is not None) == (start is State.PROCESSING)


@pytest.mark.parametrize("start", State)
def test_delete_leaves_nothing_behind_but_a_running_job(ledger: Ledger, clock: FakeClock, start: State) -> None:
    id_ = into(ledger, clock, start)
    seq = reads.job(ledger, id_).seq
    if start is State.PROCESSING:
        with pytest.raises(Refused, match="cancel it first"), ledger.write() as tx:
            moves.delete(tx, id_)
        return
    with ledger.write() as tx:
        moves.delete(tx, id_)
    for table in ("attempt", "event", "artifact", "dependency"):
        assert ledger.row(f"SELECT count(*) FROM {table} WHERE job = ?", (seq,)) == (0,)
    with pytest.raises(NotFound):
        reads.job(ledger, id_)


def test_a_late_worker_changes_nothing(ledger: Ledger) -> None:
    id_ = submit(ledger, max_attempts=3)
    late = claim(ledger, "con_a/1")
    with ledger.write() as tx:
        assert upkeep.rescue(tx, "con_a", "its consumer died") == 1
    second = claim(ledger, "con_b/1")
    assert (second.id, second.fence, second.attempt) == (id_, late.fence + 1, 2)
    with ledger.write() as tx:
        assert not moves.complete(tx, late, "late")
        assert not moves.fail(tx, late, BROKEN, None)
        assert not moves.snooze(tx, late, 5, "late")
        assert not moves.release(tx, late, "late")
        assert not moves.stop(tx, late, "late")
    assert reads.job(ledger, id_).worker == "con_b/1"
    finish(ledger, second)
    assert [(one["number"], one["outcome"]) for one in reads.attempts(ledger, id_)] == [
        (1, "stalled"),
        (2, "completed"),
    ]


def test_attempts_are_used_up_by_failures_not_by_snooze_or_release(ledger: Ledger, clock: FakeClock) -> None:
    id_ = submit(ledger, max_attempts=2)
    for give_back in (moves.release, lambda tx, job, why: moves.snooze(tx, job, 5, why)):
        job = claim(ledger)
        assert job.attempt == 1
        with ledger.write() as tx:
            assert give_back(tx, job, "not now")
    for expected in (State.RETRYING, State.FAILED):
        clock.advance(6)
        with ledger.write() as tx:
            upkeep.stage(tx)
        job = claim(ledger)
        with ledger.write() as tx:
            moves.fail(tx, job, BROKEN, 5)
        assert state(ledger, id_) is expected


def test_a_permanent_error_is_not_tried_again(ledger: Ledger) -> None:
    id_ = submit(ledger, max_attempts=5)
    job = claim(ledger)
    with ledger.write() as tx:
        moves.fail(tx, job, PERMANENT, 5)
    assert state(ledger, id_) is State.FAILED


def test_a_job_that_kills_its_worker_ends_in_the_dead_letters(ledger: Ledger) -> None:
    id_ = submit(ledger, max_attempts=2)
    for _ in range(2):
        claim(ledger, "con_a/1")
        with ledger.write() as tx:
            upkeep.rescue(tx, "con_a", "its consumer died")
    job = reads.job(ledger, id_)
    assert job.state is State.FAILED and job.error is not None and job.error.type == "Stalled"


def test_a_job_that_killed_three_workers_is_poison_whatever_attempts_are_left(ledger: Ledger) -> None:
    id_ = submit(ledger, max_attempts=10)
    for _ in range(2):
        for expected in (State.PENDING, State.PENDING, State.FAILED):
            claim(ledger, "con_a/1")
            with ledger.write() as tx:
                upkeep.rescue(tx, "con_a", "its consumer died")
            assert state(ledger, id_) is expected
        job = reads.job(ledger, id_)
        assert job.error is not None and (job.error.type, job.error.retryable) == ("Poison", False)
        with ledger.write() as tx:
            moves.retry(tx, id_)
    assert {one["outcome"] for one in reads.attempts(ledger, id_)} == {"stalled"}


def test_a_job_waits_for_all_its_parents_and_its_time(ledger: Ledger, clock: FakeClock) -> None:
    first, second = submit(ledger), submit(ledger)
    child = submit(ledger, queue="child", after=[first, second, first])
    later = submit(ledger, queue="child", after=[first], run_at=clock.now() + 60)
    finish(ledger, claim(ledger))
    assert (state(ledger, child), state(ledger, later)) == (State.BLOCKED, State.BLOCKED)
    finish(ledger, claim(ledger))
    assert (state(ledger, child), state(ledger, later)) == (State.PENDING, State.BLOCKED)
    assert upkeep.next_due(ledger) == clock.now() + 60
    submit(ledger, expires_at=clock.now() + 90)
    assert upkeep.next_due(ledger) == clock.now() + 60
    clock.advance(60)
    with ledger.write() as tx:
        upkeep.stage(tx)
    assert state(ledger, later) is State.PENDING
    assert upkeep.next_due(ledger) == clock.now() + 30


def test_what_waits_for_a_failed_job_is_cancelled_and_resumes_when_it_completes_after_all(ledger: Ledger) -> None:
    parent = submit(ledger, priority=100)
    child = submit(ledger, after=[parent])
    grandchild = submit(ledger, after=[child])
    finish(ledger, claim(ledger), BROKEN)
    assert [state(ledger, id_) for id_ in (parent, child, grandchild)] == ["failed", "cancelled", "cancelled"]
    with pytest.raises(Refused, match="nothing can come after it"):
        submit(ledger, after=[parent])
    with ledger.write() as tx:
        moves.retry(tx, parent)
    finish(ledger, claim(ledger))
    assert (state(ledger, child), state(ledger, grandchild)) == (State.PENDING, State.CANCELLED)
    finish(ledger, claim(ledger))
    assert state(ledger, grandchild) is State.PENDING


def test_what_an_operator_cancelled_does_not_resume(ledger: Ledger) -> None:
    parent = submit(ledger)
    child = submit(ledger, after=[parent])
    with ledger.write() as tx:
        moves.cancel(tx, child, "by hand")
    finish(ledger, claim(ledger))
    assert state(ledger, child) is State.CANCELLED


def test_a_unique_key_is_taken_while_its_job_is_in_flight(ledger: Ledger) -> None:
    first = submit(ledger, unique="k")
    assert submit(ledger, unique="k") == first
    job = claim(ledger)
    assert submit(ledger, unique="k") == first
    finish(ledger, job)
    second = submit(ledger, unique="k")
    assert second != first
    with pytest.raises(Refused, match="unique key"), ledger.write() as tx:
        moves.retry(tx, first)


def test_a_unique_key_is_looked_up_in_its_index(ledger: Ledger) -> None:
    steps = ledger.rows(
        f"EXPLAIN QUERY PLAN SELECT id FROM job WHERE unique_key = ? AND state IN ({unique.IN_FLIGHT_WORDS})", ("k",)
    )
    assert [row[3] for row in steps] == ["SEARCH job USING INDEX job_key_in_flight (unique_key=?)"]


def test_a_parent_completes_although_the_key_of_its_cancelled_child_is_taken(ledger: Ledger) -> None:
    parent = submit(ledger, priority=100)
    child = submit(ledger, after=[parent], unique="k")
    finish(ledger, claim(ledger), BROKEN)
    other = submit(ledger, unique="k")
    with ledger.write() as tx:
        moves.retry(tx, parent)
    finish(ledger, claim(ledger))
    assert [state(ledger, id_) for id_ in (parent, child, other)] == ["completed", "cancelled", "pending"]


@pytest.mark.parametrize("optional", [False, True])
def test_a_flow_tells_once_that_a_job_of_it_failed(ledger: Ledger, optional: bool) -> None:
    first = submit(ledger, flow="flow_1", step="first", optional=optional)
    submit(ledger, flow="flow_1", step="second", optional=optional)
    with ledger.write() as tx:
        queues.ensure(tx, "notice")
        follow.set_on_failure(tx, "flow_1", new_job(tx.now, type="TELL", queue="notice", data={"to": "ada"}))
    for _ in range(2):
        finish(ledger, claim(ledger), BROKEN)
    told = [job for job in reads.flow_jobs(ledger, "flow_1") if job.type == "TELL"]
    if optional:
        assert not told
        return
    (notice,) = told
    assert notice.state is State.PENDING
    assert notice.data["to"] == "ada" and notice.data["failed"]["job"] == first
    with ledger.write() as tx:
        moves.retry(tx, first)
    while (job := claim(ledger)).id != first:
        pass
    finish(ledger, job, BROKEN)
    assert sum(job.type == "TELL" for job in reads.flow_jobs(ledger, "flow_1")) == 2


def test_a_flow_is_told_when_one_of_its_jobs_waited_in_vain_for_an_optional_one(ledger: Ledger) -> None:
    first = submit(ledger, flow="flow_1", optional=True)
    needed = submit(ledger, flow="flow_1", after=[first])
    with ledger.write() as tx:
        follow.set_on_failure(tx, "flow_1", new_job(tx.now, type="TELL", queue="default"))
    finish(ledger, claim(ledger), BROKEN)
    (notice,) = [job for job in reads.flow_jobs(ledger, "flow_1") if job.type == "TELL"]
    assert notice.data["failed"]["job"] == needed


def test_the_highest_priority_goes_first_then_the_oldest_in_open_queues_with_room(ledger: Ledger) -> None:
    low, high, mail = submit(ledger, priority=25), submit(ledger, priority=75), submit(ledger, queue="mail")
    queues.sync(ledger, {"mail": queues.QueueSpec(concurrency=1)})
    second_mail = submit(ledger, queue="mail", priority=100)
    with ledger.write() as tx:
        queues.pause(tx, "mail", "ada")
    assert [claim(ledger).id for _ in range(2)] == [high, low]
    with ledger.write() as tx:
        assert claiming.claim(tx, "con/1") is None
        queues.resume(tx, "mail", "ada")
    assert claim(ledger).id == second_mail
    with ledger.write() as tx:
        assert claiming.claim(tx, "con/1") is None, "its concurrency is 1"
    assert state(ledger, mail) is State.PENDING


@pytest.mark.parametrize("start", State)
def test_only_what_waits_for_its_time_is_run_now(ledger: Ledger, clock: FakeClock, start: State) -> None:
    id_ = into(ledger, clock, start)
    attempt = reads.job(ledger, id_).attempt
    if start in (State.SCHEDULED, State.RETRYING):
        with ledger.write() as tx:
            moves.run_now(tx, id_)
        job = reads.job(ledger, id_)
        assert (job.state, job.attempt, job.run_at) == (State.PENDING, attempt, clock.now())
        assert reads.last_events(ledger, job=id_)[-1].data["early"] is True
    else:
        with ledger.write() as tx, pytest.raises(Refused):
            moves.run_now(tx, id_)
        assert state(ledger, id_) is start
