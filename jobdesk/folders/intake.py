"""The service of one drop folder: looks, waits until files are whole, takes them in, and moves them when they end.

Events only wake it; what it does follows from what a scan sees, what lies among its claims, and the ledger.
"""

import logging
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError
from jobdesk.core.service import Service
from jobdesk.folders.ending import Ender
from jobdesk.folders.listening import Listener
from jobdesk.folders.owning import Owner, Submit
from jobdesk.folders.place import Offline, Place, is_network
from jobdesk.folders.rules import UNSURE_SETTLE_S, FolderRule
from jobdesk.folders.scan import Scan, scan
from jobdesk.folders.settle import StabilityTracker
from jobdesk.folders.telling import WAITING_LISTED, Teller
from jobdesk.ledger import folders, intake
from jobdesk.ledger.database import Ledger

COALESCE_S = 0.03
"""Time between two scans that events ask for."""
DEAF_S = 0.6
"""How long watchdog may hold events back after a rename out of the folder, as each of our claims is."""
POLL_S = 2.0
"""Time between scans where nothing is heard."""
LIVENESS_S = 5.0
RECONCILE_S = 60.0
WORK_S = 0.5
"""How long files are taken in before the folder is looked at again."""
ENDED_S = 0.25
"""How often the ledger is asked whether it changed, while work is open: only then can work have ended."""
STANDBY_S = 1.0
"""How often a second process tries to become the master."""
OFFLINE_S = 5.0
_LONG_AGO = float("-inf")


