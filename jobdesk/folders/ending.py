"""What becomes of a file when its work is over, and what to do about claims that a killed process left.

The file is moved first and recorded after, so the record never promises what is not on disk. A claim without a
record is taken up again; one whose record says finished is ended once more.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk.core.clock import Clock
from jobdesk.core.names import shown
from jobdesk.folders import claim, finish, quarantine
from jobdesk.folders.claim import Claim
from jobdesk.folders.owning import Owner
from jobdesk.folders.place import Place
from jobdesk.folders.rules import DONE, REASONS, FolderRule
from jobdesk.folders.slips import Slips
from jobdesk.ledger import intake
from jobdesk.ledger.database import Ledger

_BATCH = 100
_CRASHES = frozenset({"WorkerCrashed", "Stalled", "MemoryError"})
_STORAGE = frozenset({"OSError", "IOError", "FileNotFoundError", "PermissionError", "StorageError", "BlockingIOError"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a file ends; `reason` is one of the closed list."""

    state: str
    reason: str | None = None
    message: str | None = None


def verdict(ended: intake.Ended) -> Verdict:
    """Judge a file by what its jobs made of it. A cancelled upload is rejected, never deleted."""
    file, failure = ended.file, ended.failure
    if ended.completed is None:
        return Verdict(file.state, file.reason, file.message)
    if ended.completed:
        return Verdict("done")
    if failure is None:
        return Verdict("rejected", "cancelled", "its job was deleted")
    message = failure.message or f"its job {failure.type} is {failure.state}"
    return Verdict("rejected", reason_of(failure), message)


def reason_of(failure: intake.Failure) -> str:
    """The word of the closed list that fits a failed job."""
    kind = failure.error_type or ""
    if kind in REASONS:
        return kind
    if failure.state in ("cancelled", "expired"):
        return failure.state
    if kind in _CRASHES:
        return "crashed-worker"
    if kind in _STORAGE:
        return "storage-failed"
    return "timeout" if kind == "Timeout" else "failed"


class Ender:
    """Moves the files of one folder to where their story ends."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        rule: FolderRule,
        place: Place,
        slips: Slips,
        quarantine: Path,
        changes: Callable[[], int],
    ) -> None:
        self._changes = changes
        self._ledger = ledger
        self._clock = clock
        self._rule = rule
        self._place = place
        self._slips = slips
        self._quarantine = quarantine
        self._folder = str(rule.path)
        self._version: int | None = None
        self._suspect = False
        """Whether a file ended as infected, or as the same content as another."""
        self.trouble: str | None = None
        """Why a file could not be moved; it is tried again."""

    def end(self) -> int:
        """Move every file whose work is over; how many."""
        self.trouble, moved = None, 0
        while True:
            batch = intake.ended(self._ledger, self._folder, self._clock.now(), _BATCH)
            settled = self._end(batch)
            moved += settled
            if settled == len(batch) == _BATCH:
                continue
            if not self._suspect or not self._condemn():
                return moved

    def _condemn(self) -> int:
        """Files that were left out for the same content as one that proved to be infected go where that is."""
        self._suspect, found = False, 0
        for twin in intake.infected_twins(self._ledger, self._folder):
            try:
                if twin.finished_at is not None and not finish.take_back(self._place, twin):
                    continue
            except OSError as error:
                self.trouble = f"{shown(twin.path)} is infected and cannot be moved: {error.strerror or error}"
                continue
            with self._ledger.write() as tx:
                found += intake.condemn(tx, twin, f"{twin.message}, which is infected")
        return found

    def _end(self, batch: list[intake.Ended]) -> int:
        moved: list[tuple[intake.Ended, Verdict, bytes | None]] = []
        for one in batch:
            judged = verdict(one)
            try:
                moved.append((one, judged, self._move(one, judged)))
            except OSError as error:
                self.trouble = f"{shown(one.file.path)} cannot be moved to its end: {error.strerror or error}"
        if not moved:
            return 0
        late: set[str] = set()
        with self._ledger.write() as tx:
            for one, judged, target in moved:
                name, why = shown(one.file.path), judged.reason
                if not intake.finish(tx, one, judged.state, name, reason=why, message=judged.message, moved_to=target):
                    late.add(one.file.id)
        self._suspect |= any(judged.reason == "virus" or judged.state == "duplicate" for _, judged, _ in moved)
        for one, _, target in moved:
            if one.file.id not in late:
                self._slips.gone(one.file.id)
            elif target is not None:  # its work was taken up again while we moved its file: it needs it there
                finish.move(target, self._place.data(one.file.id))
        return len(moved) - len(late)

    def _move(self, ended: intake.Ended, judged: Verdict) -> bytes | None:
        file, place = ended.file, self._place
        if judged.state != "rejected":
            # As its folder said when it was taken in: what says keep now had it moved here, and this is all there is.
            if (file.source or self._rule.source) != "archive":
                finish.remove(place, file.id)
                return None
            return finish.archive(place, DONE, file.id, file.path, ended.at)
        reason, message = judged.reason or "failed", judged.message or ""
        told = finish.sidecar(file, reason, message, ended.at, ended.failure)
        if reason != "virus":
            return finish.reject(place, file.id, file.path, ended.at, told)
        return self._quarantined(ended, told)

    def _quarantined(self, ended: intake.Ended, told: Mapping[str, Any]) -> bytes | None:
        file, place = ended.file, self._place
        job = ended.failure.job if ended.failure is not None else None
        kept = quarantine.of_scan(self._quarantine, job, file.sha256)
        if kept is not None:
            target: bytes | None = finish.quarantined(place, kept, file.id, told)
        else:
            target = finish.quarantine(place, self._quarantine, file.id, file.path, told)
        lies = {"retry": "it lies in the quarantine"}
        finish.write_sidecar(place, file.id, file.path, ended.at, {**told, **lies})
        return target

    def reconcile(self, owner: Owner) -> str | None:
        """Bring claims on disk and their records together; a sentence where somebody must act.

        Run at the start and now and then: what it mends is rare, and harmless until then.
        """
        said = None
        _clear(self._place.tmp)
        written = self._slips.read()
        on_disk = [os.fsdecode(name) for name in sorted(os.listdir(self._place.claimed))]
        for id_ in written.keys() - set(on_disk):
            if claim.carry_on(self._place, written[id_][0]):
                on_disk.append(id_)
            else:
                self._slips.gone(id_)
        records = intake.known(self._ledger, on_disk)
        for id_ in on_disk:
            record = records.get(id_)
            if record is None:
                said = self._take_up(id_, written.get(id_), owner) or said
            elif record.finished_at is not None:
                self._reopen(record)
        version = self._changes()
        if version == self._version:
            return said
        self._version = version
        self._condemn()  # a kill came between
        for file in intake.revived(self._ledger, self._folder):
            if file.reason == "virus" or finish.take_back(self._place, file):
                self._reopen(file)
        return said

    def _reopen(self, file: intake.Owned) -> None:
        with self._ledger.write() as tx:
            intake.reopen(tx, file)

    def _take_up(self, id_: str, written: tuple[Claim, str | None] | None, owner: Owner) -> str | None:
        """A claim that no record knows: resume it, unless it is another desk's."""
        if id_ in owner.held:
            return None
        one, whose = written or (claim.unwritten(self._place, id_), None)
        if whose not in (None, str(self._ledger.path)) and os.path.exists(str(whose)):
            return f"files in {self._folder} are claimed by another desk ({whose}): let it finish them"
        owner.resume(one)
        return None


def _clear(folder: bytes) -> None:
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
