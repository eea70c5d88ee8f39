"""Running one claimed job: a pipe of small steps, ending in one transaction.

    prepare -> supervise (child) or call (thread) -> settle

What the job says on the way is collected in a Report; log and progress are written a few times a
second, everything else in the transaction of its end.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError, LedgerError, PayloadError
from jobdesk.core.job import Job
from jobdesk.core.outcome import Failed, Outcome, Snoozed, Stopped, failure
from jobdesk.core.processor import Processor
from jobdesk.flows.templates import finish
from jobdesk.ledger import flows, reads
from jobdesk.ledger.database import Ledger
from jobdesk.runtime import processes
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.isolation import Gone
from jobdesk.runtime.messages import Message, Spec
from jobdesk.runtime.perform import perform
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.report import MOST_ITEMS, Report, TooMuch
from jobdesk.runtime.running import Running, RunningJobs
from jobdesk.runtime.settle import Settler
from jobdesk.runtime.wiring import Wiring

LOOK_EVERY_S = 0.1
"""How often a supervisor looks at the time and at what was asked of its job."""
MEASURE_EVERY_S = 0.5
WRITE_EVERY_S = 0.25
NO_PROCESSOR_SNOOZE_S = 90.0
"""Longer than what a drain waits for: it would wait for ever."""
TROUBLE_SNOOZE_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What every job must keep to. Seconds and bytes; `work` is where working folders of attempts are made."""

    cancel_grace_s: float
    memory_bytes: int
    work: Path


