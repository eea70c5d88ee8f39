"""Running one claimed job: a pipe of small steps, ending in one transaction.

    prepare -> supervise (child) or call (thread) -> the end, which the writer settles

What the job says on the way is collected in a Report; log and progress are written a few times a
second, everything else in the transaction of its end.
"""

import logging
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobdesk.core.clock import Clock
from jobdesk.core.errors import PayloadError
from jobdesk.core.job import Job
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, failure
from jobdesk.core.processor import Processor
from jobdesk.flows.templates import finish
from jobdesk.ledger import breakers, flows, reads
from jobdesk.ledger.claiming import Claimed
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.lane import Lane, Ready
from jobdesk.runtime.messages import Message, Spec
from jobdesk.runtime.perform import perform
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.report import Report
from jobdesk.runtime.running import Running, RunningJobs, said_of
from jobdesk.runtime.settle import Ending, Settler
from jobdesk.runtime.supervise import Supervisor
from jobdesk.runtime.wiring import Wiring

NO_PROCESSOR_SNOOZE_S = 90.0
"""Longer than what a drain waits for: it would wait for ever."""
TROUBLE_SNOOZE_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What every job must keep to. Seconds and bytes.

    `log_bytes` of its log are kept; in `work` the working folders of attempts are made.
    """

    cancel_grace_s: float
    log_bytes: int
    work: Path


class Executor:
    """Runs claimed jobs; called by worker threads, each of which has its own child in the pool."""

    def __init__(
        self,
        ledger: Ledger,
        wiring: Wiring,
        pool: Pool,
        running: RunningJobs,
        limits: Limits,
        clock: Clock,
        home: Path,
        settler: Settler,
        ready: Ready,
        begin: Callable[[Claimed, str], Job],
        end: Callable[[Ending], None],
    ) -> None:
        """`begin` is told of each job of `ready` that a worker begins, `end` is given how each attempt ended."""
        self._ledger = ledger
        self._wiring = wiring
        self._ready = ready
        self._begin = begin
        self._end = end
        self._own = threading.local()
        self._supervisor = Supervisor(ledger, settler, pool, clock, cancel_grace_s=limits.cancel_grace_s)
        self._running = running
        self._limits = limits
        self._work = str(limits.work)
        self._clock = clock
        self._home = str(home)

    def run(self, job: Job) -> None:
        """Run a job that has begun to its end, whatever that is, and those that were sent ahead meanwhile.

        Never raises for what a job does.
        """
        lane: Lane | None = getattr(self._own, "lane", None)
        if lane is None:
            lane = self._own.lane = Lane(self._ready)
        try:
            self._run(job, lane)
            while (following := lane.next()) is not None:
                claimed, spec = following
                self._run(self._begin(claimed, job.worker or ""), lane, spec)
        finally:
            lane.give_up()

    def _run(self, job: Job, lane: Lane, spec: Spec | None = None) -> None:
        entry, report = self._running.add(job), Report(self._limits.log_bytes, f"{job.id}-{job.fence}")
        try:
            if spec is None:
                outcome = self._attempt(entry, report, lane)
            else:
                outcome = self._supervise(spec, entry, report, lane)
        except Exception as error:  # the desk's own trouble (disk, memory, ledger) must not cost the job an attempt
            logging.getLogger("jobdesk").exception("cannot run %s now", job.id, extra=said_of(job))
            outcome = Snoozed(TROUBLE_SNOOZE_S, f"the desk could not run it: {error}")
        at = self._clock.now()
        lane.learn(at - (job.started_at or 0.0))
        self._end(Ending(job, entry, report, outcome, at))

    def _attempt(self, entry: Running, report: Report, lane: Lane) -> Outcome:
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
        report.calling = processor.service_of(data)
        if report.calling is not None and (kept := breakers.admit(self._ledger, report.calling, job)) is not None:
            return Snoozed(0.0, kept.keeps, kept.service)
        spec = self._spec(job, report.token, data, module, file)
        if processor.isolation == "thread":
            return self._call(processor, spec, entry, report)
        return self._supervise(spec, entry, report, lane)

    def _supervise(self, spec: Spec, entry: Running, report: Report, lane: Lane) -> Outcome:
        try:
            return self._supervisor.run(spec, entry, report, lane, self._more(entry.job) if lane.has_room else None)
        finally:
            if report.has_workdir and os.path.exists(spec["work"]):  # noqa: PTH110 -- a Path costs more than the look
                shutil.rmtree(spec["work"], ignore_errors=True)

    # ── prepare ──

    def _more(self, job: Job) -> Callable[[Claimed], Spec] | None:
        """Makes the specs of jobs of the same type that may be sent ahead; None if none may."""
        found = self._wiring.find(job.type)
        if found is None or found[0].isolation != "process" or found[0].service is not None:
            return None
        _, module, file = found

        def prepare(claimed: Claimed) -> Spec:
            ahead = claimed.prepare(job.worker or "")
            return self._spec(ahead, f"{ahead.id}-{ahead.fence}", ahead.data, module, file)

        return prepare

    def _data(self, job: Job) -> Mapping[str, Any]:
        """Its payload, with the results of earlier steps put in where it asks for them."""
        bindings = flows.bindings(self._ledger, job.seq) if job.flow else []
        if not bindings or job.flow is None:
            return job.data
        return finish(job.data, bindings, {"steps": flows.steps(self._ledger, job.flow)})

    def _spec(self, job: Job, token: str, data: Mapping[str, Any], module: str, file: str | None) -> Spec:
        permanent, retry_on = self._wiring.retry_rules(job.type)
        return Spec(
            token=token,
            job=job.id,
            type=job.type,
            queue=job.queue,
            user=job.user,
            source=job.source,
            flow=job.flow,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            home=self._home,
            work=f"{self._work}/{token}",
            settings=self._wiring.settings(job.type),
            results=reads.flow_results(self._ledger, job.flow) if job.flow else {},
            data=data,
            timeout_s=job.timeout_s or 0.0,
            memory_limit=self._wiring.memory_limit(job.type),
            module=module,
            file=file,
            permanent=permanent,
            retry_on=retry_on,
        )

    # ── in the worker's own thread ──

    def _call(self, processor: Processor, spec: Spec, entry: Running, report: Report) -> Outcome:
        line = _Line(self._supervisor, entry, report)
        context = JobContext(spec, line.take, line.cancelled, line.answer)
        try:
            outcome = perform(processor, context, spec)
            if isinstance(outcome, Completed | Failed) and isinstance(outcome.result, dict | list):
                outcome = replace(outcome, result=deepcopy(outcome.result))  # it may change before it is written
            return outcome
        finally:
            if context.has_workdir:
                shutil.rmtree(context.workdir, ignore_errors=True)


class _Line:
    """Between a job in a worker's own thread and the desk: what is a pair of sockets for one in a child."""

    __slots__ = ("_answer", "_entry", "_report", "_supervisor")

    def __init__(self, supervisor: Supervisor, entry: Running, report: Report) -> None:
        self._supervisor = supervisor
        self._entry = entry
        self._report = report
        self._answer: Any = None

    def take(self, message: Message) -> None:
        self._report.take(message)
        self._supervisor.store_urgent(self._entry.job, self._report)
        self._answer = next(iter(self._supervisor.answers(self._entry.job, self._report)), None)

    def cancelled(self) -> str | None:
        return self._entry.why or "stopped" if self._entry.wish else None

    def answer(self) -> Any:
        return self._answer
