"""One drop folder at work: looks, waits until files are whole, takes them in, and moves them when they end.

Events only wake it; what it does follows from what a look shows, what lies among its claims, and the ledger.
Whoever runs it calls `run_once`, never twice at a time.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError
from jobdesk.folders.door import Door
from jobdesk.folders.ending import Ender
from jobdesk.folders.hearing import Ear, Listener
from jobdesk.folders.owning import Owner, Submit
from jobdesk.folders.place import Offline, Place, is_network
from jobdesk.folders.rules import UNSURE_SETTLE_S, FolderRule
from jobdesk.folders.scan import Found, Scan, look_at
from jobdesk.folders.settle import StabilityTracker
from jobdesk.folders.telling import WAITING_LISTED, Teller
from jobdesk.ledger import folders, intake
from jobdesk.ledger.database import Ledger

POLL_S = 2.0
"""Time between scans where nothing is heard."""
RECONCILE_S = 60.0
WORK_S = 0.25
"""How long a folder works at a time; then others have their turn."""
ENDED_S = 0.25
"""How often the ledger is asked what ended, while work is open and it changes."""
STANDBY_S = 2.0
"""How often a second process tries to become the master."""
OFFLINE_S = 5.0
TELL_S = 0.5
BREATH_S = 0.0005
"""Given to other threads after each slice of a scan."""
DUE_AT_ONCE = 2000
_LONG_AGO = float("-inf")
_NEVER = float("inf")


class DropFolder:
    """Watches one folder as its rule says.

    Args:
        submit: stores the jobs of files in the transaction that records them.
        wake: called from any thread when it wants to run before its time.
        accepts: says which parameters the pipeline's job type has; None means any.
        quarantine: where infected files go.
        corner: where our own corner lies if the folder is read-only and its files stay in it.
        consumer: the id of the process, as shown to people.
        ear: hears of changes; None: it only looks.
        changes: a number that is another when the ledger has changed; None: it may have at any time.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        rule: FolderRule,
        submit: Submit,
        *,
        wake: Callable[[], None] = lambda: None,
        quarantine: Path,
        corner: Path | None = None,
        accepts: Callable[[], frozenset[str] | None] = lambda: None,
        consumer: str | None = None,
        ear: Ear | None = None,
        changes: Callable[[], int] | None = None,
    ) -> None:
        self._ledger = ledger
        self.clock = clock
        self.rule = rule
        self._folder = str(rule.path)
        self.stopping = threading.Event()
        self.door = Door(rule)
        self._place = Place(rule.path, corner if rule.source == "keep" else None)
        self._changes = changes or count().__next__
        self._owner = Owner(ledger, clock, self.door, self._place, submit, accepts, self.stopping.is_set)
        self._ender = Ender(ledger, clock, rule, self._place, quarantine, self._changes)
        self._listener = None if ear is None or rule.watch == "poll" else Listener(ear, rule, wake)
        status = folders.Status(path=self._folder, pipeline=rule.pipeline, mode="offline", consumer=consumer)
        self._teller = Teller(ledger, status, rule.rescan_s)
        self._complaint: str | None = None
        self._tried = False
        self._scan_asked: float | None = None
        self.retired = False
        """It takes nothing in any more: what is at work is still brought to its end."""
        self._reset()

    def _reset(self) -> None:
        """Forget what was seen: the folder is another, or has a new master."""
        settle_s, rule = self.rule.settle_s, self.rule
        self._is_network = bool(self._place.root) and is_network(self._place.root)
        if self._is_network:
            settle_s = max(settle_s, UNSURE_SETTLE_S)
        self._tracker = StabilityTracker(settle_s, rule.empty_grace_s, size_only=rule.stable == "size")
        self._settle_s = settle_s
        self._scan = self._scanned = Scan(self._place.root, self.door)
        self._slices: Iterator[list[Found]] | None = None
        if self._place.root:
            self._owner.reset()
        self._scans = 0
        self._scan_begun = self._scan_ended = self._scan_took = 0.0
        self._rescan_at = self._reconcile_at = self._told_at = _LONG_AGO
        self._end_soonest = self._end_latest = _LONG_AGO
        self._version: int | None = None
        self._foreign: str | None = None
        self._open_files = 0
        self._full = False

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
        self._hush()
        if not self._place.open():
            return False
        self._reset()
        self._complaint = None
        self._teller.write(mode="scan", message=None)  # its row must be there before anything is counted in it
        return True

    def _run(self) -> float:
        now = self.clock.monotonic()
        if now >= self._reconcile_at:
            self._foreign = self._ender.reconcile(self._owner)
            self._reconcile_at = now + RECONCILE_S
        self._open_files = intake.open_count(self._ledger, self._folder)
        if self._open_files and self._end_is_due(now) and self._end(now):
            self._open_files = intake.open_count(self._ledger, self._folder)
        if not self.retired:
            self._full = self._place.free_bytes() < self.rule.min_free_bytes
            self._arrive(self.clock.monotonic() + WORK_S)
        self._complaint = None
        wait_s = self._wait_s()
        self._tell(at_rest=wait_s > 0)
        return wait_s

    def _give_up(self, why: str) -> float:
        """Say that the folder cannot be used now; it is tried again."""
        self._tried = True
        self._hush()
        self._place.close()
        if why != self._complaint:
            self._complaint = why
            logging.getLogger("jobdesk").warning("the drop folder %s is offline: %s", self._folder, why)
            try:
                self._teller.write(mode="offline", message=why)
            except Exception as error:  # the ledger may be what is in trouble; it is told of by others
                logging.getLogger("jobdesk").debug("its status was not written: %s", error)
        return min(OFFLINE_S, self.rule.rescan_s)

    def _hush(self) -> None:
        if self._listener is not None:
            self._listener.stop()

    # ── files that end ──

    def _end_is_due(self, now: float) -> bool:
        version, before = self._changes(), self._version
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

    def _arrive(self, until: float) -> None:
        """Look at what was heard of and what may have settled, go on with the scan, and take in what is whole."""
        self._look_again()
        if self._slices is None and self._scan_is_due():
            self._begin_scan()
        if self._owner.held:
            self._owner.look_at_held()
        else:
            self._owner.trouble = None
        self._take(until)
        while self._slices is not None and not self.stopping.is_set():
            self._go_on()
            self._take(until)
            if self.clock.monotonic() >= until:
                return

    def _look_again(self) -> None:
        """Look at single files: a folder of a hundred thousand is not looked through for one."""
        if self._scans == 0 and self._slices is None:
            return
        now, root = self.clock.monotonic(), self._place.root
        heard = self._listener.hints() if self._listener is not None else set()
        for path in {self.door.marked(path) or path for path in heard}:
            if path in self._owner.notes and path in self._tracker:
                self._tracker.again(path, now, 0.0)
            self._look_at(root, path)
        for path in self._tracker.due(now, DUE_AT_ONCE):
            self._look_at(root, path)

    def _look_at(self, root: bytes, path: bytes) -> None:
        found = look_at(root, self.door, path)
        if found is None or self._owner.is_kept(path, found.look):
            self._tracker.forget(path)
            self._owner.notes.pop(path, None)
        else:
            self._tracker.see(path, found.look, self.clock.monotonic(), self.clock.now())

    def _scan_due_at(self) -> float:
        due = self._rescan_at
        if self._listener is not None and (self._listener.must_scan or self._listener.is_deaf):
            due = _LONG_AGO
        # A huge folder is looked through a fifth of the time at the most.
        return max(due, self._scan_ended + 4 * self._scan_took) if self._scans else due

    def _scan_is_due(self) -> bool:
        asked = folders.scan_wanted_at(self._ledger, self._folder)
        if asked != self._scan_asked:
            self._scan_asked = asked
            return True
        return self.clock.monotonic() >= self._scan_due_at()

    def _begin_scan(self) -> None:
        self._scan_begun = self.clock.monotonic()
        if self._listener is not None:
            self._listener.begin_scan(self._place.root)
            self._scan = Scan(self._place.root, self.door, self._listener.listen)
        else:
            self._scan = Scan(self._place.root, self.door)
        self._tracker.begin_scan()
        self._slices = self._scan.slices()

    def _go_on(self) -> None:
        assert self._slices is not None
        found = next(self._slices, None)
        if found is None:
            self._end_scan()
            return
        now, monotonic, first = self.clock.now(), self.clock.monotonic(), self._scans == 0
        for path, look, changed_s in found:
            if self._owner.is_kept(path, look):
                continue
            # What was there before us has rested since the kernel last saw it change; only it can tell, so not abroad.
            rested = first and not self._is_network and self._settle_s <= now - changed_s
            self._tracker.see(path, look, monotonic, now, rested=rested)
        if len(found) > 1:
            self.clock.wait(self.stopping, BREATH_S)

    def _end_scan(self) -> None:
        self._slices = None
        self._scanned = self._scan
        for path in self._tracker.end_scan():
            self._owner.notes.pop(path, None)
        if self._listener is not None:
            self._listener.end_scan()
        self._scans += 1
        self._scan_ended = self.clock.monotonic()
        self._scan_took = self._scan_ended - self._scan_begun
        every_s = self.rule.rescan_s if self.mode == "watch" else min(POLL_S, self.rule.rescan_s)
        self._rescan_at = self._scan_ended + every_s

    def _take(self, until: float) -> None:
        if self._owner.trouble or self._full or self._tracker.next_settled() is None:
            return
        room = self._room()
        before = len(self._tracker)
        self._owner.take(self._tracker, room, until, first=not self._open_files)
        self._open_files += before - len(self._tracker)

    def _room(self) -> int:
        return self.rule.max_ahead - self._open_files - len(self._owner.held)

    # ── what is told ──

    @property
    def mode(self) -> str:
        """`watch` where a change is heard at once, `scan` where it is found by looking."""
        return "scan" if self._listener is None else self._listener.mode

    def _wait_s(self) -> float:
        now = self.clock.monotonic()
        due = self._reconcile_at
        if self._open_files:
            due = min(due, max(now + ENDED_S, self._end_soonest))
            if intake.has_unmoved(self._ledger, self._folder) and not self._ender.trouble:
                due = now
        if self.retired:
            return max(0.0, due - now)
        due = min(due, self._scan_due_at())
        for deadline in (self._tracker.deadline, self._owner.tracker.deadline if self._owner.held else None):
            due = min(due, _NEVER if deadline is None else deadline)
        can_take = self._room() > 0 and not self._owner.trouble and not self._full
        if self._slices is not None or (can_take and self._tracker.next_settled() is not None):
            due = now
        return max(0.0, due - now)

    def _tell(self, at_rest: bool) -> None:
        """Write how it does, but not again and again while files pour in."""
        monotonic, now = self.clock.monotonic(), self.clock.now()
        if not at_rest and monotonic < self._told_at + TELL_S:
            return
        self._told_at = monotonic
        full = f"less than {self.rule.min_free_bytes / 1e6:.0f} MB are free: nothing is taken in until there is more"
        ear = self._listener
        status = replace(
            self._teller.status,
            mode=self.mode,
            waiting=self._tracker.settled_count,
            settling=self._tracker.settling_count + len(self._owner.held),
            ignored=self._scanned.ignored_count,
            scanned_at=now - (monotonic - self._scan_ended) if self._scans else None,
            scan_ms=round(self._scan_took * 1000, 1),
            restarts=ear.restarts if ear is not None else 0,
            message=(full if self._full else None)
            or self._owner.trouble
            or self._ender.trouble
            or self._foreign
            or (ear.trouble if ear is not None else None),
        )
        waiting = self._tracker.settled(WAITING_LISTED)
        self._teller.tell(status, self._teller.sightings(self._scanned, self._tracker, self._owner, waiting, now), now)

    @property
    def busy(self) -> bool:
        """Whether a file is on its way in or out: a consumer that drains waits until not."""
        if not self._place.is_open:
            return not self._tried  # a drain that begins must not end before the first look
        if self.retired:
            return self.has_open_files
        heard = self._listener is not None and (self._listener.must_scan or self._listener.has_hints)
        if not self._scans or self._slices is not None or heard or self._owner.held or len(self._tracker):
            return True
        return self.has_open_files

    @property
    def has_open_files(self) -> bool:
        return intake.open_count(self._ledger, self._folder) > 0

    def stop(self, message: str | None = "nobody watches it now: start jobdesk or jobdesk --consumer") -> None:
        """Let another process be the master. It must not run meanwhile, nor afterwards."""
        self._hush()
        if self._place.is_open and message is not None:
            with suppress(JobdeskError):
                self._teller.write(mode="offline", message=message)
        self._place.close()
