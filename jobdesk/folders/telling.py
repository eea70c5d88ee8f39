"""What people are told of a folder: how it does, and each file that is there and not taken, with the reason."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from jobdesk.folders.owning import Owner
from jobdesk.folders.scan import LISTED, Scan
from jobdesk.folders.settle import StabilityTracker
from jobdesk.ledger import folders, intake
from jobdesk.ledger.database import Ledger

WAITING_LISTED = 100
"""How many waiting files are named; all are counted."""


class Teller:
    """Writes status and sightings of one folder to the ledger, where they differ from what it wrote last."""

    def __init__(self, ledger: Ledger, status: folders.Status, every_s: float) -> None:
        self._ledger = ledger
        self._every_s = every_s
        self.status = status
        self._written: folders.Status | None = None
        self._said: dict[bytes, intake.Sighting] | None = None

    def write(self, **changed: object) -> None:
        """Write the status with these changes, whatever was written before."""
        self.status = replace(self.status, **changed)  # type: ignore[arg-type]
        with self._ledger.write() as tx:
            folders.report(tx, self.status)
        self._written = None

    def tell(self, status: folders.Status, seen: dict[bytes, intake.Sighting], now: float) -> None:
        """Write what is new; a status in which only the time of the scan differs now and then."""
        if self._said is None:
            self._said = {one.path: one for one in intake.sightings(self._ledger, status.path)}
        gone = [path for path in self._said if path not in seen]
        changed = [one for path, one in seen.items() if self._said.get(path) != one]
        last = self._written
        if last is not None and not gone and not changed:
            same = status == replace(last, scanned_at=status.scanned_at, scan_ms=status.scan_ms)
            if same and now - (last.scanned_at or 0) < self._every_s:
                return
        with self._ledger.write() as tx:
            folders.report(tx, status)
            intake.sighted(tx, status.path, gone, changed)
        self.status = self._written = status
        self._said = seen

    def sightings(
        self, scan: Scan, tracker: StabilityTracker, owner: Owner, waiting: Iterable[bytes], now: float
    ) -> dict[bytes, intake.Sighting]:
        """What is there and not taken, as far as a person would read it."""
        seen: dict[bytes, intake.Sighting] = {}

        def add(path: bytes, state: str, reason: str | None, size: int | None, first_seen: float) -> None:
            if len(seen) < LISTED:
                seen[path] = intake.Sighting(path, state, reason, size, first_seen)

        for one in owner.held.values():
            size = one.look.size if one.look else None
            state, why = "settling", "it was written to while it was claimed"
            if owner.trouble:
                state, why = "claimed", owner.trouble
            add(one.path, state, why, size, one.first_seen)
        for path in islice(tracker.settling(), min(LISTED, tracker.settling_count)):
            look = tracker.signature(path)
            state, reason = owner.notes.get(path) or ("settling", None if look.size else "empty: waits to be filled")
            add(path, state, reason, look.size, tracker.first_seen(path))
        for path in waiting:
            add(path, "waiting", None, tracker.signature(path).size, tracker.first_seen(path))
        for path, why in scan.ignored:
            before = (self._said or {}).get(path)
            add(path, "ignored", why, None, before.first_seen if before else now)
        return seen
