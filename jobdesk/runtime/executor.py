"""Running one claimed job: a pipe of small steps, ending in one transaction.

    prepare -> supervise (child) or call (thread) -> settle

What the job says on the way is collected in a Report; log and progress are written a few times a
second, everything else in the transaction of its end.
"""

import logging
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import Artifact, Job, NewJob, Progress
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, Stopped, failure
from jobdesk.core.processor import Processor
from jobdesk.ledger import follow, moves, reads, reports, upkeep
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.moves import Usage
from jobdesk.runtime import processes
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.isolation import Gone
from jobdesk.runtime.messages import Message, Spec, to_outcome
from jobdesk.runtime.perform import perform
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.running import Running, RunningJobs

WORK = "work"
"""The folder, below HOME/run, of the working folders of attempts."""
LOOK_EVERY_S = 0.1
"""How often a supervisor looks at the time and at what was asked of its job."""
MEASURE_EVERY_S = 0.5
WRITE_EVERY_S = 0.25
NO_PROCESSOR_SNOOZE_S = 30.0


class Wiring(Protocol):
    """What the executor needs to know of the desk."""

    def find(self, type_: str) -> tuple[Processor, str, str | None] | None:
        """The processor of a type, its module, and its file if it is the user's; None if there is none."""

    def settings(self, type_: str) -> Mapping[str, Any]:
        """What `ctx.settings` holds for a type."""

    def prepare_child(self, parent: Job, wanted: Mapping[str, Any]) -> NewJob:
        """Check a job that a running one submits."""

    def store(self, tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        """Store prepared jobs."""


@dataclass(slots=True)
class Report:
    """What a job has said and not yet been written down."""

    lines: list[reports.LogLine] = field(default_factory=list)
    progress: Progress | None = None
    artifacts: list[Artifact] = field(default_factory=list)
    assets: list[Mapping[str, Any]] = field(default_factory=list)
    children: list[Mapping[str, Any]] = field(default_factory=list)
    on_failure: Mapping[str, Any] | None = None
    outcome: Outcome | None = None
    cpu_ms: int | None = None
    max_rss_bytes: int = 0
    room: int = reports.LOG_LINES

    def take(self, message: Message) -> None:
        """Understand one message of the job."""
        match message:
            case {"log": [at, level, text]}:
                self.lines.append((at, level, text))
            case {"progress": [done, total, text]}:
                self.progress = Progress(done, total, text)
            case {"artifact": [path, kind, size]}:
                self.artifacts.append(Artifact(path, kind, size))
            case {"asset": record}:
                self.assets.append(record)
            case {"child": wanted}:
                self.children.append(wanted)
            case {"on_failure": wanted}:
                self.on_failure = wanted
            case {"end": outcome, "usage": used}:
                self.outcome = to_outcome(outcome)
                self.cpu_ms = used["cpu_ms"]
                self.max_rss_bytes = max(self.max_rss_bytes, used["max_rss_bytes"] or 0)

    @property
    def usage(self) -> Usage:
        return Usage(self.cpu_ms, self.max_rss_bytes or None)


@dataclass(frozen=True, slots=True)
class Limits:
    """What every job must keep to. Seconds and bytes."""

    cancel_grace_s: float
    memory_bytes: int


class Executor:
    """Runs claimed jobs; called by worker threads, each of which has its own child in the pool."""

    def __init__(
        self, ledger: Ledger, wiring: Wiring, pool: Pool, running: RunningJobs, limits: Limits, clock: Clock, home: Path
    ) -> None:
        self._ledger = ledger
        self._wiring = wiring
        self._pool = pool
        self._running = running
        self._limits = limits
        self._clock = clock
        self._home = home

    def run(self, job: Job) -> None:
        """Run a claimed job to its end, whatever that is; never raises for what the job does."""
        entry, report = self._running.add(job), Report()
        try:
            self._workdir(job).mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._wiring.find(job.type)
            if found is None:
                outcome: Outcome = Snoozed(NO_PROCESSOR_SNOOZE_S, f"no processor has the job type '{job.type}'")
            else:
                processor, module, file = found
                spec = self._spec(job, module, file)
                if processor.isolation == "thread":
                    outcome = self._call(processor, spec, entry, report)
                else:
                    outcome = self._supervise(spec, entry, report)
            self._settle(entry, report, outcome)
        finally:
            self._running.remove(entry)
            shutil.rmtree(self._workdir(job), ignore_errors=True)

    def _workdir(self, job: Job) -> Path:
        return self._home / "run" / WORK / f"{job.id}-{job.fence}"

    # ── prepare ──

    def _spec(self, job: Job, module: str, file: str | None) -> Spec:
        return Spec(
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
            data=job.data,
            timeout_s=job.timeout_s or 0.0,
            memory_limit=self._limits.memory_bytes,
            module=module,
            file=file,
        )

    # ── in the worker's own thread ──

    def _call(self, processor: Processor, spec: Spec, entry: Running, report: Report) -> Outcome:
        def cancelled() -> str | None:
            return entry.why or "stopped" if entry.wish else None

        context = JobContext(spec, report.take, cancelled)
        return perform(processor, context, spec)

    # ── in a child ──

    def _supervise(self, spec: Spec, entry: Running, report: Report) -> Outcome:
        child = self._pool.child()
        entry.tell = child.cancel
        if entry.wish == "cancel":
            child.cancel(entry.why)
        began = self._clock.monotonic()
        measured = written = began
        try:
            child.run(spec)
            while report.outcome is None:
                child.receive(LOOK_EVERY_S, report.take)
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
        self._pool.give_back()
        assert report.outcome is not None
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

    def _write_down(self, job: Job, report: Report) -> None:
        """Write log and progress so far; a full disk delays the words of a job, not its work."""
        try:
            with self._ledger.write() as tx:
                self._write_words(tx, job, report)
        except JobdeskError as error:
            logging.getLogger("jobdesk").warning("cannot write what %s says: %s", job.id, error)

    def _write_words(self, tx: Tx, job: Job, report: Report) -> None:
        if report.progress is not None:
            reports.progress(tx, job, report.progress)
            report.progress = None
        if report.lines:
            reports.log(tx, job, report.lines, report.room)
            report.room -= len(report.lines)
            report.lines.clear()

    # ── settle ──

    def _settle(self, entry: Running, report: Report, outcome: Outcome) -> None:
        """Write how it ended, with all it left, in one transaction; tries again while the ledger cannot be written."""
        job = entry.job
        if entry.wish == "cancel" and isinstance(outcome, Failed):
            outcome = Stopped(entry.why)
        children, outcome = self._children(job, report, outcome)
        pause = threading.Event()
        while True:
            try:
                with self._ledger.write() as tx:
                    self._write_end(tx, entry, report, outcome, children)
                return
            except JobdeskError as error:
                logging.getLogger("jobdesk").error("cannot write the end of %s, trying again: %s", job.id, error)
                if entry.wish == "release":
                    return  # stopping: the claim stays, and the next start rescues it
                self._clock.wait(pause, 1.0)

    def _children(self, job: Job, report: Report, outcome: Outcome) -> tuple[list[NewJob], Outcome]:
        """Check the jobs it submitted; one that is wrong fails it, since its own code wrote it."""
        if not isinstance(outcome, Completed):
            return [], outcome
        try:
            return [self._wiring.prepare_child(job, wanted) for wanted in report.children], outcome
        except JobdeskError as error:
            return [], Failed(
                failure("BadChild", f"it submitted a job that cannot be stored: {error}", retryable=False)
            )

    def _write_end(self, tx: Tx, entry: Running, report: Report, outcome: Outcome, children: list[NewJob]) -> None:
        job = entry.job
        if not moves.holds(tx, job):
            return  # rescued meanwhile: what it did is somebody else's to do again
        self._write_words(tx, job, report)
        reports.artifacts(tx, job, report.artifacts)
        if children or report.on_failure:
            flow = follow.join_flow(tx, job)
            if report.on_failure:
                hook = self._wiring.prepare_child(job, report.on_failure)
                follow.set_on_failure(tx, flow, hook)
        match outcome:
            case Completed(result):
                for record in report.assets:
                    reports.asset(tx, job, record)
                self._wiring.store(tx, children)
                moves.complete(tx, job, result, report.usage)
            case Failed(error, delay_s):
                wait_s = self._retry_wait(tx, job) if delay_s is None else delay_s
                moves.fail(tx, job, error, wait_s, report.usage)
            case Snoozed(delay_s, why):
                if entry.wish == "release":
                    moves.release(tx, job, why)
                else:
                    moves.snooze(tx, job, delay_s, why, report.usage)
            case Stopped(why):
                if entry.wish == "release":
                    moves.release(tx, job, entry.why)
                elif entry.wish == "cancel":
                    moves.stop(tx, job, why, report.usage)
                else:  # its own checkpoint found the time up
                    text = f"it ran longer than its timeout of {job.timeout_s:g} s"
                    moves.fail(tx, job, failure("Timeout", text), self._retry_wait(tx, job), report.usage)

    def _retry_wait(self, tx: Tx, job: Job) -> float:
        return upkeep.retry_policy(tx, job.seq).after(job.attempt)
