"""Writing how attempts ended, with all that they left, in the writer's transaction."""

import logging
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobdesk.core.errors import JobdeskError, LedgerError
from jobdesk.core.job import Job, NewJob
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, Stopped, failure
from jobdesk.core.text import to_json
from jobdesk.ledger import breakers, claiming, finishing, flows, follow, moves, reports, upkeep, waiting
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.runtime.report import Report
from jobdesk.runtime.running import Running, said_of
from jobdesk.runtime.wiring import Wiring

CRASHED = "WorkerCrashed"
"""The error of a job whose child died under it."""
MOST_WORDS = 500


@dataclass(slots=True)
class Ending:
    """How an attempt ended; `at` is epoch seconds."""

    job: Job
    entry: Running
    report: Report
    outcome: Outcome
    at: float


class Settler:
    """Turns outcomes into the moves that end claims."""

    def __init__(self, ledger: Ledger, wiring: Wiring) -> None:
        self._ledger = ledger
        self._wiring = wiring

    def settle(self, tx: Tx, endings: Sequence[Ending], unwritten: Collection[int]) -> None:
        """Write how attempts ended. What one of them left that cannot be stored spoils none but itself.

        Args:
            unwritten: seqs of jobs of which the ledger does not know yet that they have begun.
        """
        plain: list[finishing.Completion] = []
        others: list[Ending] = []
        for ending in endings:
            done = _completion(ending, unwritten)
            if done is None:
                others.append(ending)
            else:
                plain.append(done)
        try:
            self._complete(tx, plain)
        except (LedgerError, sqlite3.OperationalError):
            raise
        except Exception:  # one of them says what cannot be stored: each by itself
            others = list(endings)
        held = claiming.held(tx, [ending.job for ending in others]) if others else {}
        for ending in others:
            if ending.job.seq not in held:
                continue  # rescued meanwhile
            if ending.job.seq in unwritten:
                claiming.began(tx, [ending.job])
            try:
                with tx.nested():
                    self._write(tx, ending, ending.report, _checked(ending), held[ending.job.seq])
            except (LedgerError, sqlite3.OperationalError):
                raise
            except Exception as error:  # the job said something that cannot be stored: keep its end, without it
                logging.getLogger("jobdesk").exception(
                    "cannot store the end of %s as it is", ending.job.id, extra=said_of(ending.job)
                )
                self._write(tx, ending, Report(), _cannot_be_kept(error), held[ending.job.seq])

    def _complete(self, tx: Tx, done: Sequence[finishing.Completion]) -> None:
        try:
            with tx.nested():
                finishing.complete_many(tx, done)
        except finishing.Lost:  # seldom, so that it is only looked for where it has happened
            held = claiming.held(tx, [one.job for one in done])
            finishing.complete_many(tx, [one for one in done if one.job.seq in held])

    def _write(self, tx: Tx, ending: Ending, report: Report, outcome: Outcome, cancelled: bool) -> None:
        entry, job = ending.entry, ending.job
        children = (
            [self._wiring.prepare_child(job, wanted) for wanted in report.left.children] if _done(outcome) else []
        )
        hook = self._wiring.prepare_child(job, report.on_failure) if report.on_failure else None
        if cancelled and not _done(outcome):
            outcome = Stopped(entry.why or "cancelled while it ran")
        self.write_words(tx, job, report)
        if report.still_down is not None and isinstance(outcome, Failed):
            why = f"service {report.still_down} is still down: {outcome.error.message}"
            outcome = Snoozed(waiting.AFTER_OTHERS_S, why[:MOST_WORDS], report.still_down)  # a trial costs no attempt
        reports.artifacts(tx, job, report.left.artifacts)
        if report.left.urgent:
            self.store_urgent(tx, job, report)
        if children or hook:
            flow = follow.join_flow(tx, job)
            if hook:
                found = self._wiring.find(hook.type)
                follow.set_on_failure(tx, flow, hook, found is not None and found[0].takes_failed)
        self._move(tx, entry, report, outcome, children, cancelled)

    def write_words(self, tx: Tx, job: Job, report: Report) -> None:
        """Write what it has said so far and what came of its calls; `report.forget_words` once that is committed."""
        report.write_words(tx, job)
        for called in report.left.calls:
            if breakers.report(tx, self._wiring.policy(called.service), called, job):
                report.still_down = called.service

    def store_urgent(self, tx: Tx, job: Job, report: Report) -> None:
        """Store the children that are wanted at once, but for those that an earlier attempt has stored.

        Raises:
            UsageError, NotFound, Refused: one cannot be stored.
        """
        if claiming.held(tx, [job]):
            new = [wanted for wanted in report.left.urgent if not follow.is_stored(tx, wanted["id"])]
            follow.join_flow(tx, job)
            self._store(tx, [self._wiring.prepare_child(job, wanted) for wanted in new])

    def _store(self, tx: Tx, children: list[NewJob]) -> None:
        stored = set(self._wiring.store(tx, children))
        if children and children[0].flow is not None:
            own = [child.id for child in children if child.id in stored]  # a unique one may be another's
            flows.cancel_latecomers(tx, children[0].flow, own)

    def _move(
        self, tx: Tx, entry: Running, report: Report, outcome: Outcome, children: list[NewJob], cancelled: bool
    ) -> None:
        job = entry.job
        match outcome:
            case Completed(result):
                for record in report.left.assets:
                    reports.asset(tx, job, record)
                self._store(tx, children)
                moves.complete(tx, job, result, report.usage)
            case Failed(error, delay_s, result):
                wait_s = 0.0 if delay_s is None else delay_s
                if delay_s is None and error.retryable:
                    wait_s = _retry_wait(tx, job)
                if error.type != CRASHED:
                    moves.fail(tx, job, error, wait_s, report.usage, result)
                    return
                poison = upkeep.poisonous(tx, job, "crashed", error.message)
                moves.fail(tx, job, poison or error, wait_s, report.usage, outcome="crashed")
            case Stopped(why) if cancelled:
                moves.stop(tx, job, why, report.usage)
            case Snoozed() | Stopped() if entry.wish == "release":
                moves.release(tx, job, entry.why)
            case Snoozed(delay_s, why, str(service)):
                waiting.wait(tx, job, service, why, report.usage, delay_s)
            case Snoozed(delay_s, why):
                moves.snooze(tx, job, delay_s, why, report.usage)
            case Stopped():  # its own checkpoint found the time up
                text = f"it ran longer than its timeout of {job.timeout_s:g} s"
                moves.fail(tx, job, failure("Timeout", text), _retry_wait(tx, job), report.usage)


