"""Jobs that jobs add: stored at once and only once, with all that a submission may say."""

from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk.core.retry import RetryPolicy
from jobdesk.ledger import reads
from tests.support.home import lines, until


def test_children_wanted_now_are_there_while_their_parent_runs_and_only_once(desk: Desk, tmp_path: Path) -> None:
    parent = desk.submit("spawns", {"folder": str(tmp_path)})
    until(lambda: lines(tmp_path / "trace"))
    first, second = lines(tmp_path / "trace")[0].split()
    assert desk.wait(second, timeout="20s").result == "second"
    assert desk.job(parent.id).state is State.PROCESSING, "it is held until its children have ended"
    (tmp_path / "go").touch()
    done = desk.wait(parent.id, timeout="30s")
    assert (done.state, done.attempt, done.result) == (State.COMPLETED, 3, [first, second])
    assert len(lines(tmp_path / "trace")) == 3
    family = reads.flow_jobs(desk.ledger, str(done.flow))
    assert [job.id for job in family] == [parent.id, first, second]
    assert all(job.attempt == 1 for job in family[1:])


def test_a_thread_may_add_children_now_and_one_that_does_not_fit_fails_its_parent(desk: Desk, tmp_path: Path) -> None:
    parent = desk.wait(desk.submit("spawns_in_thread").id, timeout="20s")
    assert desk.wait(parent.result, timeout="20s").result == "from a thread"
    (tmp_path / "go").touch()
    bad = desk.wait(desk.submit("spawns", {"folder": str(tmp_path), "bad": True}).id, timeout="30s")
    assert bad.error is not None and bad.error.type == "BadChild" and "'texd'" in bad.error.message


def test_steps_and_children_say_all_that_a_submission_may(desk: Desk) -> None:
    (step,) = desk.start_flow("limited", {"account": 7}).jobs
    assert (step.concurrency_key, step.state) == ("account 7", State.SCHEDULED)
    assert step.expires_at is not None and step.expires_at - step.created_at == pytest.approx(3 * 3600, abs=5)
    policy = desk.ledger.row("SELECT retry FROM job WHERE id = ?", (step.id,))
    assert policy is not None
    kept = RetryPolicy.from_text(policy[0])
    assert (kept.factor, kept.max_delay_s, kept.jitter) == (3, 60, 0.5)
    asked = desk.wait(desk.submit("asks").id, timeout="20s")
    child = desk.job(asked.result)
    assert (child.max_attempts, child.timeout_s, child.unique, child.priority) == (8, 9, "k", 25)
    assert child.concurrency_key == "c" and child.run_at - child.created_at == pytest.approx(3600, abs=5)
    for wrong, says in [("retriess", "is not an option, did you mean 'retries'"), ("after", "must be a list")]:
        ended = desk.wait(desk.submit("asks", {"wrong": wrong}, retries=0).id, timeout="20s")
        assert ended.error is not None and says in ended.error.message


def test_a_delay_is_waited_out_although_the_parent_failed_and_was_retried(desk: Desk, tmp_path: Path) -> None:
    source = tmp_path / "cat.txt"
    source.write_text("meow")
    (tmp_path / "broken").touch()
    parent = desk.submit("thumb", {"source": str(source), "size": 1}, hold=True)
    late = desk.submit("mourns", {"text": "x"}, after=[parent.id], delay="2s")
    desk.release(parent.id)  # now that the other comes after it
    desk.wait(late.id, timeout="20s")
    assert desk.job(late.id).state is State.CANCELLED
    (tmp_path / "broken").unlink()
    desk.retry(parent.id)
    desk.wait(parent.id, timeout="20s")
    done = desk.wait(late.id, timeout="20s")
    assert done.state is State.COMPLETED and done.started_at is not None and done.started_at >= late.run_at
