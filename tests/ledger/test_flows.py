"""Flows in the ledger: what parents do to those that ignore their failure, and cancel and resume of the whole."""

from typing import Any

import pytest

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.flow import FlowState
from jobdesk.core.job import JobError, State
from jobdesk.flows.templates import Binding
from jobdesk.ledger import aging, flows, follow, moves, queues, reads, storing, upkeep
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.why import why
from tests.support.clock import FakeClock
from tests.support.factory import claim, new_job, submit

BROKEN = JobError("Broken", "it broke", None, "b", retryable=True)
FLOW = "flow_1"


def step(ledger: Ledger, name: str, *after: str, **over: Any) -> str:
    return submit(ledger, flow=FLOW, step=name, after=after, **over)


def end(ledger: Ledger, name: str, error: JobError | None = None, result: Any = None) -> None:
    """Claim the next job, which must be this step, and end it."""
    job = claim(ledger)
    assert job.step == name
    with ledger.write() as tx:
        assert moves.complete(tx, job, result) if error is None else moves.fail(tx, job, error, None)


def states(ledger: Ledger) -> dict[str, str]:
    return {job.step or job.type: job.state.value for job in reads.flow_jobs(ledger, FLOW)}


def cancel(ledger: Ledger) -> int:
    with ledger.write() as tx:
        return flows.cancel(tx, FLOW, "by ada")


def resume(ledger: Ledger) -> list[str | None]:
    with ledger.write() as tx:
        retried = flows.resume(tx, FLOW)
    return [reads.job(ledger, id_).step for id_ in retried]


def test_fan_out_and_fan_in(ledger: Ledger) -> None:
    get = step(ledger, "get")
    parts = [step(ledger, f"part{n}", get) for n in range(3)]
    step(ledger, "join", *parts)
    assert flows.flow(ledger, FLOW).state is FlowState.RUNNING
    end(ledger, "get")
    for n in range(3):
        assert states(ledger)["join"] == "blocked"
        end(ledger, f"part{n}")
    end(ledger, "join")
    flow = flows.flow(ledger, FLOW)
    assert (flow.state, flow.done, flow.total, len(flow.jobs)) == (FlowState.COMPLETED, 5, 5, 5)


@pytest.mark.parametrize("how", ["fail", "cancel", "expire"])
def test_who_ignores_failures_runs_however_its_parents_end(ledger: Ledger, clock: FakeClock, how: str) -> None:
    first = step(ledger, "first", expires_at=clock.now() + 5)
    strict = step(ledger, "strict", first)
    step(ledger, "clean", first, strict, on_parent_failure="ignore")
    if how == "fail":
        end(ledger, "first", BROKEN)
    with ledger.write() as tx:
        if how == "cancel":
            moves.cancel(tx, first, "by hand")
        clock.advance(6)
        tx.now = clock.now()
        upkeep.expire(tx)
    assert states(ledger)["strict"] == "cancelled"
    end(ledger, "clean")
    assert flows.flow(ledger, FLOW).state is (FlowState.CANCELLED if how == "cancel" else FlowState.FAILED)


def test_who_ignores_failures_may_come_after_a_failed_job_and_waits_for_one_that_runs(ledger: Ledger) -> None:
    failed = step(ledger, "failed")
    end(ledger, "failed", BROKEN)
    open_ = step(ledger, "open")
    ignores = step(ledger, "ignores", failed, open_, on_parent_failure="ignore")
    with pytest.raises(Refused, match="nothing can come after it"):
        step(ledger, "strict", failed)
    assert states(ledger)["ignores"] == "blocked"
    end(ledger, "open", BROKEN)
    end(ledger, "ignores", BROKEN)
    with ledger.write() as tx:
        moves.retry(tx, ignores)
    assert reads.job(ledger, open_).state is State.FAILED
    end(ledger, "ignores")


def test_resume_runs_what_failed_and_what_follows_and_nothing_else(ledger: Ledger) -> None:
    get = step(ledger, "get")
    thumb, meta = step(ledger, "thumb", get), step(ledger, "meta", get)
    report = step(ledger, "report", thumb, meta)
    step(ledger, "tell", report)
    end(ledger, "get")
    end(ledger, "thumb", BROKEN)
    end(ledger, "meta")
    assert (flows.flow(ledger, FLOW).state, states(ledger)["tell"]) == (FlowState.FAILED, "cancelled")
    assert resume(ledger) == ["thumb"]
    for name in ("thumb", "report", "tell"):
        end(ledger, name)
    assert flows.flow(ledger, FLOW).state is FlowState.COMPLETED
    assert {job.step: job.fence for job in reads.flow_jobs(ledger, FLOW)} == {
        "get": 1, "thumb": 2, "meta": 1, "report": 1, "tell": 1,
    }  # fmt: skip
    with pytest.raises(Refused, match="nothing to resume"):
        resume(ledger)


def test_cancelling_a_flow_leaves_nothing_that_could_still_run_and_resume_brings_all_of_it_back(ledger: Ledger) -> None:
    first = step(ledger, "first")
    step(ledger, "side", first)
    middle = step(ledger, "middle", first)
    step(ledger, "clean", first, middle, on_parent_failure="ignore", queue="late")
    running = claim(ledger)
    assert cancel(ledger) == 4
    assert states(ledger) == {"first": "processing", "side": "cancelled", "middle": "cancelled", "clean": "cancelled"}
    with ledger.write() as tx:
        moves.stop(tx, running, "by ada")
    assert flows.flow(ledger, FLOW).state is FlowState.CANCELLED
    with pytest.raises(Refused, match="has ended"):
        cancel(ledger)
    assert resume(ledger) == ["first"]
    for name in ("first", "side", "middle", "clean"):
        end(ledger, name)
    assert flows.flow(ledger, FLOW).state is FlowState.COMPLETED


