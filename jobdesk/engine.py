"""A consumer: worker threads, their children and the services around them, started in order and stopped in reverse."""

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from jobdesk import __version__, dropping, logs
from jobdesk.core.clock import Clock, since_boot
from jobdesk.core.errors import JobdeskError, LedgerError, NotFound
from jobdesk.core.ids import ids
from jobdesk.core.service import Service
from jobdesk.folders.keeper import Keeper
from jobdesk.herald import Herald
from jobdesk.ledger import schedules, upkeep, versions, workers
from jobdesk.monitoring.alerter import Alerter
from jobdesk.monitoring.notifier import Notifier
from jobdesk.queue.consumer import EmbeddedConsumer
from jobdesk.queue.wake import Wake
from jobdesk.queue.writer import Writer
from jobdesk.runtime import processes
from jobdesk.runtime.executor import Executor, Limits
from jobdesk.runtime.indexer import Indexer
from jobdesk.runtime.keeper import ServiceKeeper
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.pruner import Pruner
from jobdesk.runtime.running import RunningJobs
from jobdesk.runtime.services import LOST_AFTER_S, Canceller, Rescuer, Stager
from jobdesk.runtime.settle import Ending, Settler
from jobdesk.runtime.standstill import Standstill
from jobdesk.runtime.summarizer import Summarizer
from jobdesk.schedules.scheduler import Scheduler
from jobdesk.wiring import DeskWiring

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.plugins import Registry