class FolderService(Service):
    """Watches one folder as its rule says.

    Args:
        submit: stores the job of a file in the transaction that records it.
        accepts: parameters that the pipeline's job type has; None means any.
        quarantine: where infected files go.
        consumer: the id of the process, as shown to people.
        watch: False never asks for events: it scans every two seconds.
    """

    name = "folder"

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        rule: FolderRule,
        submit: Submit,
        *,
        quarantine: Path,
        accepts: frozenset[str] | None = None,
        consumer: str | None = None,
        watch: bool = True,
    ) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._rule = rule
        self._folder = str(rule.path)
        self._place = Place(rule.path)
        self._owner = Owner(ledger, clock, rule, self._place, submit, accepts, self._stop.is_set)
        self._ender = Ender(ledger, clock, rule, self._place, quarantine)
        self._listener = Listener(self._hear, wanted=watch, recursive=rule.recursive)
        status = folders.Status(path=self._folder, pipeline=rule.pipeline, mode="offline", consumer=consumer)
        self._teller = Teller(ledger, status, rule.rescan_s)
        self._heard = threading.Event()
        self._complaint: str | None = None
        self._tried = False
        self._scan_asked: float | None = None
        self._reset()

    def _reset(self) -> None:
        """Forget what was seen: the folder is another, or has a new master."""
        settle_s = self._rule.settle_s
        if self._place.root and is_network(self._place.root):
            settle_s = max(settle_s, UNSURE_SETTLE_S)
        self._tracker = StabilityTracker(settle_s, self._rule.empty_grace_s)
        self._scan = Scan()
        self._ready: deque[bytes] = deque()
        self._owner.held.clear()
        self._scanned = False
        self._scan_ended = self._scan_took = 0.0
        self._rescan_at = self._reconcile_at = self._liveness_at = self._deaf_until = _LONG_AGO
        self._end_soonest = self._end_latest = _LONG_AGO
        self._version = 0
        self._foreign: str | None = None

    # ── one run ──

    def run_once(self) -> float:
        """Do what is due; how many seconds until something will be, unless something is heard before."""
        try:
            if not self._place.is_open and not self._attach():
                self._tried = True
                return STANDBY_S
            return self._run()
        except Offline as error:
            return self._give_up(str(error))
        except OSError as error:
            return self._give_up(f"{self._folder} cannot be used ({error.strerror or error}): it is tried again")
        except Exception as error:  # whatever a file or the ledger does, the folder must live on and say so
            if str(error) != self._complaint:
                logging.getLogger("jobdesk").exception("the drop folder %s is in trouble", self._folder)
            return self._give_up(str(error))

    def _attach(self) -> bool:
        self._listener.stop()
        if not self._place.open():
            return False
        self._reset()
        self._complaint = None
        self._teller.write(mode="scan", message=None)  # its row must be there before anything is counted in it
        return True

    def _run(self) -> float:
        now = self.clock.monotonic()
        if now >= self._liveness_at:
            if self._listener.check(self._place.root, self._scan.folders):
                self._rescan_at = _LONG_AGO
            self._liveness_at = now + LIVENESS_S
        if now >= self._reconcile_at:
            self._foreign = self._ender.reconcile(self._owner)
            self._reconcile_at = now + RECONCILE_S
        open_files = intake.open_count(self._ledger, self._folder)
        if open_files and self._end_is_due(now):
            open_files -= self._end(now)
        if self._scan_is_due():
            self._look()
        if self._owner.held:
            self._owner.look_at_held()
        else:
            self._owner.trouble = None
        self._take(open_files)
        self._complaint = None
        self._tell()
        return self._wait_s()

    def _give_up(self, why: str) -> float:
        """Say that the folder cannot be used now; it is tried again."""
        self._tried = True
        self._listener.stop()
        self._place.close()
        if why != self._complaint:
            self._complaint = why
            logging.getLogger("jobdesk").warning("the drop folder %s is offline: %s", self._folder, why)
            try:
                self._teller.write(mode="offline", message=why)
            except Exception as error:  # the ledger may be what is in trouble; it is told of by others
                logging.getLogger("jobdesk").debug("its status was not written: %s", error)
        return min(OFFLINE_S, self._rule.rescan_s)

    # ── files that end ──

    def _end_is_due(self, now: float) -> bool:
        version, before = self._ledger.version(), self._version
        if now < self._end_soonest:
            return False
        self._version = version
        return version != before or now >= self._end_latest or intake.has_unmoved(self._ledger, self._folder)

    def _end(self, now: float) -> int:
        ended = self._ender.end()
        took = self.clock.monotonic() - now
        self._end_soonest = now + took + (10.0 if self._ender.trouble else 10 * took)
        self._end_latest = max(self._end_soonest, now + max(1.0, 100 * took))
        return ended

    # ── files that arrive ──

    def _scan_due_at(self) -> float:
        due = self._rescan_at
        if self._tracker.deadline is not None:
            due = min(due, self._tracker.deadline)
        if self._heard.is_set() or self._scan_ended < self._deaf_until:
            due = min(due, self._scan_ended + COALESCE_S)
        # A huge folder is looked through a fifth of the time at the most.
        return max(due, self._scan_ended + 4 * self._scan_took) if self._scanned else due

    def _scan_is_due(self) -> bool:
        asked = folders.scan_wanted_at(self._ledger, self._folder)
        if asked != self._scan_asked:
            self._scan_asked = asked
            return True
        return self.clock.monotonic() >= self._scan_due_at()

    def _look(self) -> None:
        self._heard.clear()
        begun = self.clock.monotonic()
        self._scan = scan(self._place.root, self._rule)
        self._scan_ended = self.clock.monotonic()
        self._scan_took = self._scan_ended - begun
        self._scanned = True
        every_s = self._rule.rescan_s if self._listener.mode == "watch" else min(POLL_S, self._rule.rescan_s)
        self._rescan_at = self._scan_ended + every_s
        self._tracker.look(self._scan.files, self._scan_ended, self.clock.now())
        self._ready = deque(self._tracker.settled())
        self._owner.notes = {path: note for path, note in self._owner.notes.items() if path in self._scan.files}

    def _take(self, open_files: int) -> None:
        if not self._ready or self._owner.trouble or self._is_full():
            return
        room = self._rule.max_ahead - open_files - len(self._owner.held)
        self._owner.take(self._ready, self._tracker, room, self.clock.monotonic() + WORK_S)
        if self._listener.mode == "watch":
            self._deaf_until = self.clock.monotonic() + DEAF_S

    def _is_full(self) -> bool:
        return self._place.free_bytes() < self._rule.min_free_bytes

    def _hear(self) -> None:
        self._heard.set()
        self.wake()

    # ── what is told ──

    def _wait_s(self) -> float:
        now = self.clock.monotonic()
        due = min(self._scan_due_at(), self._liveness_at, self._reconcile_at)
        if self._owner.held and self._owner.tracker.deadline is not None:
            due = min(due, self._owner.tracker.deadline)
        open_files = intake.open_count(self._ledger, self._folder)
        if open_files:
            due = min(due, max(now + ENDED_S, self._end_soonest))
            if intake.has_unmoved(self._ledger, self._folder) and not self._ender.trouble:
                due = now
        room = self._rule.max_ahead - open_files - len(self._owner.held)
        if self._ready and room > 0 and not self._owner.trouble and not self._is_full():
            due = now
        return max(0.0, due - now)

    def _tell(self) -> None:
        now, settling, held = self.clock.now(), len(self._tracker.settling()), len(self._owner.held)
        full = f"less than {self._rule.min_free_bytes / 1e6:.0f} MB are free: nothing is taken in until there is more"
        status = replace(
            self._teller.status,
            mode=self._listener.mode,
            waiting=len(self._tracker) - settling,
            settling=settling + held,
            ignored=self._scan.ignored_count,
            scanned_at=now - (self.clock.monotonic() - self._scan_ended),
            scan_ms=round(self._scan_took * 1000, 1),
            restarts=self._listener.restarts,
            message=(full if self._is_full() else None)
            or self._owner.trouble
            or self._ender.trouble
            or self._foreign
            or self._listener.trouble,
        )
        waiting = islice(self._ready, WAITING_LISTED)
        self._teller.tell(status, self._teller.sightings(self._scan, self._tracker, self._owner, waiting, now), now)

    @property
    def busy(self) -> bool:
        """Whether a file is on its way in or out: a consumer that drains waits until not."""
        if not self._place.is_open:
            return not self._tried  # a drain that begins must not end before the first look
        if not self._scanned or self._heard.is_set() or self._owner.held or len(self._tracker):
            return True
        return intake.open_count(self._ledger, self._folder) > 0

    def stop(self, timeout_s: float = 10.0) -> None:
        """End, and let another process be the master."""
        super().stop(timeout_s)
        self._listener.stop()
        if self._place.is_open:
            with suppress(JobdeskError):
                self._teller.write(mode="offline", message="nobody watches it now: start jobdesk or jobdesk --consumer")
        self._place.close()
