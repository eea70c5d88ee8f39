"""Writing how an attempt ended, with all that it left, in one transaction."""

import logging
import threading

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError, LedgerError
from jobdesk.core.job import Job, NewJob
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, Stopped, failure
from jobdesk.ledger import flows, follow, moves, reports, upkeep
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.runtime.report import Report
from jobdesk.runtime.running import Running
from jobdesk.runtime.wiring import Wiring

TRY_AGAIN_S = 1.0


class Settler:
    """Turns an outcome into the move that ends the claim."""

    def __init__(self, ledger: Ledger, wiring: Wiring, clock: Clock) -> None:
        self._ledger = ledger
        self._wiring = wiring
        self._clock = clock

    def settle(self, entry: Running, report: Report, outcome: Outcome) -> None:
        """Write the end; while the ledger cannot be written it tries again, so that finished work is not redone."""
        if report.refused is not None and isinstance(outcome, Completed):
            outcome = _cannot_be_kept(report.refused)
        pause = threading.Event()
        while True:
            try:
                self._write(entry, report, outcome)
                return
            except LedgerError as error:
                logging.getLogger("jobdesk").error("cannot write the end of %s, trying again: %s", entry.job.id, error)
                if entry.wish == "release":
                    return  # stopping: the engine gives back what is still claimed, or the next start does
                self._clock.wait(pause, TRY_AGAIN_S)
            except Exception as error:  # the job said something that cannot be stored: keep its end, without it
                logging.getLogger("jobdesk").exception("cannot store the end of %s as it is", entry.job.id)
                report, outcome = Report(), _cannot_be_kept(error)

    def _write(self, entry: Running, report: Report, outcome: Outcome) -> None:
        job = entry.job
        children = [self._wiring.prepare_child(job, wanted) for wanted in report.children] if _done(outcome) else []
        hook = self._wiring.prepare_child(job, report.on_failure) if report.on_failure else None
        with self._ledger.write() as tx:
            held = moves.holds(tx, job)
            if held is None:
                return  # rescued meanwhile: what it did is somebody else's to do again
            if held.cancelled and not _done(outcome):
                outcome = Stopped(entry.why or "cancelled while it ran")
            report.write_words(tx, job)
            reports.artifacts(tx, job, report.artifacts)
            if report.urgent:
                self.store_urgent(tx, job, report)
            if children or hook:
                flow = follow.join_flow(tx, job)
                if hook:
                    follow.set_on_failure(tx, flow, hook)
            self._move(tx, entry, report, outcome, children, held.cancelled)

    def store_urgent(self, tx: Tx, job: Job, report: Report) -> None:
        """Store the children that are wanted at once, but for those that an earlier attempt has stored.

        Raises:
            UsageError, NotFound, Refused: one cannot be stored.
        """
        if moves.holds(tx, job) is not None:
            new = [wanted for wanted in report.urgent if not follow.is_stored(tx, wanted["id"])]
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
                for record in report.assets:
                    reports.asset(tx, job, record)
                self._store(tx, children)
                moves.complete(tx, job, result, report.usage)
            case Failed(error, delay_s, result):
                wait_s = _retry_wait(tx, job) if delay_s is None else delay_s
                moves.fail(tx, job, error, wait_s, report.usage, result)
            case Stopped(why) if cancelled:
                moves.stop(tx, job, why, report.usage)
            case Snoozed() | Stopped() if entry.wish == "release":
                moves.release(tx, job, entry.why)
            case Snoozed(delay_s, why):
                moves.snooze(tx, job, delay_s, why, report.usage)
            case Stopped():  # its own checkpoint found the time up
                text = f"it ran longer than its timeout of {job.timeout_s:g} s"
                moves.fail(tx, job, failure("Timeout", text), _retry_wait(tx, job), report.usage)


def _done(outcome: Outcome) -> bool:
    return isinstance(outcome, Completed)


def _retry_wait(tx: Tx, job: Job) -> float:
    return upkeep.retry_policy(tx, job.seq).after(job.attempt)


def _cannot_be_kept(error: Exception) -> Failed:
    """The job's own code submitted children or assets that cannot be stored."""
    said = str(error) if isinstance(error, JobdeskError) else f"{type(error).__name__}: {error}"
    return Failed(failure("BadChild", f"what it submitted or recorded cannot be stored: {said}", retryable=False))