DUE_SOON_S = 60.0
"""A drain waits for what falls due within this."""
START_OVER_S = 5.0
LOOK_S = 0.2
AFTER_S, OFTEN_S = 0.005, 0.05
"""So long what looks after jobs waits for a job that came with the bell, the second while it rings again and again."""
REST_S = 30.0
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
        self._grace_s = 0.0
        self._hurried = False
        self._stack = ExitStack()
        self._folders: Keeper | None = None
        self._known: Registry | None = None
        """The processors that its children may have begun with."""
        self._looked_back = False

    @property
    def busy(self) -> int:
        """Jobs that run here now."""
        return len(self.running)

    @property
    def alive(self) -> bool:
        """Whether it works and its threads live; one that has died is replaced within seconds."""
        return self._started and self._consumer.alive

    def start(self) -> None:
        """Register, rescue what the dead left, and begin to work.

        Raises:
            NotFound: one of `--queues` does not exist.
        """
        with self._lock:
            if self._started:
                return
            own = self._desk.config.logs
            logs.to_file(self._desk.home.logs, level=own.level, max_bytes=own.max_bytes, keep=own.keep)
            standstill = Standstill(self._desk.ledger, self._desk.clock, LOST_AFTER_S)
            while not self._started:
                try:
                    self._desk.follow_settings()
                    self._check_queues()
                    self._begin()
                    self._started = True
                except LedgerError:
                    if not standstill.is_the_cause():
                        raise

    def _begin(self) -> None:
        """Start everything in order; what was started is stopped again, in reverse, if a later part cannot be."""
        desk, clock, ledger = self._desk, self._desk.clock, self._desk.ledger
        with ExitStack() as stack:
            self.id = ids.short("con", clock.now())
            logs.say_always(consumer=self.id)
            with ledger.write() as tx:
                workers.register(tx, self.id, self.kind, os.getpid(), processes.own_start(), self.workers, self._queues)
                versions.note(tx, self.id, __version__, since_boot())
            stack.callback(self._unregister)
            self._hurried = False
            self._summarizer = Summarizer(ledger, clock)
            desk.wake.listen()
            self._pool = Pool(ledger, self.id, desk.home.run, desk.config.desk.nice)
            stack.callback(self._pool.close)
            stager, canceller = Stager(ledger, clock), Canceller(ledger, self.running, clock)
            wiring = DeskWiring(desk)
            rescuer = Rescuer(ledger, self.id, clock, desk.home.work, self._lost.set, wiring)
            rescuer.run_once()
            scheduler = Scheduler(ledger, clock, prepare=desk.prepare, store=desk.store)
            scheduler.run_once()  # what was missed is there before anybody asks whether this consumer is idle
            self._folders = dropping.keeper(desk, self.id)
            self._start(
                stack, _Bell(desk.wake, [stager, canceller, scheduler, self._folders], clock), stager, canceller
            )
            desk.registry  # noqa: B018 -- imported before the first claim: no claimed job waits for that
            self._consumer = self._make_consumer(wiring)
            stack.callback(self._consumer.close)
            self._consumer.start()
            stack.callback(self._let_go)
            pruner, indexer = Pruner(ledger, clock, desk.config.desk.retention), Indexer(ledger, clock)
            behind = [pruner, indexer, self._summarizer, ServiceKeeper(ledger, clock, desk.probes), Herald(desk)]
            self._notifier = Notifier(ledger, clock, desk.routing, prepare=desk.prepare, store=desk.store)
            self._alerter = Alerter(ledger, clock, desk.alert_watch, self._notifier.wake)
            self._start(stack, rescuer, scheduler, *behind, self._folders, _Health(self))
            self._start(stack, self._alerter, self._notifier)
            self._stack = stack.pop_all()
        logging.getLogger("jobdesk").info("consumer %s works with %d workers", self.id, self.workers)

    def _start(self, stack: ExitStack, *services: Service) -> None:
        for service in services:
            service.start()
            stack.callback(service.stop)

    def _make_consumer(self, wiring: DeskWiring) -> EmbeddedConsumer:
        desk = self._desk
        own = desk.config.desk
        limits = Limits(own.cancel_grace, desk.config.logs.job_max_bytes, desk.home.work)
        settler = Settler(desk.ledger, wiring)
        writer: Writer[Ending] = Writer(
            desk.ledger,
            desk.wake,
            self.id,
            self._queues,
            settle=settler.settle,
            settled=self._settled,
            needs=wiring.needs,
        )
        executor = Executor(
            desk.ledger, wiring, self._pool, self.running, limits, desk.clock, desk.home.path, settler,
            writer.hand, writer.begin, writer.end,
        )  # fmt: skip
        return EmbeddedConsumer(executor.run, writer, ledger=desk.ledger, consumer=self.id, workers=self.workers)

    def _settled(self, endings: Sequence[Ending]) -> None:
        self.running.remove(ending.entry for ending in endings)
        self._summarizer.ended(len(endings))

    def stop(self, grace_s: float | None = None) -> None:
        """Claim nothing more, let what runs finish for `grace_s` (the setting if None), give the rest back."""
        with self._lock:
            if self._started:
                self._started = False
                self._consumer.shut()
                self._grace_s = self._desk.config.desk.stop_grace if grace_s is None else grace_s
                self._stack.close()

    def hurry(self) -> None:
        """Give back at once what a stop waits for, or will."""
        self._hurried = True
        for entry in self.running.all():
            self.running.wish(entry, "release", "its consumer stopped", self._desk.clock.monotonic())

    def _let_go(self) -> None:
        deadline = self._desk.clock.monotonic() + self._grace_s
        while not self._consumer.join(0.0 if self._hurried else LOOK_S):
            if self._hurried or self._desk.clock.monotonic() >= deadline:
                end = self._desk.clock.monotonic() + LET_GO_S
                while True:  # a worker may just have begun what it had sent ahead
                    self.hurry()
                    if self._consumer.join(LOOK_S) or self._desk.clock.monotonic() >= end:
                        return

    def _unregister(self) -> None:
        """Whatever is still claimed (a thread that cannot be stopped) goes back; its late end is fenced off."""
        with self._desk.ledger.write() as tx:
            upkeep.give_back(tx, self.id, "its consumer stopped")
            workers.unregister(tx, self.id, workers.STOPPED)

    def idle(self) -> bool:
        """Whether nothing runs, can run or falls due within a minute, and no folder has a file on its way.

        What waits in a paused queue, or for a job there, does not count: it would be waited for in vain. Of
        schedules only those of one time count: one of every minute would never let a drain end.
        """
        now = self._desk.clock.now()
        return (
            not self.busy
            and not upkeep.anything_to_do(
                self._desk.ledger, self._queues, now + DUE_SOON_S, self._desk.shut_types(now + DUE_SOON_S)
            )
            and not schedules.any_due(self._desk.ledger, now, now + DUE_SOON_S)
            and not (self._folders is not None and self._folders.busy)
            and not self._wind_up()
        )

    def _wind_up(self) -> bool:
        """Look at the rules of alerts a last time, and send the notices that wait; whether that made work."""
        if not self._looked_back:
            self._looked_back = True
            self._alerter.look(self._desk.alert_watch(), at_once=True)
        return self._notifier.hurry()

    def tend(self) -> None:
        """Replace worker threads that died; start over if others took this consumer for dead."""
        if self._lost.is_set():
            self._lost.clear()
            threading.Thread(target=self._start_over, name="jobdesk-restart", daemon=True).start()
            return
        if self._started:
            self._consumer.check_worker_health()

    def follow_processors(self) -> None:
        """Work with the processors as they are now; children that began with others are replaced."""
        registry = self._desk.renew_registry()
        if registry is self._known:
            return
        former, self._known = self._known, registry
        if former is not None:
            self._pool.renew()
            logging.getLogger("jobdesk").info("processors have changed and were read again")
        for one in registry.broken:
            if former is None or one not in former.broken:
                logging.getLogger("jobdesk").warning("%s is broken: %s", one.name, one.error)
        self._desk.sync_plugin_schedules()
        self._desk.ledger.close()  # this thread seldom needs it

    def _start_over(self) -> None:
        logging.getLogger("jobdesk").error("this consumer was silent too long and lost its jobs; it starts over")
        pause = threading.Event()
        while True:
            with self._lock:
                if not self._started:
                    return
                self._grace_s = 0.0
                self._stack.close()
                try:
                    self._begin()
                    return
                except JobdeskError:
                    logging.getLogger("jobdesk").exception("cannot start over yet")
            self._desk.clock.wait(pause, START_OVER_S)

    def _check_queues(self) -> None:
        known = {queue.name for queue in self._desk.queues()}
        for name in self._queues or ():
            if name not in known:
                raise NotFound(f"there is no queue {name}: see `jobdesk queues list`")


class _Bell(Service):
    """Passes on to services that workers have something new to do, whichever process said so."""

    name = "bell"
    interval_s = 0.0

    def __init__(self, wake: Wake, services: Sequence[Service], clock: Clock) -> None:
        super().__init__(clock)
        self._bell = wake
        self._services = services
        self._seen = wake.work
        self._rang_at = -OFTEN_S

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stop.set()
        self._bell.ring()
        super().stop(timeout_s)

    def run_once(self) -> float | None:
        heard = self._bell.wait_for_work(self._seen, REST_S)
        if heard != self._seen:
            often = self.clock.monotonic() - self._rang_at < OFTEN_S
            self.clock.wait(self._stop, OFTEN_S if often else AFTER_S)  # first the job that may be there, then these
            self._rang_at = self.clock.monotonic()
            self._seen = self._bell.work
            for service in self._services:
                service.wake()
        return None


class _Health(Service):
    """Looks after the worker threads themselves, and whether the settings have changed."""

    name = "health"
    interval_s = 2.0

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine._desk.clock)
        self._engine = engine

    def run_once(self) -> float | None:
        self._engine.tend()
        self._engine._desk.follow_settings()
        self._engine.follow_processors()
        return None
