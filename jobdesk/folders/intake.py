"""The service of one drop folder: looks, waits until files are whole, takes them in, and moves them when they end.

Events only wake it; what it does follows from what a scan sees, what lies among its claims, and the ledger.
"""

import logging
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.folders.ending import Ender
from jobdesk.folders.owning import Owner, Submit
from jobdesk.folders.place import Offline, Place, is_network
from jobdesk.folders.rules import UNSURE_SETTLE_S, FolderRule
from jobdesk.folders.scan import LISTED, Scan, scan
from jobdesk.folders.settle import StabilityTracker
from jobdesk.folders.watcher import Watcher
from jobdesk.ledger import folders, intake
from jobdesk.ledger.database import Ledger

COALESCE_S = 0.05
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
"""How often ended work is looked for while some is open."""
STANDBY_S = 1.0
"""How often a second process tries to become the master."""
OFFLINE_S = 5.0


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
        self._wants_watch = watch
        self._folder = str(rule.path)
        self._place = Place(rule.path)
        self._owner = Owner(ledger, clock, rule, self._place, submit, accepts, self._stop.is_set)
        self._ender = Ender(ledger, clock, rule, self._place, quarantine)
        self._watcher = Watcher(self._hear)
        self._heard = threading.Event()
        self._consumer = consumer
        self._status = folders.Status(path=self._folder, pipeline=rule.pipeline, mode="offline")
        self._reported: folders.Status | None = None
        self._said: dict[bytes, intake.Sighting] | None = None
        self._complaint: str | None = None
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
        self._scanned = False
        self._scan_ended = self._scan_took = 0.0
        self._deaf_until = float("-inf")
        self._rescan_at = self._reconcile_at = self._liveness_at = self._end_at = float("-inf")
        self._watch_trouble: str | None = None
        self._foreign: str | None = None

    # ── one run ──

    def run_once(self) -> float:
        """Do what is due; how many seconds until something will be, unless something is heard before."""
        try:
            if not self._place.is_open and not self._attach():
                return STANDBY_S
            return self._run()
        except Offline as error:
            return self._give_up(str(error))
        except Exception as error:  # whatever a file or a disk does, the folder must live on and say so
            if str(error) != self._complaint:
                logging.getLogger("jobdesk").exception("the drop folder %s is in trouble; it tries again", self._folder)
            return self._give_up(f"{error}")

    def _attach(self) -> bool:
        self._watcher.stop()
        if not self._place.open():
            return False
        self._reset()
        self._owner.held.clear()
        if self._said is None:
            self._said = {one.path: one for one in intake.sightings(self._ledger, self._folder)}
        self._complaint = None
        self._status = replace(self._status, mode="scan", message=None, consumer=self._consumer)
        with self._ledger.write() as tx:
            folders.report(tx, self._status)  # the row must be there before anything is counted in it
        return True

    def _run(self) -> float:
        now = self.clock.monotonic()
        if now >= self._liveness_at:
            self._keep_watching()
            self._liveness_at = now + LIVENESS_S
        if now >= self._reconcile_at:
            self._foreign = self._ender.reconcile(self._owner)
            self._reconcile_at = now + RECONCILE_S
        open_files = intake.open_count(self._ledger, self._folder)
        if open_files and now >= self._end_at:
            open_files -= self._ender.end()
            took = self.clock.monotonic() - now
            self._end_at = now + took + (10.0 if self._ender.trouble else 10 * took)
        if self._scan_is_due():
            self._look()
        if self._owner.held:
            self._owner.look_at_held()
        else:
            self._owner.trouble = None
        self._take(open_files)
        self._complaint = None
        self._report()
        return self._wait_s()

    def _look(self) -> None:
        self._heard.clear()
        begun = self.clock.monotonic()
        self._scan = scan(self._place.root, self._rule)
        self._scan_ended = self.clock.monotonic()
        self._scan_took = self._scan_ended - begun
        self._scanned = True
        self._rescan_at = self._scan_ended + (self._rule.rescan_s if self._status.mode == "watch" else self._poll_s)
        self._tracker.look(self._scan.files, self._scan_ended, self.clock.now())
        self._ready = deque(self._tracker.settled())
        self._owner.notes = {path: note for path, note in self._owner.notes.items() if path in self._scan.files}

    @property
    def _poll_s(self) -> float:
        return min(POLL_S, self._rule.rescan_s)

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

    def _take(self, open_files: int) -> None:
        if not self._ready or self._owner.trouble or self._is_full():
            return
        room = self._rule.max_ahead - open_files - len(self._owner.held)
        self._owner.take(self._ready, self._tracker, room, self.clock.monotonic() + WORK_S)
        if self._status.mode == "watch":
            self._deaf_until = self.clock.monotonic() + DEAF_S

    def _is_full(self) -> bool:
        return self._place.free_bytes() < self._rule.min_free_bytes

    def _wait_s(self) -> float:
        now = self.clock.monotonic()
        due = min(self._scan_due_at(), self._liveness_at, self._reconcile_at)
        if self._owner.tracker.deadline is not None and self._owner.held:
            due = min(due, self._owner.tracker.deadline)
        open_files = intake.open_count(self._ledger, self._folder)
        if open_files:
            due = min(due, max(now + ENDED_S, self._end_at))
            if intake.has_unmoved(self._ledger, self._folder) and not self._ender.trouble:
                due = now
        if self._ready and not self._owner.trouble and not self._is_full():
            due = now if open_files + len(self._owner.held) < self._rule.max_ahead else due
        return max(0.0, due - now)

    # ── hearing ──

    def _hear(self) -> None:
        self._heard.set()
        self.wake()

    def _keep_watching(self) -> None:
        """Watch if that is wanted and possible, find out if it has stopped working, and say which it is."""
        if not self._wants_watch or is_network(self._place.root):
            self._status = replace(self._status, mode="scan")
            return
        blind = self._watcher.running and not self._watcher.is_alive()
        if blind or not self._watcher.running:
            if blind:
                self._status = replace(self._status, restarts=self._status.restarts + 1)
                logging.getLogger("jobdesk").warning("watching %s had stopped; it was begun again", self._folder)
            try:
                self._watcher.start(self._place.root, self._rule.recursive)
                self._watch_trouble = None
            except OSError as error:
                self._watch_trouble = f"changes are not heard ({error.strerror or error}): looked through every 2 s"
            self._rescan_at = float("-inf")
            return self._say_mode()
        self._watcher.spare_own(self._place.root)
        if self._rule.recursive and self._scanned:
            left_out = self._watcher.unwatched(self._place.root, self._scan.folders)
            self._watch_trouble = (
                f"{left_out} sub-folders cannot be watched (fs.inotify.max_user_watches?): looked through every 2 s"
                if left_out
                else None
            )
        self._say_mode()

    def _say_mode(self) -> None:
        mode = "scan" if self._watch_trouble else "watch"
        if mode != self._status.mode:
            self._rescan_at = min(self._rescan_at, self.clock.monotonic() + self._poll_s)
        self._status = replace(self._status, mode=mode)

    # ── saying ──

    def _message(self) -> str | None:
        if self._is_full():
            return (
                f"less than {self._rule.min_free_bytes / 1e6:.0f} MB are free: nothing is taken in until there is more"
            )
        return self._owner.trouble or self._ender.trouble or self._foreign or self._watch_trouble

    def _report(self) -> None:
        """Write status and sightings where they differ from what was written last."""
        held, settling = len(self._owner.held), self._tracker.settling()
        status = replace(
            self._status,
            waiting=len(self._tracker) - len(settling),
            settling=len(settling) + held,
            ignored=self._scan.ignored_count,
            message=self._message(),
        )
        seen = self._sightings(settling)
        said = self._said or {}
        gone = [path for path in said if path not in seen]
        changed = [one for path, one in seen.items() if said.get(path) != one]
        is_old = self._reported is None or self.clock.now() - (self._reported.scanned_at or 0) >= self._rule.rescan_s
        same = self._reported is not None and status == replace(
            self._reported, scanned_at=status.scanned_at, scan_ms=status.scan_ms
        )
        self._status = status
        if same and not is_old and not gone and not changed:
            return
        if self._scanned:
            ago = self.clock.monotonic() - self._scan_ended
            status = replace(status, scanned_at=self.clock.now() - ago, scan_ms=round(self._scan_took * 1000, 1))
        with self._ledger.write() as tx:
            folders.report(tx, status)
            intake.sighted(tx, self._folder, gone, changed)
        self._status = self._reported = status
        self._said = seen

    def _sightings(self, settling: list[bytes]) -> dict[bytes, intake.Sighting]:
        """What is there and not taken, as far as a person would read it."""
        tracker, notes, now = self._tracker, self._owner.notes, self.clock.now()
        before = self._said or {}
        seen: dict[bytes, intake.Sighting] = {}

        def add(path: bytes, state: str, reason: str | None, size: int | None, first_seen: float) -> None:
            if len(seen) < LISTED:
                seen[path] = intake.Sighting(path, state, reason, size, first_seen)

        for one in self._owner.held.values():
            size = one.look.size if one.look else None
            add(one.path, "settling", "it was written to while it was claimed", size, one.first_seen)
        for path in settling:
            look = tracker.signature(path)
            empty = f"empty: waits {self._rule.empty_grace_s:g} s to be filled"
            state, reason = notes.get(path) or ("settling", None if look.size else empty)
            add(path, state, reason, look.size, tracker.first_seen(path))
        for path in self._ready:
            if len(seen) >= LISTED:
                break
            add(path, "waiting", None, tracker.signature(path).size, tracker.first_seen(path))
        for path, why in self._scan.ignored:
            old = before.get(path)
            add(path, "ignored", why, None, old.first_seen if old else now)
        return seen

    def _give_up(self, why: str) -> float:
        """Say that the folder cannot be used now; it is tried again."""
        self._watcher.stop()
        self._place.close()
        if why != self._complaint:
            self._complaint = why
            try:
                self._status = replace(self._status, mode="offline", message=why, consumer=self._consumer)
                with self._ledger.write() as tx:
                    folders.report(tx, self._status)
                self._reported = None
            except Exception:  # the ledger may be what is in trouble
                logging.getLogger("jobdesk").warning("the drop folder %s is offline: %s", self._folder, why)
        return min(OFFLINE_S, self._rule.rescan_s)

    # ── for others ──

    @property
    def busy(self) -> bool:
        """Whether a file is on its way in or out: a consumer that drains waits until not."""
        if not self._place.is_open:
            return False
        if not self._scanned or self._heard.is_set() or self._owner.held or len(self._tracker):
            return True
        return intake.open_count(self._ledger, self._folder) > 0

    def stop(self, timeout_s: float = 10.0) -> None:
        """End, and let another process be the master."""
        super().stop(timeout_s)
        self._watcher.stop()
        self._place.close()