def test_a_flow_that_was_resumed_can_be_cancelled_again(ledger: Ledger) -> None:
    first = step(ledger, "first")
    step(ledger, "clean", first, on_parent_failure="ignore")
    cancel(ledger)
    resume(ledger)
    cancel(ledger)
    assert states(ledger) == {"first": "cancelled", "clean": "cancelled"}


def test_what_completes_although_its_flow_was_cancelled_sets_nothing_in_motion(ledger: Ledger) -> None:
    first = step(ledger, "first")
    step(ledger, "second", first)
    running = claim(ledger)
    cancel(ledger)
    late = new_job(0.0, flow=FLOW, step="late", parent=first, run_at=None)
    with ledger.write() as tx:
        flows.cancel_latecomers(tx, FLOW, storing.submit(tx, [late]))
        moves.complete(tx, running, None)
    assert states(ledger) == {"first": "completed", "second": "cancelled", "late": "cancelled"}
    assert resume(ledger) == ["second", "late"]


def test_a_cleanup_that_failed_with_its_parent_follows_it_again_when_the_flow_is_resumed(ledger: Ledger) -> None:
    first = step(ledger, "first", max_attempts=1)
    step(ledger, "clean", first, on_parent_failure="ignore", max_attempts=1)
    end(ledger, "first", BROKEN)
    end(ledger, "clean", BROKEN)
    assert resume(ledger) == ["first"]
    end(ledger, "first", BROKEN)
    end(ledger, "clean")
    assert states(ledger) == {"first": "failed", "clean": "completed"}


def test_on_failure_runs_once_with_what_failed_put_into_its_data(ledger: Ledger) -> None:
    first = step(ledger, "first")
    step(ledger, "second", first)
    parts = ("because ", ("failed", "message"), " in ", ("failed", "step"))
    why = Binding(("why",), "because {failed.message} in {failed.step}", parts)
    with ledger.write() as tx:
        queues.ensure(tx, "notice")
        hook = new_job(tx.now, type="TELL", queue="notice", data={"why": why.text}, bindings=[why.to_json()])
        follow.set_on_failure(tx, FLOW, hook, takes_failed=False)
    end(ledger, "first", BROKEN)
    (told,) = [job for job in reads.flow_jobs(ledger, FLOW) if job.type == "TELL"]
    assert told.data == {"why": "because it broke in first"}
    assert resume(ledger) == ["first"]


def test_a_flow_goes_with_its_last_job(ledger: Ledger) -> None:
    ids = [step(ledger, "one", bindings=[{"at": ["x"], "text": "", "parts": []}]), step(ledger, "two")]
    for id_ in ids:
        with ledger.write() as tx:
            moves.delete(tx, id_)
    assert ledger.row("SELECT (SELECT count(*) FROM flow) + (SELECT count(*) FROM binding)") == (0,)
    with pytest.raises(NotFound):
        flows.full_id(ledger, "flow_1")


def test_flows_are_listed_newest_first_and_found_by_the_beginning_of_their_id(ledger: Ledger) -> None:
    for name in ("flow_01A", "flow_01B"):
        submit(ledger, flow=name)
    assert [one.id for one in flows.newest(ledger, 10)] == ["flow_01B", "flow_01A"]
    assert flows.full_id(ledger, "01b") == "flow_01B"


def test_a_ledger_of_the_first_version_gets_what_flows_need(tmp_path: Any, clock: FakeClock) -> None:
    import sqlite3

    from jobdesk.ledger.identity import APPLICATION_ID
    from jobdesk.ledger.tables import MIGRATIONS

    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript(MIGRATIONS[0] + f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    ledger = Ledger(path, clock)
    first = step(ledger, "first")
    step(ledger, "second", first, on_parent_failure="ignore")
    end(ledger, "first", BROKEN)
    end(ledger, "second")
    assert ledger.rows("SELECT state FROM job ORDER BY seq") == [("failed",), ("completed",)]
    assert ledger.row("SELECT total, open, failed FROM flow") == (2, 0, 1)
    ledger.close()


def test_a_job_revived_by_its_parent_ages_as_new_ones_do_and_keeps_its_time(ledger: Ledger, clock: FakeClock) -> None:
    first = step(ledger, "first", max_attempts=1)
    due_at = clock.now() + 1000
    second = step(ledger, "second", first, run_at=due_at, expires_at=due_at + 60, queue="late")
    end(ledger, "first", BROKEN)
    aging.sync(ledger, 600.0)
    assert resume(ledger) == ["first"]
    clock.advance(10)
    end(ledger, "first")
    job = reads.job(ledger, second)
    assert (job.state, job.ready_at, job.run_at, job.expires_at) == (State.PENDING, None, due_at, due_at + 60)
    assert ledger.row("SELECT count(DISTINCT aging) FROM job WHERE queue = 'late'") == (1,)
    assert ledger.row("SELECT aging > 0 FROM job WHERE id = ?", (second,)) == (1,)
    assert why(ledger, job, ["test"], clock.now())[0].startswith("It is due at")
