"""A consumer: worker threads, their children and the services around them, started in order and stopped in reverse."""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobdesk import logs
from jobdesk.core.errors import HomeError
from jobdesk.core.ids import ids
from jobdesk.core.job import Job, NewJob
from jobdesk.core.processor import Processor
from jobdesk.core.service import Service
from jobdesk.core.submission import Submission
from jobdesk.folders.intake import FolderService
from jobdesk.ledger import follow, workers
from jobdesk.ledger.database import Tx
from jobdesk.queue.consumer import EmbeddedConsumer
from jobdesk.runtime import processes
from jobdesk.runtime.executor import Executor, Limits
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.pruner import Pruner
from jobdesk.runtime.running import RunningJobs
from jobdesk.runtime.services import Canceller, Rescuer, Stager

if TYPE_CHECKING:
    from jobdesk.desk import Desk

LET_GO_S = 5.0
"""How long killing what still runs may take once the grace of a stop is over."""


class Engine:
    """One consumer of one home; made by `Desk.engine`. Any thread may call it."""

    def __init__(self, desk: "Desk", kind: str, size: int, queues: Sequence[str] | None) -> None:
        self._desk = desk
        self.kind = kind
        self.workers = size
        self._queues = queues
        self.running = RunningJobs()
        self._lock = threading.Lock()
        self._started = False
        self._lost = threading.Event()

    @property
    def busy(self) -> int:
        """Jobs that run here now."""
        return len(self.running)

    def start(self) -> None:
        """Register, rescue what the dead left, and begin to work.

        Raises:
            HomeError: one of `--queues` does not exist.
        """
        with self._lock:
            if self._started:
                return
            desk = self._desk
            logs.to_file(desk.home.logs)
            desk.sync_queues()
            self._check_queues()
            self._begin()
            self._started = True

    def _begin(self) -> None:
        desk, clock, ledger = self._desk, self._desk.clock, self._desk.ledger
        self.id = ids.new("con", clock.now())
        with ledger.write() as tx:
            workers.register(tx, self.id, self.kind, os.getpid(), processes.own_start(), self.workers, self._queues)
        desk.wake.listen()
        self._pool = Pool(ledger, self.id, desk.home.run, desk.config.desk.nice)
        limits = Limits(desk.config.desk.cancel_grace, desk.config.desk.memory_limit)
        executor = Executor(ledger, _Wiring(desk), self._pool, self.running, limits, clock, desk.home.path)
        self._consumer = EmbeddedConsumer(
            executor.run, ledger=ledger, wake=desk.wake, consumer=self.id, workers=self.workers, queues=self._queues
        )
        rescuer = Rescuer(ledger, self.id, clock, desk.home.run, self._lost.set)
        rescuer.run_once()
        pruner = Pruner(ledger, clock, desk.config.desk.retention)
        self._wakeful: list[Service] = [Stager(ledger, clock), Canceller(ledger, self.running, clock)]
        self._services: list[Service] = [*self._wakeful, rescuer, pruner, *self._folder_services()]
        ledger.on_commit.append(self._committed)
        self._bell = threading.Thread(target=self._hear, name="jobdesk-bell", daemon=True)
        self._ringing = True
        for service in self._services:
            service.start()
        self._bell.start()
        self._consumer.start()
        self._health = _Health(self)
        self._health.start()
        logging.getLogger("jobdesk").info("consumer %s works with %d workers", self.id, self.workers)

    def stop(self, grace_s: float | None = None) -> None:
        """Claim nothing more, let what runs finish for `grace_s` (the setting if None), give the rest back."""
        with self._lock:
            if not self._started:
                return
            self._started = False
            self._end(self._desk.config.desk.stop_grace if grace_s is None else grace_s)

    def _end(self, grace_s: float) -> None:
        desk = self._desk
        self._health.stop()
        for service in reversed(self._services[len(self._wakeful) :]):
            service.stop()
        if not self._consumer.join(grace_s):
            self._release_all("its consumer stopped")
            self._consumer.join(LET_GO_S)
        for service in self._wakeful:
            service.stop()
        self._ringing = False
        desk.ledger.on_commit.remove(self._committed)
        desk.wake.committed(False)
        self._pool.close()
        with desk.ledger.write() as tx:
            workers.unregister(tx, self.id, "stopped")

    def _release_all(self, why: str) -> None:
        for entry in self.running.all():
            self.running.wish(entry, "release", why, self._desk.clock.monotonic())

    def idle(self) -> bool:
        """Whether nothing runs, is ready or falls due within a minute, and no folder has a file on its way."""
        rows = self._desk.ledger.rows(
            "SELECT 1 FROM tally WHERE n > 0 AND state IN ('pending', 'processing', 'retrying', 'blocked') "
            "UNION ALL SELECT 1 FROM job WHERE state = 'scheduled' AND run_at < ? LIMIT 1",
            (self._desk.clock.now() + 60,),
        )
        return not rows and not self.busy and not any(folder.busy for folder in self._folders)

    def scan_folders(self) -> None:
        """Look through every drop folder now."""
        for folder in self._folders:
            folder.wake()

    def tend(self) -> None:
        """Replace worker threads that died; start over if others took this consumer for dead."""
        if self._lost.is_set():
            self._lost.clear()
            threading.Thread(target=self._start_over, name="jobdesk-restart", daemon=True).start()
            return
        self._consumer.check_worker_health()

    def _start_over(self) -> None:
        with self._lock:
            if self._started:
                logging.getLogger("jobdesk").error(
                    "this consumer was silent too long and lost its jobs; it starts over"
                )
                self._end(0)
                self._begin()

    def _check_queues(self) -> None:
        known = {queue.name for queue in self._desk.queues()}
        for name in self._queues or ():
            if name not in known:
                raise HomeError(f"there is no queue {name}: see `jobdesk queues list`")

    def _committed(self, wakes: bool) -> None:
        if wakes:
            for service in self._wakeful:
                service.wake()

    def _hear(self) -> None:
        """Pass what other processes commit on to the services; our own commits reach them directly."""
        seen = self._desk.wake.work
        while self._ringing:
            heard = self._desk.wake.wait_for_work(seen, 1.0)
            if heard != seen:
                seen = heard
                for service in self._wakeful:
                    service.wake()

    def _folder_services(self) -> list[FolderService]:
        desk = self._desk
        self._folders = [
            FolderService(
                desk.ledger,
                desk.clock,
                rule,
                self._submit_file,
                quarantine=desk.home.quarantine,
                accepts=self._accepts(rule.pipeline),
                consumer=self.id,
            )
            for rule in desk.folder_rules()
        ]
        return self._folders

    def _accepts(self, type_: str) -> frozenset[str] | None:
        known = self._desk.registry.processors.get(type_)
        return None if known is None else frozenset(known.payload.model_fields)

    def _submit_file(self, tx: Tx, *, type: str, data: Mapping[str, Any], source: str) -> tuple[str, str | None]:
        """Store the job of a dropped file in the transaction that records the file; a flow begins with it."""
        job = self._desk.prepare(Submission(type=type, data=data, source=source))
        job = replace(job, flow=follow.flow_of(job.id))
        (id_,) = self._desk.store(tx, [job])
        return id_, job.flow


