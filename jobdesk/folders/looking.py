"""What is seen of a folder: single files that were heard of or may have settled, and all of it now and then."""

import threading
from collections import Counter
from collections.abc import Iterator

from jobdesk.core.clock import Clock
from jobdesk.folders.door import Door
from jobdesk.folders.hearing import Listener
from jobdesk.folders.owning import Owner
from jobdesk.folders.place import is_network
from jobdesk.folders.rules import UNSURE_SETTLE_S
from jobdesk.folders.scan import Found, Scan, look_at
from jobdesk.folders.settle import StabilityTracker

POLL_S = 2.0
"""Time between scans where nothing is heard."""
BREATH_S = 0.0005
"""Given to other threads after each slice of a scan."""
DUE_AT_ONCE = 2000
_LONG_AGO = float("-inf")


class Looker:
    """Looks through one folder, a slice at a time, and at single files of it.

    Args:
        listener: hears of changes; None: it only looks.
    """

    def __init__(
        self, clock: Clock, door: Door, owner: Owner, listener: Listener | None, stopping: threading.Event
    ) -> None:
        self._clock = clock
        self._door = door
        self._rule = door.rule
        self._owner = owner
        self._listener = listener
        self._stopping = stopping
        self.begin_anew(b"")

    def begin_anew(self, root: bytes) -> None:
        """Forget what was seen: the folder is another, or has a new master."""
        self._root = root
        self._is_network = bool(root) and is_network(root)
        self._settle_s = max(self._rule.settle_s, UNSURE_SETTLE_S) if self._is_network else self._rule.settle_s
        self.tracker = StabilityTracker(self._settle_s, self._rule.empty_grace_s, size_only=self._rule.stable == "size")
        self.seen = self._scan = Scan(root, self._door)
        """The last scan that is over."""
        self._slices: Iterator[list[Found]] | None = None
        self.scans = 0
        self.began_at = self.ended_at = self.took_s = 0.0
        self._again_at = _LONG_AGO

    @property
    def mode(self) -> str:
        """`watch` where a change is heard at once, `scan` where it is found by looking."""
        return "scan" if self._listener is None else self._listener.mode

    @property
    def is_scanning(self) -> bool:
        return self._slices is not None

    @property
    def is_busy(self) -> bool:
        """Whether something is to be looked at, or settling."""
        heard = self._listener is not None and (self._listener.must_scan or self._listener.has_hints)
        return not self.scans or self.is_scanning or heard or len(self.tracker) > self.left().total()

    def left(self) -> Counter[str]:
        """How many files have rested and are left as they are until somebody acts: by state, waiting or ignored."""
        notes, tracker = self._owner.notes.copy(), self.tracker
        noted = ((path, state) for path, (state, _) in notes.items() if state != "settling")
        return Counter(state for path, state in noted if path in tracker and not tracker.is_settled(path))

    # ── single files ──

    def look_again(self) -> None:
        """Look at single files: a folder of a hundred thousand is not looked through for one."""
        if not self.scans and not self.is_scanning:
            return
        now = self._clock.monotonic()
        heard = self._listener.hints() if self._listener is not None else set()
        for path in {self._door.marked(path) or path for path in heard}:
            if path in self._owner.notes and path in self.tracker:
                self.tracker.again(path, now, 0.0)
                if self._owner.notes[path][0] == "waiting":  # what it waits for may be there
                    del self._owner.notes[path]
            self._look_at(path)
        for path in self.tracker.due(now, DUE_AT_ONCE):
            self._look_at(path)

    def _look_at(self, path: bytes) -> None:
        found = look_at(self._root, self._door, path)
        if found is None or self._owner.is_kept(path, found.look):
            self.tracker.forget(path)
            self._owner.notes.pop(path, None)
        else:
            self.tracker.see(path, found.look, self._clock.monotonic(), self._clock.now())

    # ── all of it ──

    def due_at(self) -> float:
        """When the next scan is due, monotonic seconds."""
        due = self._again_at
        if self._listener is not None and (self._listener.must_scan or self._listener.is_deaf):
            due = _LONG_AGO
        # A huge folder is looked through a fifth of the time at the most.
        return max(due, self.ended_at + 4 * self.took_s) if self.scans else due

    def begin_scan(self) -> None:
        """Look through it from now on, with `go_on`."""
        self.began_at = self._clock.monotonic()
        if self._listener is not None:
            self._listener.begin_scan(self._root)
            self._scan = Scan(self._root, self._door, self._listener.listen)
        else:
            self._scan = Scan(self._root, self._door)
        self.tracker.begin_scan()
        self._slices = self._scan.slices()

    def go_on(self) -> None:
        """Look at one more slice.

        Raises:
            OSError: the folder cannot be listed.
        """
        found = None if self._slices is None else next(self._slices, None)
        if found is None:
            self._end_scan()
            return
        now, monotonic, first = self._clock.now(), self._clock.monotonic(), self.scans == 0
        for path, look, changed_s in found:
            if self._owner.is_kept(path, look):
                continue
            # What was there before us has rested since the kernel last saw it change; only it can tell, so not abroad.
            rested = first and not self._is_network and self._settle_s <= now - changed_s
            self.tracker.see(path, look, monotonic, now, rested=rested)
        if len(found) > 1:
            self._clock.wait(self._stopping, BREATH_S)

    def _end_scan(self) -> None:
        self._slices = None
        self.seen = self._scan
        for path in self.tracker.end_scan():
            self._owner.notes.pop(path, None)
        if self._listener is not None:
            self._listener.end_scan()
        self.scans += 1
        self.ended_at = self._clock.monotonic()
        self.took_s = self.ended_at - self.began_at
        every_s = self._rule.rescan_s if self.mode == "watch" else min(POLL_S, self._rule.rescan_s)
        self._again_at = self.ended_at + every_s
