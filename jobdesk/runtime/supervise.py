"""Watching a job that runs in a child: hears what it says, and kills it when its time, its memory or a wish says so."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError, LedgerError
from jobdesk.core.job import Job
from jobdesk.core.outcome import Failed, Outcome, Snoozed, Stopped, failure
from jobdesk.ledger import books, breakers
from jobdesk.ledger.claiming import Claimed
from jobdesk.ledger.database import Ledger
from jobdesk.runtime import processes
from jobdesk.runtime.isolation import ChildProcess, Gone
from jobdesk.runtime.lane import LASTS_S, Lane
from jobdesk.runtime.messages import Spec
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.report import MOST_ITEMS, Report, TooMuch
from jobdesk.runtime.running import Running, said_of
from jobdesk.runtime.settle import CRASHED, Settler

MEASURE_EVERY_S = 0.5
WRITE_EVERY_S = 0.25
END_COMES_S = 1.0
"""The end of a job is on its way when its child has taken the next one; one that tells lies is killed after this."""


class Supervisor:
    """Runs attempts in children of the pool; called by worker threads, each of which has its own child."""

    def __init__(self, ledger: Ledger, settler: Settler, pool: Pool, clock: Clock, *, cancel_grace_s: float) -> None:
        self._ledger = ledger
        self._settler = settler
        self._pool = pool
        self._clock = clock
        self._cancel_grace_s = cancel_grace_s

    def run(
        self,
        spec: Spec,
        entry: Running,
        report: Report,
        lane: Lane,
        more: Callable[[Claimed], Spec] | None = None,
        *,
        again: bool = True,
    ) -> Outcome:
        """Run one attempt to its end; the report fills meanwhile.

        Args:
            lane: of this thread, for what is sent ahead after the job, as `more` makes it.
            again: with another child, if this one dies before it has begun the job.
        """
        child = self._begin(spec)
        try:

            def tell(why: str) -> None:
                if entry.wish == "cancel":
                    child.cancel(spec["token"], why)
                child.wake()

            entry.tell = tell
            entry.say = lambda word: child.say(spec["token"], word)
            if entry.wish is not None:  # before there was anybody to tell
                tell(entry.why)
            if more is not None and self._pool.takes_more(child):
                lane.fill(child, entry.job.type, more)
            outcome = self._watch(child, spec, entry, report, lane)
        except Gone as gone:
            unbegun = child.jobs.never_took()
            self._discard(lane)
            if entry.wish == "cancel":
                return Stopped(entry.why)
            if unbegun and again:
                return self.run(spec, entry, report, lane, again=False)
            return report.outcome or Failed(failure(CRASHED, gone.how))
        except TooMuch:
            self._discard(lane)
            text = f"it left more than {MOST_ITEMS:,} children, assets and artifacts: let it leave a list in a file"
            return Failed(failure("TooMuch", text, retryable=False))
        except BaseException:  # a child in the middle of a job must not get the next one
            self._discard(lane)
            raise
        if report.outcome is None:
            self._discard(lane)
        else:
            self._pool.give_back(self._clock.monotonic(), report.max_rss_bytes)
        return outcome

    def _discard(self, lane: Lane) -> None:
        self._pool.discard()
        lane.give_up()

    def _begin(self, spec: Spec) -> ChildProcess:
        """Give the job to this thread's child, or to another if that has died while it waited."""
        try:
            child = self._pool.child()
            child.run(spec)
        except Gone:
            self._pool.discard()
            child = self._pool.child()
            child.run(spec)
        return child

    def _watch(self, child: ChildProcess, spec: Spec, entry: Running, report: Report, lane: Lane) -> Outcome:
        """Listen until the job has ended, or must be killed: then the report has no outcome.

        It sleeps until the job says something, somebody wishes something, or the next of the moments below.
        """
        now = began = self._clock.monotonic()
        measure_at, write_at = began + MEASURE_EVERY_S, began + WRITE_EVERY_S
        answered, over_at = 0, 0.0
        while True:
            next_at = min(measure_at, began + entry.stood_s(now) + spec["timeout_s"])
            if entry.wish == "cancel":
                next_at = min(next_at, entry.wished_at + self._cancel_grace_s)
            if report.has_words:
                next_at = min(next_at, write_at)
            if not lane.is_empty:
                next_at = now + LASTS_S
            child.receive(next_at - now, report.take)
            for _ in range(report.asked - answered):
                self.store_urgent(entry.job, report)
                child.answer(report.token, None)
            answered = report.asked
            for answer in self.answers(entry.job, report):
                child.answer(report.token, answer)
            if report.outcome is not None:
                return report.outcome
            now = self._clock.monotonic()
            if now >= measure_at:
                measure_at = now + MEASURE_EVERY_S
                report.max_rss_bytes = max(report.max_rss_bytes, processes.memory(child.pid) or 0)
            verdict = self._verdict(entry, spec, report, now - began - entry.stood_s(now), now)
            if not lane.is_empty and (verdict or now >= began + LASTS_S) and not lane.call_back(child) and verdict:
                over_at = over_at or now
                if now < over_at + END_COMES_S:
                    continue
            if verdict:
                return verdict
            if now >= write_at and report.has_words:
                write_at = now + WRITE_EVERY_S
                self._write_down(entry.job, report)

    def _verdict(self, entry: Running, spec: Spec, report: Report, ran_s: float, now: float) -> Outcome | None:
        """Whether the job must be killed now, and how that counts."""
        if entry.wish == "release":
            return Snoozed(0, entry.why)
        if entry.wish == "cancel" and now - entry.wished_at >= self._cancel_grace_s:
            return Stopped(entry.why)
        if ran_s >= spec["timeout_s"]:
            report.no_answer()
            return Failed(failure("Timeout", f"it ran longer than its timeout of {spec['timeout_s']:g} s"))
        if report.max_rss_bytes > spec["memory_limit"]:
            limit = spec["memory_limit"] / 1e9
            return Failed(failure("MemoryLimit", f"it and what it started held more than {limit:.1f} GB of memory"))
        return None

    def store_urgent(self, job: Job, report: Report) -> None:
        """Store the children that are wanted now; what the ledger cannot take yet is stored when the job ends."""
        if not report.left.urgent:
            return
        try:
            with self._ledger.write() as tx:
                self._settler.store_urgent(tx, job, report)
            report.left.urgent.clear()
        except LedgerError as error:
            logging.getLogger("jobdesk").warning(
                "cannot store the children of %s yet: %s", job.id, error, extra=said_of(job)
            )
        except JobdeskError as error:
            report.refused, report.left.urgent = error, []

    def answers(self, job: Job, report: Report) -> list[Any]:
        """Answer what the job has asked: whether it may call a service, what a book says to an entry."""
        if not report.has_left:
            return []
        written = [self._written(job, name, entry) for name, entry in report.left.entries]
        report.left.entries.clear()
        return [*self.admit(job, report), *written]

    def _written(self, job: Job, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"entry": books.write(self._ledger, job, name, entry)}
        except LedgerError as error:
            return {"trouble": str(error)}
        except JobdeskError as error:
            return {"refused": str(error), "reason": type(error).__name__}
        except Exception as error:  # it is the job's own: a child may have sent anything
            return {"refused": f"{name} cannot hold this entry: {error!r}", "reason": "BadEntry"}

    def admit(self, job: Job, report: Report) -> list[str | None]:
        """Answer each service that the job asked for: None, or why it must not call now."""
        answers: list[str | None] = []
        for service in report.left.asks:
            if report.left.calls:
                self._write_down(job, report)  # what came of its last call may decide
            try:
                kept = breakers.admit(self._ledger, service, job)
            except LedgerError as error:  # a ledger that is locked now is no reason not to work
                logging.getLogger("jobdesk").warning("cannot look at the breaker of %s: %s", service, error)
                kept = None
            report.calling = service if kept is None else None
            answers.append(None if kept is None else kept.keeps)
        report.left.asks.clear()
        return answers

    def _write_down(self, job: Job, report: Report) -> None:
        """Write log and progress so far; a full disk delays the words of a job, not its work."""
        try:
            with self._ledger.write(durable=False) as tx:
                self._settler.write_words(tx, job, report)
            report.forget_words()
        except JobdeskError as error:
            logging.getLogger("jobdesk").warning("cannot write what %s says: %s", job.id, error, extra=said_of(job))