class Executor:
    """Runs claimed jobs; called by worker threads, each of which has its own child in the pool."""

    def __init__(
        self, ledger: Ledger, wiring: Wiring, pool: Pool, running: RunningJobs, limits: Limits, clock: Clock, home: Path
    ) -> None:
        self._ledger = ledger
        self._wiring = wiring
        self._settler = Settler(ledger, wiring, clock)
        self._pool = pool
        self._running = running
        self._limits = limits
        self._clock = clock
        self._home = home

    def run(self, job: Job) -> None:
        """Run a claimed job to its end, whatever that is; never raises for what the job does."""
        entry, report = self._running.add(job), Report(token=f"{job.id}-{job.fence}")
        try:
            try:
                outcome = self._attempt(entry, report)
            except Exception as error:  # the desk's own trouble (disk, memory, ledger) must not cost the job an attempt
                logging.getLogger("jobdesk").exception("cannot run %s now", job.id)
                outcome = Snoozed(TROUBLE_SNOOZE_S, f"the desk could not run it: {error}")
            if (workdir := self._workdir(job)).exists():
                shutil.rmtree(workdir, ignore_errors=True)
            self._settler.settle(entry, report, outcome)
        finally:
            self._running.remove(entry)

    def _attempt(self, entry: Running, report: Report) -> Outcome:
        job = entry.job
        if job.ready_at is None and (early_s := job.run_at - self._clock.now()) > 0:  # see `follow._revive`
            return Snoozed(early_s, "its time has not come")
        found = self._wiring.find(job.type)
        if found is None:
            return Snoozed(NO_PROCESSOR_SNOOZE_S, f"no processor has the job type '{job.type}'")
        processor, module, file = found
        try:
            data = self._data(job)
        except PayloadError as error:
            return Failed(failure("Unresolved", f"step '{job.step}': {error}", retryable=False))
        spec = self._spec(job, data, module, file)
        if processor.isolation == "thread":
            return self._call(processor, spec, entry, report)
        return self._supervise(spec, entry, report)

    def _workdir(self, job: Job) -> Path:
        return self._limits.work / f"{job.id}-{job.fence}"

    # ── prepare ──

    def _data(self, job: Job) -> Mapping[str, Any]:
        """Its payload, with the results of earlier steps put in where it asks for them."""
        bindings = flows.bindings(self._ledger, job.seq) if job.flow else []
        if not bindings or job.flow is None:
            return job.data
        return finish(job.data, bindings, {"steps": flows.steps(self._ledger, job.flow)})

    def _spec(self, job: Job, data: Mapping[str, Any], module: str, file: str | None) -> Spec:
        permanent, retry_on = self._wiring.retry_rules(job.type)
        return Spec(
            token=f"{job.id}-{job.fence}",
            job=job.id,
            type=job.type,
            queue=job.queue,
            user=job.user,
            flow=job.flow,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            home=str(self._home),
            work=str(self._workdir(job)),
            settings=self._wiring.settings(job.type),
            results=reads.flow_results(self._ledger, job.flow) if job.flow else {},
            data=data,
            timeout_s=job.timeout_s or 0.0,
            memory_limit=self._limits.memory_bytes,
            module=module,
            file=file,
            permanent=permanent,
            retry_on=retry_on,
        )

    # ── in the worker's own thread ──

    def _call(self, processor: Processor, spec: Spec, entry: Running, report: Report) -> Outcome:
        def cancelled() -> str | None:
            return entry.why or "stopped" if entry.wish else None

        def take(message: Message) -> None:
            report.take(message)
            self._store_urgent(entry.job, report)

        context = JobContext(spec, take, cancelled)
        return perform(processor, context, spec)

    # ── in a child ──

    def _supervise(self, spec: Spec, entry: Running, report: Report) -> Outcome:
        child = self._pool.child()
        began = self._clock.monotonic()
        measured = written = began
        answered = 0
        try:
            child.run(spec)
            entry.tell = lambda why: child.cancel(spec["token"], why)
            if entry.wish == "cancel":
                child.cancel(spec["token"], entry.why)
            while report.outcome is None:
                child.receive(LOOK_EVERY_S, report.take)
                for _ in range(report.asked - answered):
                    self._store_urgent(entry.job, report)
                    child.send({"stored": True, "of": report.token})
                answered = report.asked
                now = self._clock.monotonic()
                if report.outcome is None and (verdict := self._verdict(entry, spec, report, now - began, now)):
                    self._pool.discard()
                    return verdict
                if now - measured >= MEASURE_EVERY_S:
                    measured = now
                    report.max_rss_bytes = max(report.max_rss_bytes, processes.memory(child.pid) or 0)
                if now - written >= WRITE_EVERY_S and (report.lines or report.progress):
                    written = now
                    self._write_down(entry.job, report)
        except Gone as gone:
            self._pool.discard()
            if entry.wish == "cancel":
                return Stopped(entry.why)
            return report.outcome or Failed(failure("WorkerCrashed", gone.how))
        except TooMuch:
            self._pool.discard()
            text = f"it left more than {MOST_ITEMS:,} children, assets and artifacts: let it leave a list in a file"
            return Failed(failure("TooMuch", text, retryable=False))
        except BaseException:  # a child in the middle of a job must not get the next one
            self._pool.discard()
            raise
        self._pool.give_back()
        return report.outcome

    def _verdict(self, entry: Running, spec: Spec, report: Report, ran_s: float, now: float) -> Outcome | None:
        """Whether the job must be killed now, and how that counts."""
        if entry.wish == "release":
            return Snoozed(0, entry.why)
        if entry.wish == "cancel" and now - entry.wished_at >= self._limits.cancel_grace_s:
            return Stopped(entry.why)
        if ran_s >= spec["timeout_s"]:
            return Failed(failure("Timeout", f"it ran longer than its timeout of {spec['timeout_s']:g} s"))
        if report.max_rss_bytes > self._limits.memory_bytes:
            limit = self._limits.memory_bytes / 1e9
            return Failed(failure("MemoryLimit", f"it and what it started held more than {limit:.1f} GB of memory"))
        return None

    def _store_urgent(self, job: Job, report: Report) -> None:
        """Store the children that are wanted now; what the ledger cannot take yet is stored when the job ends."""
        if not report.urgent:
            return
        try:
            with self._ledger.write() as tx:
                self._settler.store_urgent(tx, job, report)
            report.urgent.clear()
        except LedgerError as error:
            logging.getLogger("jobdesk").warning("cannot store the children of %s yet: %s", job.id, error)
        except JobdeskError as error:
            report.refused, report.urgent = error, []

    def _write_down(self, job: Job, report: Report) -> None:
        """Write log and progress so far; a full disk delays the words of a job, not its work."""
        try:
            with self._ledger.write() as tx:
                report.write_words(tx, job)
            report.forget_words()
        except JobdeskError as error:
            logging.getLogger("jobdesk").warning("cannot write what %s says: %s", job.id, error)
