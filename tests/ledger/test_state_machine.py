"""Any order of moves keeps the ledger's promises: hypothesis plays operators, workers, time and dead consumers."""

import sqlite3

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import FINAL, IN_FLIGHT, Job, JobError, State
from jobdesk.core.moves import is_legal
from jobdesk.ledger import claiming, flows, follow, holding, moves, queues, storing, upkeep
from jobdesk.ledger.database import Tx
from tests.support.factory import new_job, operate
from tests.support.ledger_model import LOST, Model

QUEUES = ("upload", "mail")
CONSUMERS = ("con_a", "con_b")
BROKEN = JobError("Broken", "it broke", None, "b", retryable=True)


class Moves(Model):
    """What happens: to single jobs, to flows, to consumers, and past the moves."""

    @rule(
        queue=st.sampled_from(QUEUES),
        priority=st.sampled_from([25, 50, 100]),
        delay=st.sampled_from([0, 0, 5]),
        type_=st.sampled_from(["test", "slow"]),
        unique=st.sampled_from([None, None, "one", "two"]),
        key=st.sampled_from([None, "red", "blue"]),
        flow=st.sampled_from([None, "flow_1", "flow_2"]),
        optional=st.booleans(),
        ignores=st.booleans(),
        expires=st.sampled_from([None, None, 10]),
        attempts=st.integers(1, 3),
        data=st.data(),
    )
    def submit(
        self, queue: str, priority: int, delay: int, type_: str, unique: str | None, key: str | None,
        flow: str | None, optional: bool, ignores: bool, expires: int | None, attempts: int, data: st.DataObject,
    ) -> None:  # fmt: skip
        after = data.draw(st.lists(st.sampled_from(sorted(self.seen)), max_size=2)) if self.seen else []
        holder = self.ledger.row("SELECT id FROM job WHERE unique_key = ? AND finished_at IS NULL", (unique,))
        try:
            with self.ledger.write() as tx:
                queues.ensure(tx, queue)
                job = new_job(
                    tx.now, type=type_, concurrency_key=key, queue=queue, priority=priority,
                    run_at=tx.now + delay, unique=unique, flow=flow,
                    optional=optional, max_attempts=attempts, after=after,
                    on_parent_failure="ignore" if ignores else "cancel",
                    expires_at=None if expires is None else tx.now + delay + expires,
                )  # fmt: skip
                (id_,) = storing.submit(tx, [job])
                if flow is not None:
                    follow.set_on_failure(tx, flow, new_job(tx.now, type="TELL", queue="mail", max_attempts=1))
                    self.told.setdefault(flow, 1)
        except Refused:
            assert not ignores and any(self.seen[parent] in LOST for parent in after)
            assert self.state(job.id) is None
            return
        if holder is not None:
            assert id_ == holder[0] and self.state(job.id) is None
            return
        state = self.state(id_)
        good_enough = FINAL if ignores else {State.COMPLETED}
        if any(self.seen[parent] not in good_enough for parent in after):
            assert state is State.BLOCKED
        else:
            assert state is (State.SCHEDULED if delay else State.PENDING)
        self.seen[id_] = State(str(state))

    @rule(consumer=st.sampled_from(CONSUMERS), only=st.sampled_from([None, ["mail"]]))
    def claim(self, consumer: str, only: list[str] | None) -> None:
        open_queues = "SELECT name FROM queue WHERE paused_at IS NULL" + (" AND name = 'mail'" if only else "")
        first_of_key = (  # one whose time to start has passed is first until it is expired
            "(SELECT f.seq FROM job f WHERE f.state = 'pending' AND f.queue = job.queue AND f.type = job.type "
            "AND f.concurrency_key = job.concurrency_key AND NOT f.held ORDER BY f.priority DESC, f.seq LIMIT 1)"
        )
        best = self.ledger.row(
            f"SELECT id FROM job WHERE state = 'pending' AND NOT held AND queue IN ({open_queues}) AND "
            "(expires_at IS NULL OR expires_at > ?1) AND (concurrency_key IS NULL OR concurrency_key NOT IN "
            "(SELECT concurrency_key FROM job WHERE state = 'processing' AND concurrency_key IS NOT NULL) "
            f"AND seq = {first_of_key}) AND (queue <> 'mail' OR ?2) AND (type <> 'slow' OR ?3) "
            "ORDER BY priority DESC, seq LIMIT 1",
            (self.clock.now(), self.may_start("queue", "mail"), self.may_start("type", "slow")),
        )
        with self.ledger.write() as tx:
            job = claiming.claim(tx, f"{consumer}/1", only)
        assert (job and job.id) == (best and best[0])
        if job is not None:
            self.claims.append(job)
            self.starts.append((job.queue, job.type, self.clock.now()))
            self.now_is(job.id, State.PROCESSING)

    @precondition(lambda self: self.claims)
    @rule(how=st.sampled_from(["complete", "fail", "retry", "snooze", "release", "stop"]), data=st.data())
    def finish(self, how: str, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.claims))
        holds = (job.id, job.fence) not in self.over
        before = self.dump()
        with self.ledger.write() as tx:
            done = _finish(tx, job, how)
        assert done == holds
        if not holds:
            assert self.dump() == before, "a late writer changed something"
            return
        self.over.add((job.id, job.fence))
        again = how == "retry" and job.attempt < job.max_attempts
        self.now_is(
            job.id,
            {
                "complete": State.COMPLETED, "fail": State.FAILED,
                "retry": State.RETRYING if again else State.FAILED,
                "snooze": State.SCHEDULED, "release": State.PENDING, "stop": State.CANCELLED,
            }[how],
        )  # fmt: skip

    @precondition(lambda self: self.seen)
    @rule(action=st.sampled_from(["cancel", "retry", "delete"]), data=st.data())
    def operate(self, action: str, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.seen)))
        was, before = self.seen[id_], self.dump()
        flow = self.ledger.row("SELECT flow FROM job WHERE id = ?", (id_,))
        try:
            with self.ledger.write() as tx:
                operate(tx, action, id_)
        except Refused:
            assert self.dump() == before
            if action == "retry" and was in FINAL:
                assert self.ledger.row(
                    "SELECT 1 FROM job a JOIN job b ON a.unique_key = b.unique_key AND a.seq <> b.seq "
                    "WHERE a.id = ?1 AND b.finished_at IS NULL UNION ALL "
                    "SELECT 1 FROM job a JOIN dependency d ON d.job = a.seq JOIN job p ON p.seq = d.parent "
                    "WHERE a.id = ?1 AND p.state <> 'completed' AND NOT (d.ignores AND p.finished_at IS NOT NULL)",
                    (id_,),
                )  # fmt: skip
            else:
                assert (was is State.PROCESSING) if action == "delete" else (was in FINAL) == (action == "cancel")
            return
        if action == "delete":
            assert self.state(id_) is None
            del self.seen[id_]
            self.claims = [job for job in self.claims if job.id != id_]
        elif action == "retry":
            self.now_is(id_, State.PENDING)
            if flow and flow[0]:
                self.told[flow[0]] += 1
        elif was is State.PROCESSING:
            assert self.state(id_) is State.PROCESSING, "a running job is asked to stop, not stopped"
        else:
            self.now_is(id_, State.CANCELLED)

    @rule(flow=st.sampled_from(["flow_1", "flow_2"]), action=st.sampled_from(["cancel", "resume"]))
    def operate_on_a_flow(self, flow: str, action: str) -> None:
        before, lost = self.dump(), self.lost_of(flow)
        running = self.ids("flow = ? AND state = 'processing' AND type <> 'TELL'", flow)
        done = self.ids("flow = ? AND state = 'completed'", flow)
        try:
            with self.ledger.write() as tx:
                retried = flows.resume(tx, flow) if action == "resume" else []
                if action == "cancel":
                    flows.cancel(tx, flow, "by hand")
        except (NotFound, Refused):
            assert self.dump() == before
            return
        assert self.ids("flow = ? AND state = 'completed'", flow) >= done, "what completed ran again"
        if action == "cancel":
            assert self.ids("flow = ? AND finished_at IS NULL AND type <> 'TELL'", flow) == running
        else:
            assert set(retried) <= lost and all(self.state(id_) is State.PENDING for id_ in retried)
            self.told[flow] += 1

    @rule(seconds=st.sampled_from([1, 6, 20]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        with self.ledger.write() as tx:
            expired = upkeep.expire(tx)
            upkeep.stage(tx)
        overdue = "SELECT count(*) FROM job WHERE state IN ('scheduled', 'retrying') AND run_at <= ?"
        assert self.ledger.row(overdue, (self.clock.now(),)) == (0,)
        assert expired <= len(self.seen)

    @rule(consumer=st.sampled_from(CONSUMERS))
    def consumer_dies(self, consumer: str) -> None:
        held = [job for job in self.claims if (job.id, job.fence) not in self.over and job.worker == f"{consumer}/1"]
        with self.ledger.write() as tx:
            assert upkeep.rescue(tx, consumer, "its consumer died") == len(held)
        for job in held:
            self.over.add((job.id, job.fence))
            assert self.state(job.id) in (State.PENDING, State.FAILED, State.CANCELLED)

    @rule(queue=st.sampled_from(QUEUES), pause=st.booleans())
    def operator_pauses(self, queue: str, pause: bool) -> None:
        with self.ledger.write() as tx:
            queues.ensure(tx, queue)
            (queues.pause if pause else queues.resume)(tx, queue, "ada")

    @precondition(lambda self: self.seen)
    @rule(end=st.sampled_from(list(State)), data=st.data())
    def somebody_writes_past_the_moves(self, end: State, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.seen)))
        if end is self.seen[id_] or is_legal(self.seen[id_], end):
            return
        before = self.dump()
        try:
            with self.ledger.write() as tx:
                tx.run("UPDATE job SET state = ? WHERE id = ?", (end, id_))
            raise AssertionError(f"the database let a job go from {self.seen[id_]} to {end}")
        except sqlite3.IntegrityError:
            assert self.dump() == before

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), hold=st.booleans())
    def hold_or_release(self, data: st.DataObject, hold: bool) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.seen)))
        waits = self.seen[id_] in IN_FLIGHT - {State.PROCESSING}
        try:
            with self.ledger.write() as tx:
                (holding.hold if hold else holding.release)(tx, id_, "ada")
        except Refused:
            assert not waits
            return
        assert waits and self.ids("held") >= ({id_} if hold else set())


def _finish(tx: Tx, job: Job, how: str) -> bool:
    if how == "complete":
        return moves.complete(tx, job, {"ok": True})
    if how in ("fail", "retry"):
        return moves.fail(tx, job, BROKEN, 5 if how == "retry" else None)
    if how == "snooze":
        return moves.snooze(tx, job, 5, "not now")
    return moves.release(tx, job, "stopping") if how == "release" else moves.stop(tx, job, "cancelled")


TestMoves = Moves.TestCase
TestMoves.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
