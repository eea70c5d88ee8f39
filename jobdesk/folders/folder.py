"""One drop folder at work: looks, waits until files are whole, takes them in, and moves them when they end.

Events only wake it; what it does follows from what a look shows, what lies among its claims, and the ledger.
Whoever runs it calls `run_once`, never twice at a time.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.durations import size
from jobdesk.core.errors import JobdeskError
from jobdesk.folders.door import Door
from jobdesk.folders.ending import Ender
from jobdesk.folders.hearing import Ear, Listener
from jobdesk.folders.looking import Looker
from jobdesk.folders.owning import Owner, Submit
from jobdesk.folders.place import Offline, Place
from jobdesk.folders.rules import FolderRule
from jobdesk.folders.slips import Slips
from jobdesk.folders.telling import WAITING_LISTED, Teller
from jobdesk.ledger import folders, intake
from jobdesk.ledger.database import Ledger

RECONCILE_S = 60.0
WORK_S = 0.25
"""How long a folder works at a time; then others have their turn."""
ENDED_S = 0.25
"""How often the ledger is asked what ended, while work is open and it changes."""
STANDBY_S = 2.0
"""How often a second process tries to become the master."""
OFFLINE_S = 5.0
TELL_S = 0.5
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
        slips = Slips(self._place)
        self._owner = Owner(ledger, clock, self.door, self._place, slips, submit, accepts, self.stopping.is_set)
        self._ender = Ender(ledger, clock, rule, self._place, slips, quarantine, self._changes)
        self._listener = None if ear is None or rule.watch == "poll" else Listener(ear, rule, wake)
        status = folders.Status(path=self._folder, pipeline=rule.pipeline, mode="offline", consumer=consumer)
        self._teller = Teller(ledger, status, rule.rescan_s)
        self._looker = Looker(clock, self.door, self._owner, self._listener, self.stopping)
        self._complaint: str | None = None
        self._tried = False
        self._scan_asked: float | None = None
        self.retired = False
        """It takes nothing in any more: what is at work is still brought to its end."""
        self._reset()

    def _reset(self) -> None:
        """Forget what was seen: the folder is another, or has a new master."""
        self._looker.begin_anew(self._place.root)
        self._tracker = self._looker.tracker
        if self._place.root:
            self._owner.reset()
        self._reconcile_at = self._told_at = _LONG_AGO
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
        self._looker.look_again()
        if not self._looker.is_scanning and self._scan_is_due():
            self._looker.begin_scan()
        if self._owner.held:
            self._owner.look_at_held()
        else:
            self._owner.trouble = None
        self._take(until)
        while self._looker.is_scanning and not self.stopping.is_set():
            self._looker.go_on()
            self._take(until)
            if self.clock.monotonic() >= until:
                return

    def _scan_is_due(self) -> bool:
        asked = folders.scan_wanted_at(self._ledger, self._folder)
        if asked != self._scan_asked:
            self._scan_asked = asked
            return True
        return self.clock.monotonic() >= self._looker.due_at()

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
        return self._looker.mode

    def _wait_s(self) -> float:
        now = self.clock.monotonic()
        due = self._reconcile_at
        if self._open_files:
            due = min(due, max(now + ENDED_S, self._end_soonest))
            if intake.has_unmoved(self._ledger, self._folder) and not self._ender.trouble:
                due = now
        if self.retired:
            return max(0.0, due - now)
        due = min(due, self._looker.due_at())
        for deadline in (self._tracker.deadline, self._owner.tracker.deadline if self._owner.held else None):
            due = min(due, _NEVER if deadline is None else deadline)
        can_take = self._room() > 0 and not self._owner.trouble and not self._full
        if self._looker.is_scanning or (can_take and self._tracker.next_settled() is not None):
            due = now
        return max(0.0, due - now)

    def _tell(self, at_rest: bool) -> None:
        """Write how it does, but not again and again while files pour in."""
        monotonic, now = self.clock.monotonic(), self.clock.now()
        if not at_rest and monotonic < self._told_at + TELL_S:
            return
        self._told_at = monotonic
        full = f"less than {size(self.rule.min_free_bytes)} are free: nothing is taken in until there is more"
        ear, left = self._listener, self._looker.left()
        status = replace(
            self._teller.status,
            mode=self._looker.mode,
            waiting=self._tracker.settled_count + left["waiting"],
            settling=self._tracker.settling_count - left.total() + len(self._owner.held),
            ignored=self._looker.seen.ignored_count + left["ignored"],
            scanned_at=now - (monotonic - self._looker.ended_at) if self._looker.scans else None,
            scan_ms=round(self._looker.took_s * 1000, 1),
            restarts=ear.restarts if ear is not None else 0,
            message=(full if self._full else None)
            or self._owner.trouble
            or self._ender.trouble
            or self._foreign
            or (ear.trouble if ear is not None else None),
        )
        waiting = self._tracker.settled(WAITING_LISTED)
        seen = self._teller.sightings(self._looker.seen, self._tracker, self._owner, waiting, now)
        self._teller.tell(status, seen, now)

    @property
    def roots(self) -> frozenset[bytes]:
        """Where it is, by its name and, once it was reached, really; the disk is not asked."""
        return frozenset({os.path.abspath(os.fsencode(self.rule.path)), self._place.root} - {b""})

    @property
    def busy(self) -> bool:
        """Whether a file is on its way in or out: a consumer that drains waits until not."""
        if not self._place.is_open:
            return not self._tried  # a drain that begins must not end before the first look
        if self.retired:
            return self.has_open_files
        if self._looker.is_busy or self._owner.held:
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
