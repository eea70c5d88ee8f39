"""What always holds in a ledger, whatever happens to it: the model behind the state machine of its moves."""

from collections import Counter
from typing import Any

from hypothesis.stateful import initialize, invariant

from jobdesk.core.job import FINAL, IN_FLIGHT, Job, State
from jobdesk.core.moves import MOVES
from jobdesk.core.rate import Rate
from jobdesk.ledger import rates
from tests.support.ledger_machine import LedgerMachine

LIMITS: dict[tuple[rates.Scope, str], Rate] = {("queue", "mail"): Rate(3, 10.0), ("type", "slow"): Rate(1, 5.0)}
LOST = {State.FAILED, State.CANCELLED, State.EXPIRED}


class Model(LedgerMachine):
    """The state of each job as last seen, every claim ever made, and what was deleted."""

    @initialize()
    def open(self) -> None:
        self.seen: dict[str, State] = {}
        self.claims: list[Job] = []
        self.starts: list[tuple[str, str, float]] = []
        """Queue, type and instant of each claim."""
        rates.sync(self.ledger, LIMITS)
        self.over: set[tuple[str, int]] = set()
        """Claims that have ended, by job and fence."""
        self.told: Counter[str] = Counter()
        """How often each flow may have told of a failure."""

    # ── what always holds ──

    @invariant()
    def only_legal_moves_and_no_job_vanishes(self) -> None:
        now = {id_: State(state) for id_, state in self.ledger.rows("SELECT id, state FROM job")}
        assert self.seen.keys() <= now.keys(), "a job vanished"
        for id_, state in now.items():
            was = self.seen.get(id_)
            if was is None:  # added by a flow that failed
                assert state is State.PENDING
            else:
                assert was is state or state in MOVES[was], f"{was} -> {state}"
        self.seen = now

    @invariant()
    def counters_are_right(self) -> None:
        real = self.ledger.rows("SELECT queue, state, count(*) FROM job GROUP BY 1, 2 ORDER BY 1, 2")
        assert self.ledger.rows("SELECT queue, state, n FROM tally WHERE n <> 0 ORDER BY 1, 2") == real
        for flow, total, open_, failed, finished_at in self.ledger.rows(
            "SELECT id, total, open, failed, finished_at FROM flow"
        ):
            rows = self.ledger.rows("SELECT state, optional FROM job WHERE flow = ?", (flow,))
            assert total == len(rows)
            assert open_ == sum(state in IN_FLIGHT for state, _ in rows)
            assert failed == sum(state in LOST and not optional for state, optional in rows)
            assert (finished_at is not None) == (open_ == 0) or not rows

    @invariant()
    def at_most_one_holds_a_job(self) -> None:
        holding = Counter(job.id for job in self.claims if (job.id, job.fence) not in self.over)
        assert all(n == 1 for n in holding.values())
        running = self.ledger.rows("SELECT id FROM job WHERE state = 'processing'")
        assert set(holding) == {id_ for (id_,) in running}
        ended = self.ledger.rows("SELECT j.id, a.fence FROM attempt a JOIN job j ON j.seq = a.job")
        assert set(ended) == {key for key in self.over if self.state(key[0]) is not None}

    @invariant()
    def nobody_waits_for_what_cannot_come(self) -> None:
        for id_, run_at in self.ledger.rows("SELECT id, run_at FROM job WHERE state = 'blocked'"):
            parents = [(State(state), FINAL if ignores else {State.COMPLETED}) for state, ignores in self.ledger.rows(
                "SELECT p.state, d.ignores FROM dependency d JOIN job p ON p.seq = d.parent "
                "WHERE d.job = (SELECT seq FROM job WHERE id = ?)", (id_,),
            )]  # fmt: skip
            assert not any(state in LOST - enough for state, enough in parents), "a job waits for one that ended badly"
            assert any(state not in enough for state, enough in parents) or run_at > self.clock.now() - 20

    @invariant()
    def a_flow_that_failed_told_it_once(self) -> None:
        for flow, failure_job in self.ledger.rows("SELECT id, failure_job FROM flow"):
            made = self.ledger.row(
                "SELECT count(*) FROM event e WHERE e.kind = 'job_created' AND json_extract(e.data, '$.type') = "
                "'TELL' AND e.job IN (SELECT seq FROM job WHERE flow = ?)", (flow,),
            )  # fmt: skip
            assert made is not None and made[0] <= self.told[flow]
            lost = self.ledger.row(
                "SELECT count(*) FROM job WHERE flow = ? AND NOT optional AND "
                "state IN ('failed', 'cancelled', 'expired')",
                (flow,),
            )
            assert lost == (0,) or failure_job is not None or self.told[flow] > 1

    @invariant()
    def no_key_runs_twice_and_lanes_hold_what_is_ready(self) -> None:
        keys = Counter(job.concurrency_key for job in self.claims if (job.id, job.fence) not in self.over)
        assert all(n == 1 for key, n in keys.items() if key)
        ready = self.ledger.rows(
            "SELECT queue, type, count(*) FROM job WHERE state = 'pending' AND NOT parked GROUP BY 1, 2 ORDER BY 1, 2"
        )
        assert self.ledger.rows("SELECT queue, type, ready FROM lane WHERE ready <> 0 ORDER BY 1, 2") == ready
        parked = self.ledger.rows(
            "SELECT id FROM job p WHERE state = 'pending' AND parked AND NOT held AND NOT EXISTS (SELECT 1 FROM job o "
            "WHERE o.concurrency_key = p.concurrency_key AND (o.state = 'processing' "
            "OR o.state = 'pending' AND NOT o.parked AND o.queue = p.queue AND o.type = p.type))"
        )
        assert not parked, "a job waits for a key that nobody has"
        assert not self.ids("held AND state = 'pending' AND parked <> 2 OR NOT held AND parked = 2")

    # ── how it looks ──

    def may_start(self, scope: rates.Scope, name: str) -> bool:
        limit = LIMITS[scope, name]
        lately = [at for queue, type_, at in self.starts if name == (queue if scope == "queue" else type_)
                  and at > self.clock.now() - limit.span_s]  # fmt: skip
        return len(lately) < limit.most

    def state(self, id_: str) -> State | None:
        row = self.ledger.row("SELECT state FROM job WHERE id = ?", (id_,))
        return None if row is None else State(row[0])

    def now_is(self, id_: str, state: State) -> None:
        assert self.state(id_) is state

    def ids(self, where: str, *values: Any) -> set[str]:
        return {id_ for (id_,) in self.ledger.rows(f"SELECT id FROM job WHERE {where}", values)}

    def lost_of(self, flow: str) -> set[str]:
        return self.ids("flow = ? AND state IN ('failed', 'cancelled', 'expired')", flow)

    def dump(self) -> list[Any]:
        return [self.ledger.rows(f"SELECT * FROM {table}") for table in ("job", "attempt", "event", "flow", "tally")]
