"""The services of a consumer that keep the ledger moving: due jobs, cancel requests, the dead and their jobs."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import LedgerError
from jobdesk.core.service import Service
from jobdesk.ledger import speaking, upkeep, workers
from jobdesk.ledger.database import Ledger
from jobdesk.runtime import processes
from jobdesk.runtime.footprint import Meter
from jobdesk.runtime.running import RunningJobs
from jobdesk.runtime.standstill import Standstill
from jobdesk.runtime.wiring import Wiring

ASLEEP_S = 5.0
BEAT_S = 5.0
"""How often a consumer writes that it lives: each time costs a commit, and others read what has changed."""
NOTHING_RUNS_S = 5.0
"""So long nobody looks for wishes of jobs; who hears of one before then looks at once."""
LOST_AFTER_S = 30.0
"""A consumer that lives but is silent for this long (stopped, starved) loses its jobs; late writes are fenced off."""


class Stager(Service):
    """Makes due jobs pending, exactly when they fall due, and expires those that waited too long."""

    name = "stager"
    interval_s = 1.0

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger

    def run_once(self) -> float | None:
        due_at = upkeep.next_due(self._ledger)
        now = self.clock.now()
        if due_at is not None and due_at <= now:
            with self._ledger.write() as tx:
                moved = upkeep.stage(tx) + upkeep.expire(tx)
            return 0.0 if moved >= upkeep.BATCH else 0.001
        return self.interval_s if due_at is None else min(self.interval_s, due_at - now)


class Canceller(Service):
    """Passes on to the jobs that run here what people ask of them: to cancel, or what they say to them."""

    name = "canceller"

    def __init__(self, ledger: Ledger, running: RunningJobs, clock: Clock) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._running = running

    def run_once(self) -> float | None:
        entries = {entry.job.seq: entry for entry in self._running.all()}
        if not entries:
            return NOTHING_RUNS_S  # the bell wakes us when there is work
        for seq in upkeep.cancel_requests(self._ledger, list(entries)):
            self._running.wish(entries[seq], "cancel", "cancelled while it ran", self.clock.monotonic())
        if speaking.any_waits(self._ledger):
            hearing = {entry.job.id: entry for entry in entries.values() if entry.say is not None}
            with self._ledger.write() as tx:
                said = speaking.take(tx, {id_: entry.job.fence for id_, entry in hearing.items()})
            for id_, word in said:
                self._running.speak(hearing[id_], word, self.clock.monotonic())
        return None


class Rescuer(Service):
    """Says that this consumer is alive, and gives away the jobs of those that are not.

    On one machine a dead process is seen at once by its pid and start, so rescue needs no timeout. One
    that lives but does nothing is found by its heartbeat, watched on our own monotonic clock: neither a
    step of the machine's clock nor its sleep, nor a ledger locked by a stranger, makes the living look dead.
    """

    name = "rescuer"
    interval_s = 1.0

    def __init__(
        self, ledger: Ledger, consumer: str, clock: Clock, work: Path, lost: Callable[[], None], wiring: Wiring
    ) -> None:
        super().__init__(clock)
        self._work = work
        self._ledger = ledger
        self._consumer = consumer
        self._lost = lost
        self._wiring = wiring
        self._beats: dict[str, tuple[float, float]] = {}
        """Of each other consumer its last heartbeat, and when, on our clock, we first saw it."""
        self._ran_at = clock.monotonic()
        self._beat_at = -BEAT_S
        self._ahead = 0.0
        """By how much the time of day was ahead of the monotonic clock at the last beat."""
        self._meter = Meter(clock)
        self._standstill = Standstill(ledger, clock, LOST_AFTER_S)

    def run_once(self) -> float | None:
        now = self.clock.monotonic()
        stepped = abs(self.clock.now() - now - self._ahead) >= upkeep.CLOCK_STEP_S
        if (now - self._beat_at >= BEAT_S or now - self._ran_at > ASLEEP_S or stepped) and not self._beat():
            self._lost()  # we were stopped for long, and others took our jobs: start over under a new name
            return None
        if now - self._ran_at > ASLEEP_S:
            self._beats.clear()  # we were away ourselves: what we remember says nothing about others
        self._ran_at = now
        for other in workers.running(self._ledger):
            if other.id == self._consumer:
                continue
            if not processes.is_alive(other.pid, other.process_started):
                self.bury(other.id, f"consumer {other.pid} died")
            elif (silent_s := self._silence(other, now)) > LOST_AFTER_S and other.pid != os.getpid():
                self.bury(other.id, f"consumer {other.pid} has been silent for {silent_s:.0f} s")
        for consumer in upkeep.orphans(self._ledger):
            self.bury(consumer, "its consumer is gone")
        return None

    def _beat(self) -> bool:
        """Say that this consumer lives; False if others took it for dead."""
        try:
            with self._ledger.write(durable=False) as tx:
                known = workers.heartbeat(tx, self._consumer, self._meter.look())
                set_back_s = upkeep.follow_clock(tx, self.clock.monotonic())
        except LedgerError:
            self._standstill.is_the_cause()
            raise
        self._beat_at = self.clock.monotonic()
        self._ahead = self.clock.now() - self._beat_at
        if set_back_s:
            logging.getLogger("jobdesk").warning(
                "the clock was set back by %.0f s; retries keep their wait", set_back_s
            )
        return known

    def _silence(self, other: workers.Consumer, now: float) -> float:
        beat, since = self._beats.get(other.id, (None, now))
        if beat != other.heartbeat_at:
            since = now
        self._beats[other.id] = other.heartbeat_at, since
        return now - since

    def bury(self, consumer: str, why: str) -> None:
        """End what a dead consumer's children still do, and give its jobs back."""
        for pid, started in workers.children(self._ledger, consumer):
            processes.kill_session(pid, started)
        processes.kill_marked(consumer)
        apart = {type_ for type_ in upkeep.types_held(self._ledger, consumer) if self._runs_apart(type_)}
        with self._ledger.write() as tx:
            count = upkeep.rescue(tx, consumer, why, apart)
            workers.unregister(tx, consumer, why)
        self._sweep()
        logging.getLogger("jobdesk").warning("%s; %d of its jobs go back to their queues", why, count)

    def _runs_apart(self, type_: str) -> bool:
        """Whether jobs of a type run in children; one that nobody knows any more is given the benefit of the doubt."""
        found = self._wiring.find(type_)
        return found is None or found[0].isolation == "process"

    def _sweep(self) -> None:
        """Remove the working folders of attempts that nobody runs any more."""
        there = list(self._work.iterdir()) if self._work.is_dir() else []  # before the claims: new ones stay
        kept = {f"{id_}-{fence}" for id_, fence in upkeep.claims(self._ledger)}
        for left in there:
            if left.name in kept:
                continue
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