class _Health(Service):
    """Looks after the worker threads themselves."""

    name = "health"
    interval_s = 5.0

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine._desk.clock)
        self._engine = engine

    def run_once(self) -> float | None:
        self._engine.tend()
        return None


class _Wiring:
    """What the executor may ask of the desk."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        config = desk.config
        storage = desk.home.path / config.storage.path
        self._settings = {
            "storage": {"path": str(storage)},
            "scanner": config.scanner.model_dump(),
            "images": config.images.model_dump(),
            "notify": config.notify.model_dump(),
            "quarantine": str(desk.home.quarantine),
        }

    def find(self, type_: str) -> tuple[Processor, str, str | None] | None:
        registry = self._desk.registry
        if type_ not in registry.processors:
            return None
        source = registry.sources[type_]
        return registry.processors[type_], source.module, source.file

    def settings(self, type_: str) -> Mapping[str, Any]:
        own = self._desk.config.types.get(type_)
        return self._settings | {"type": (own.model_extra or {}) if own else {}}

    def retry_rules(self, type_: str) -> tuple[list[str], list[str]]:
        own = self._desk.config.types.get(type_)
        return (list(own.permanent), list(own.retry_on)) if own else ([], [])

    def prepare_child(self, parent: Job, wanted: Mapping[str, Any]) -> NewJob:
        from jobdesk.desk import child_of

        return self._desk.prepare(child_of(parent, Submission(**wanted)))

    def store(self, tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        return self._desk.store(tx, jobs)
