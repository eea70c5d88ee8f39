"""Any order of calls, deaths, hands and clocks: a breaker lets through no more than it may, and loses no job."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, precondition, rule

from jobdesk.core.breaker import BreakerState, Policy
from jobdesk.core.calling import Called
from jobdesk.core.job import Job, State
from jobdesk.ledger import breakers, claiming, moves, reads, upkeep, waiting
from jobdesk.ledger.moves import Usage
from tests.support.factory import submit
from tests.support.ledger_machine import LedgerMachine

POLICY = Policy(failures=2, minimum_calls=2, open_for_s=10.0, max_open_s=40.0, trials=2)
NEEDS = {"pay": "bank"}


class Breakers(LedgerMachine):
    """Jobs of the type `pay` are known to need the bank, those of `loose` ask for it when they run."""

    @initialize()
    def open(self) -> None:
        self.running: list[Job] = []
        self.calling: list[Job] = []
        self.count = 0

    @property
    def state(self) -> BreakerState:
        found = breakers.find(self.ledger, "bank", self.clock.now())
        return BreakerState.CLOSED if found is None else found.state

    @rule(type_=st.sampled_from(["pay", "loose"]))
    def add(self, type_: str) -> None:
        submit(self.ledger, type=type_, max_attempts=1000)
        self.count += 1

    @rule(count=st.integers(1, 4))
    def take(self, count: int) -> None:
        state = self.state
        with self.ledger.write() as tx:
            upkeep.stage(tx)
            found = claiming.claim_many(tx, [f"con_{n}/1" for n in range(count)], needs=NEEDS)
            jobs = [one.begin(one.worker, tx.now) for one in found]
        if state is BreakerState.OPEN:
            assert {job.type for job in jobs} <= {"loose"}
        for job in jobs:
            kept = breakers.admit(self.ledger, "bank", job)
            assert (kept is None) or state is not BreakerState.CLOSED
            assert kept is None or job.type == "loose", "what the claim let through may call"
            if kept is None:
                assert state is not BreakerState.OPEN
                self.running.append(job)
            else:
                with self.ledger.write() as tx:
                    assert waiting.wait(tx, job, "bank", kept.keeps, Usage())
                assert reads.job(self.ledger, job.id).attempt == job.attempt - 1

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 100), failure=st.sampled_from([None, "HTTP 500"]))
    def end(self, which: int, failure: str | None) -> None:
        job = self.running.pop(which % len(self.running))
        with self.ledger.write() as tx:
            still_down = breakers.report(tx, POLICY, Called("bank", failure), job)
            if still_down:
                assert waiting.wait(tx, job, "bank", "still down", Usage())
            else:
                moves.complete(tx, job, None)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 100))
    def end_without_a_call(self, which: int) -> None:
        job = self.running.pop(which % len(self.running))
        with self.ledger.write() as tx:
            moves.complete(tx, job, None)

    @rule(consumer=st.integers(0, 3))
    def die(self, consumer: int) -> None:
        with self.ledger.write() as tx:
            upkeep.rescue(tx, f"con_{consumer}", "it died", apart={"pay", "loose"})
        self.running = [job for job in self.running if not (job.worker or "").startswith(f"con_{consumer}/")]

    @rule(seconds=st.sampled_from([1.0, 10.0, 40.0, 700.0, -50.0, -5000.0]))
    def time_goes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        waiting.call_due(self.ledger)

    @rule(opened=st.booleans())
    def by_hand(self, opened: bool) -> None:
        with self.ledger.write() as tx:
            if opened:
                breakers.open_(tx, "bank", "by hand")
            else:
                breakers.close(tx, "bank", "by hand")

    @invariant()
    def no_more_try_it_than_may(self) -> None:
        row = self.ledger.row("SELECT count(*) FROM breaker_trial")
        assert row is not None
        if self.state is BreakerState.CLOSED:
            assert row[0] == 0
        with self.ledger.write() as tx:
            assert breakers.room(tx).get("bank", 1) >= 0
        live = self.ledger.row(
            "SELECT count(*) FROM breaker_trial t JOIN job j ON j.seq = t.job AND j.fence = t.fence "
            "WHERE j.state = 'processing'"
        )
        assert live is not None and live[0] <= POLICY.trials

    @invariant()
    def once_it_works_everything_ends(self) -> None:
        """Every job is somewhere from where it comes back by itself."""
        rows = self.ledger.rows("SELECT state, count(*) FROM job GROUP BY state")
        known = {State.PENDING, State.SCHEDULED, State.PROCESSING, State.COMPLETED}
        assert {State(state) for state, _ in rows} <= known and sum(n for _, n in rows) == self.count
        if self.state is BreakerState.CLOSED and self.clock.now() >= 1_800_000_000:
            waiting.call_due(self.ledger)
            late = self.ledger.row(
                "SELECT count(*) FROM job WHERE state = 'scheduled' AND run_at > ?", (self.clock.now(),)
            )
            assert late == (0,)


TestBreakers = Breakers.TestCase
TestBreakers.settings = settings(max_examples=20, stateful_step_count=30, suppress_health_check=list(HealthCheck))
