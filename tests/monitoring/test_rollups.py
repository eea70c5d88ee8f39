"""Whatever ended, was run again, removed or folded, and when: metrics say what a count of every single end says."""

import tempfile
import threading
from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jobdesk.core.errors import Refused
from jobdesk.core.job import Job, JobError
from jobdesk.ledger import claiming, folding, moves, prune, upkeep
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.finishing import Completion, complete_many
from jobdesk.ledger.moves import Usage
from jobdesk.ledger.spans import ACCURACY, LEAST_S
from jobdesk.monitoring.metrics import metrics
from jobdesk.runtime.summarizer import ENOUGH, Summarizer
from tests.support.clock import FakeClock
from tests.support.factory import claim, operate, submit

SPANS = st.sampled_from([0.0, 0.003, 0.4, 7.0, 61.0, 3700.0])
QUEUES, TYPES = ("a", "b"), ("x", "y")


class Ends(RuleBasedStateMachine):
    """Keeps its own list of what ended, in plain numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(1_800_000_123.0)
        self.ledger = Ledger(Path(self.folder.name) / "jobdesk.db", self.clock)
        self.ends: list[dict[str, Any]] = []
        self.running: list[Job] = []
        self.ready: dict[int, float] = {}

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    def ended(self, seq: int, state: str, job: Job | None = None, error: str | None = None, **used: Any) -> None:
        row = self.ledger.row("SELECT queue, type, created_at FROM job WHERE seq = ?", (seq,))
        assert row is not None
        queue, type_, created_at = row
        now = self.clock.now()
        self.ends.append(
            {
                "at": now, "state": state, "queue": queue, "type": type_, "error": error,
                "worker": None if job is None else job.worker,
                "again": job is not None and job.attempt > 1,
                "waited": None if job is None else job.started_at - self.ready[seq],  # type: ignore[operator]
                "took": None if job is None or state == "cancelled" else now - job.started_at,  # type: ignore[operator]
                "total": None if state == "cancelled" else now - created_at,
                "cpu": used.get("cpu_ms"),
            }
        )  # fmt: skip

    @rule(queue=st.sampled_from(QUEUES), type_=st.sampled_from(TYPES), ttl=st.sampled_from([None, 50.0]))
    def store(self, queue: str, type_: str, ttl: float | None) -> None:
        expires_at = None if ttl is None else self.clock.now() + ttl
        id_ = submit(self.ledger, queue=queue, type=type_, expires_at=expires_at)
        self.ready[self.seq(id_)] = self.clock.now()

    @rule(worker=st.sampled_from(["con_a/1", "con_a/2"]))
    def start(self, worker: str) -> None:
        with self.ledger.write() as tx:
            job = claiming.claim(tx, worker)
        if job is not None:
            self.running.append(job)

    @rule(span_s=SPANS)
    def pass_time(self, span_s: float) -> None:
        self.clock.advance(span_s)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), how=st.sampled_from(["complete", "many", "fail", "retry", "stop", "release", "snooze"]))
    def end(self, data: st.DataObject, how: str) -> None:
        job = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        now, seq = self.clock.now(), job.seq
        error = JobError("Timeout" if seq % 2 else "Broken", "no", None, "t", retryable=how == "retry")
        with self.ledger.write() as tx:
            if how == "complete":
                assert moves.complete(tx, job, None, Usage(7, 100))
            elif how == "many":
                complete_many(tx, [Completion(job, "null", now, 9, 50)])
            elif how in ("fail", "retry"):
                assert moves.fail(tx, job, error, 0.0 if how == "retry" else None, Usage(3, 10))
            elif how == "stop":
                assert moves.stop(tx, job, "no", Usage(5, 5))
            elif how == "release":
                assert moves.release(tx, job, "stopping")
                self.ready[seq] = now
            else:
                assert moves.snooze(tx, job, 0.0, "later")
        if how in ("complete", "many"):
            self.ended(seq, "completed", job, cpu_ms=7 if how == "complete" else 9)
        elif how == "fail" or (how == "retry" and job.attempt >= job.max_attempts):
            self.ended(seq, "failed", job, error.type, cpu_ms=3)
        elif how == "stop":
            self.ended(seq, "cancelled", job)

    @rule()
    def stage(self) -> None:
        with self.ledger.write() as tx:
            due = tx.rows("SELECT seq FROM job WHERE state IN ('scheduled', 'retrying') AND run_at <= ?", (tx.now,))
            upkeep.stage(tx)
        self.ready |= {seq: self.clock.now() for (seq,) in due}

    @rule()
    def expire(self) -> None:
        late = self.ledger.rows(
            "SELECT seq FROM job WHERE expires_at <= ? AND state IN ('pending', 'scheduled', 'retrying')",
            (self.clock.now(),),
        )
        with self.ledger.write() as tx:
            upkeep.expire(tx)
        for (seq,) in late:
            self.forgiving(seq, "expired", "Expired")

    @rule(data=st.data(), how=st.sampled_from(["cancel", "retry", "delete", "prune"]))
    def change(self, data: st.DataObject, how: str) -> None:
        rows = self.ledger.rows("SELECT seq, id, state, queue, finished_at FROM job WHERE state <> 'processing'")
        if not rows:
            return
        seq, id_, state, queue, finished_at = data.draw(st.sampled_from(rows))
        try:
            if how == "prune":
                if finished_at is not None:
                    with self.ledger.write() as tx:
                        assert prune.remove(tx, [prune.Ended(seq, queue, state, finished_at)]) == 1
                return
            if finished_at is None and how in ("cancel", "delete"):
                self.forgiving(seq, "cancelled", None)
            with self.ledger.write() as tx:
                operate(tx, how, id_)
            if how == "retry":
                self.ready[seq] = self.clock.now()
        except Refused:
            assert finished_at is None or how == "cancel"

    def forgiving(self, seq: int, state: str, error: str | None) -> None:
        """An end without running; it waited for its last start, if it is not ready anew since."""
        row = self.ledger.row("SELECT started_at, ready_at, attempt FROM job WHERE seq = ?", (seq,))
        assert row is not None
        self.ended(seq, state, None, error)
        self.ends[-1]["again"] = row[2] > 1
        if row[0] is not None and row[1] is not None and row[0] >= row[1]:
            self.ends[-1]["waited"] = row[0] - row[1]

    @rule(most=st.sampled_from([1, 3, 1000]))
    def fold(self, most: int) -> None:
        folding.fold(self.ledger, most)

    @rule()
    def forget(self) -> None:
        folding.forget(self.ledger, self.clock.now())

    @invariant()
    def metrics_are_those_of_the_list(self) -> None:
        wanted: list[tuple[int, dict[str, Any]]] = [(1, {}), (30, {"queue": "a"}), (24 * 30, {"type": "x"})]
        for hours, only in wanted:
            check(metrics(self.ledger, hours=hours, now=self.clock.now(), **only), self.ends, **only)

    def seq(self, id_: str) -> int:
        row = self.ledger.row("SELECT seq FROM job WHERE id = ?", (id_,))
        assert row is not None
        return int(row[0])


def check(found: dict[str, Any], ends: list[dict[str, Any]], **only: str) -> None:
    from datetime import datetime

    since = datetime.fromisoformat(found["since"]).timestamp()
    ours = [end for end in ends if end["at"] >= since and all(end[name] == value for name, value in only.items())]
    states = Counter(end["state"] for end in ours)
    assert found["window"] == {"ended": len(ours)} | {
        state: states[state] for state in ("completed", "failed", "cancelled", "expired")
    }
    assert found["errors"] == Counter(end["error"] for end in ours if end["error"])
    if ours:
        assert found["retryRate"] == round(100 * sum(end["again"] for end in ours) / len(ours), 2)
    assert found["cpu"]["total"] == sum(end["cpu"] or 0 for end in ours)
    for name in ("queue", "type"):
        assert {key: one["ended"] for key, one in found[f"{name}s"].items()} == Counter(end[name] for end in ours)
        for key, one in found[f"{name}s"].items():
            check_times(one, [end for end in ours if end[name] == key])
    check_times(found, ours)
    ran = [end for end in ours if end["state"] in ("completed", "failed") and end["worker"] is not None]
    assert found["workers"].keys() == {end["worker"] for end in ran}
    for name, one in found["workers"].items():
        its = [end for end in ran if end["worker"] == name]
        assert (one["completed"], one["failed"]) == tuple(
            sum(end["state"] == state for end in its) for state in ("completed", "failed")
        )
        check_times(one, its)


def check_times(found: dict[str, Any], ends: list[dict[str, Any]]) -> None:
    """Averages to the millisecond, percentiles to the accuracy that is promised."""
    for name, average, percentiles in (
        ("waited", "averageQueueTime", "queueTime"),
        ("took", "averageProcessingTime", "processingTime"),
        ("total", "averageTotalTime", "totalTime"),
    ):
        spans = sorted(end[name] for end in ends if end[name] is not None)
        assert found[average] == pytest.approx(1000 * sum(spans) / len(spans) if spans else 0, abs=1)
        for percent in (50, 95, 99):
            exact = spans[ceil(len(spans) * percent / 100) - 1] if spans else 0.0
            least = 1 + 1000 * LEAST_S
            assert found[percentiles][f"p{percent}"] == pytest.approx(1000 * exact, rel=ACCURACY * 1.01, abs=least)


def fail(ledger: Ledger) -> str:
    job = claim(ledger)
    with ledger.write() as tx:
        assert moves.fail(tx, job, JobError("E", "no"), None)
    return job.id


@pytest.mark.parametrize("folded", [0, 1, 2])
def test_a_job_that_was_run_again_ended_twice_and_one_that_is_gone_once(
    ledger: Ledger, clock: FakeClock, folded: int
) -> None:
    submit(ledger)
    id_ = fail(ledger)
    if folded == 1:
        folding.fold(ledger, 1000)
    with ledger.write() as tx:
        moves.retry(tx, id_)
    fail(ledger)
    if folded == 2:
        folding.fold(ledger, 1000)
    with ledger.write() as tx:
        moves.delete(tx, id_)
    for _ in range(2):
        found = metrics(ledger, now=clock.now())
        assert (found["window"]["ended"], found["window"]["failed"], found["errors"]) == (2, 2, {"E": 2})
        folding.fold(ledger, 1000)
    assert ledger.row("SELECT count(*) FROM unfolded") == (0,)


def test_two_that_fold_at_once_count_nothing_twice(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(50):
        submit(ledger)
        fail(ledger)
    threads = [threading.Thread(target=lambda: [folding.fold(ledger, 7) for _ in range(40)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert metrics(ledger, now=clock.now())["window"]["failed"] == 50
    assert metrics(ledger, now=clock.now())["window"]["failed"] == 50


def test_the_summarizer_rests_until_enough_has_ended_or_its_time_has_come(ledger: Ledger, clock: FakeClock) -> None:
    summarizer = Summarizer(ledger, clock)
    submit(ledger)
    fail(ledger)
    steps = list(iter(summarizer.run_once, None))  # ends when there is nothing left to do
    assert ledger.row("SELECT sum(failed) FROM rollup WHERE grain = 60") == (1,)
    assert steps == [] and not folding.fold(ledger, 1).more
    before = ledger.row("SELECT total_changes()")
    assert summarizer.run_once() is None and summarizer.interval_s >= 10
    assert ledger.row("SELECT total_changes()") == before
    summarizer.ended(ENOUGH - 1)
    assert not summarizer._wake.is_set()
    summarizer.ended(1)
    assert summarizer._wake.is_set()


def test_minutes_are_forgotten_and_their_hours_and_days_have_them(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger)
    fail(ledger)
    folding.fold(ledger, 1000)
    for days, grains in ((1, {60, 3600, 86400}), (4, {3600, 86400}), (90, {86400})):
        clock.advance(86400 * days)
        while folding.forget(ledger, clock.now()).more:
            pass
        assert {grain for (grain,) in ledger.rows("SELECT DISTINCT grain FROM rollup")} == grains
        assert metrics(ledger, hours=24 * 100, now=clock.now())["window"]["failed"] == 1


TestEnds = Ends.TestCase
TestEnds.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