def _completion(ending: Ending, unwritten: Collection[int]) -> finishing.Completion | None:
    """What to write of a job of which there is nothing to say but that it is done; None if there is more."""
    outcome, report, job = ending.outcome, ending.report, ending.job
    if not isinstance(outcome, Completed) or not report.is_empty or not finishing.fits(job):
        return None
    try:  # a child may have sent anything
        result = "null" if outcome.result is None else to_json(outcome.result)
        cpu_ms = None if report.cpu_ms is None else int(report.cpu_ms)
        memory = int(report.max_rss_bytes) or None
        return finishing.Completion(job, result, ending.at, cpu_ms, memory, job.seq in unwritten)
    except (TypeError, ValueError):
        return None


def _checked(ending: Ending) -> Outcome:
    """The outcome, unless it left something that was refused before."""
    if ending.report.refused is not None and isinstance(ending.outcome, Completed):
        return _cannot_be_kept(ending.report.refused)
    return ending.outcome


def _done(outcome: Outcome) -> bool:
    return isinstance(outcome, Completed)


def _retry_wait(tx: Tx, job: Job) -> float:
    return upkeep.retry_policy(tx, job.seq).after(job.attempt)


def _cannot_be_kept(error: Exception) -> Failed:
    """The job's own code submitted children or assets that cannot be stored."""
    said = str(error) if isinstance(error, JobdeskError) else f"{type(error).__name__}: {error}"
    return Failed(failure("BadChild", f"what it submitted or recorded cannot be stored: {said}", retryable=False))
