"""From a settled file to a stored job: claim, hash, tell duplicates, submit, a batch at a time."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError
from jobdesk.core.ids import ids
from jobdesk.core.names import shown
from jobdesk.folders import claim, payload
from jobdesk.folders.claim import CannotClaim, CannotRead, Claim, Content, Ready
from jobdesk.folders.door import Door
from jobdesk.folders.finish import plain_name
from jobdesk.folders.place import Place
from jobdesk.folders.recording import record
from jobdesk.folders.rules import UNSURE_SETTLE_S, FolderRule
from jobdesk.folders.scan import Look, look_of
from jobdesk.folders.settle import StabilityTracker
from jobdesk.folders.slips import Slips
from jobdesk.ledger import dropped
from jobdesk.ledger.database import Ledger, Tx

FIRST_FILES = 16
BATCH_FILES = 250
BATCH_BYTES = 64_000_000
_CUT_S = 60.0
"""How long a file whose end is missing may take to get it, where nobody can say whether it is being written."""
_BUSY_S = 1.0
"""How often a file is looked at that a program has open, if nothing is heard."""


class Submit(Protocol):
    """Checks jobs and stores them in an open transaction: the id of each, and that of its flow; or why it was refused.

    Raises:
        JobdeskError: they cannot be stored together; what was done must be undone.
    """

    def __call__(
        self, tx: Tx, *, type: str, payloads: Sequence[Mapping[str, Any]], source: str
    ) -> Sequence[tuple[str, str] | JobdeskError]: ...


class Owner:
    """Takes settled files of one folder in.

    Args:
        accepts: says which parameters of the pipeline's job type it may be given; None means any.
        stopping: asked between blocks of a long read.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        door: Door,
        place: Place,
        slips: Slips,
        submit: Submit,
        accepts: Callable[[], frozenset[str] | None],
        stopping: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._door = door
        self._rule: FolderRule = door.rule
        self._place = place
        self._slips = slips
        self._submit = submit
        self._accepts = accepts
        self._stopping = stopping
        self._folder = str(self._rule.path)
        self._keep = self._rule.source == "keep"
        self.held: dict[str, Claim] = {}
        """Claimed and not yet recorded: still written by somebody, found after a crash, or refused by the ledger."""
        self.tracker = StabilityTracker(self._rule.settle_s, self._rule.settle_s)
        """How long the held ones have rested."""
        self.notes: dict[bytes, tuple[str, str]] = {}
        """Why a settled file is not taken: state and reason, by path."""
        self.trouble: str | None = None
        """Why files cannot be submitted now."""
        self.kept: dict[bytes, tuple[int, ...]] = {}
        """How files that stay in the folder looked when they were worked on."""

    def reset(self) -> None:
        """Forget what was held and noted; what is kept is as the ledger says."""
        self.held.clear()
        self.notes.clear()
        self.tracker = StabilityTracker(self._rule.settle_s, self._rule.settle_s)
        self.kept = dropped.kept(self._ledger, self._folder) if self._keep else {}

    def is_kept(self, path: bytes, look: Look) -> bool:
        """Whether this file was worked on as it is."""
        return self._keep and self.kept.get(path) == tuple(look)

    def resume(self, found: Claim) -> None:
        """Go on with a claim that an earlier process, or an earlier step, left."""
        self.held.setdefault(found.id, found)

    def look_at_held(self) -> None:
        """See which held files rest, and take those in that do."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        self.tracker.begin_scan()
        for id_ in list(self.held):
            try:
                self.tracker.see(id_.encode(), look_of(os.lstat(self._place.data(id_))), monotonic, now)
            except FileNotFoundError:
                del self.held[id_]
                self._slips.gone(id_)
        self.tracker.end_scan()
        whole = [replace(self.held[id_.decode()], look=self.tracker.signature(id_)) for id_ in self.tracker.settled()]
        for start in range(0, len(whole), BATCH_FILES):
            self._own(whole[start : start + BATCH_FILES])

    def take(self, tracker: StabilityTracker, room: int, until: float, first: bool = False) -> None:
        """Claim settled files and take them in, until `room` or the time is used up.

        Args:
            first: workers have nothing to do: a few files are enough to begin with.
        """
        most = FIRST_FILES if first else BATCH_FILES
        while room > 0 and not self._stopping():
            planned = self._plan(tracker, min(most, room), until)
            self._own(self._claim(planned, tracker))
            room -= len(planned)
            most = BATCH_FILES
            if self.trouble or not planned or self._clock.monotonic() >= until:
                return

    def _plan(self, tracker: StabilityTracker, most: int, until: float) -> list[Claim]:
        """Settled files that may be taken, as many as can be read in one go."""
        planned: list[Claim] = []
        size = 0
        while len(planned) < most and size < BATCH_BYTES and (path := tracker.take_settled()) is not None:
            look, now = tracker.signature(path), self._clock.monotonic()
            if self._is_ready(path, look, tracker, now):
                at = self._clock.now()
                planned.append(
                    Claim(ids.new("file", at), path, tracker.first_seen(path), at, source=look, kept=self._keep)
                )
                size += look.size
            if now >= until:
                break
        return planned

    def _is_ready(self, path: bytes, look: Look, tracker: StabilityTracker, now: float) -> bool:
        """Whether a settled file may be taken; if not, it is noted why, and when it is looked at again."""
        whole = os.path.join(self._place.root, path)
        barred = self._door.barred(whole)
        if barred is not None:
            self.notes[path] = barred
            tracker.again(path, now, self._rule.rescan_s)
            return False
        refused = self._door.size(look.size)
        if refused is not None:
            if self._keep:
                self._leave(path, *refused)
                tracker.again(path, now, self._rule.rescan_s)
            return not self._keep
        try:
            return self._may_take(path, claim.inspect(whole, look), tracker, now)
        except CannotRead as error:
            self._leave(path, "unreadable", str(error))
            tracker.again(path, now, self._rule.rescan_s)
            return False

    def _claim(self, planned: Sequence[Claim], tracker: StabilityTracker) -> list[Claim]:
        """Write these files down and take them out of the folder; which could be.

        Raises:
            OSError: nothing can be taken now; what was taken is held, the others rest anew.
        """
        taken: list[Claim] = []
        left = list(reversed(planned))
        try:
            if left:
                self._slips.write(planned, str(self._ledger.path))
            while left:
                found = self._take_one(left[-1], tracker)
                left.pop()
                if found is not None:
                    taken.append(found)
        finally:
            for one in left:
                tracker.again(one.path, self._clock.monotonic())
        return taken

    def _take_one(self, planned: Claim, tracker: StabilityTracker) -> Claim | None:
        path = planned.path
        try:
            taken = claim.take(self._place, planned)
        except CannotClaim as error:
            self._leave(path, "cannot-claim", str(error))
            tracker.again(path, self._clock.monotonic(), self._rule.rescan_s)
            self._slips.gone(planned.id)
            return None
        if taken is None:
            tracker.again(path, self._clock.monotonic())
            self._slips.gone(planned.id)
            return None
        self.notes.pop(path, None)
        tracker.forget(path)
        self.held[planned.id] = taken
        return taken

    def _may_take(self, path: bytes, found: Ready, tracker: StabilityTracker, now: float) -> bool:
        rested_s = tracker.rested_s(path, now)
        if found is Ready.CHANGED:
            tracker.again(path, now)
        elif found is Ready.BUSY:
            self.notes[path] = ("settling", "a program has it open for writing")
            tracker.again(path, now, _BUSY_S)
        elif found is Ready.CUT and rested_s < _CUT_S:
            self.notes[path] = ("settling", "its end is missing: it may still be on its way")
            tracker.require(path, _CUT_S, now)
        elif found is Ready.UNSURE and rested_s < UNSURE_SETTLE_S:
            tracker.require(path, UNSURE_SETTLE_S, now)
        else:
            return True
        return False

    def _leave(self, path: bytes, why: str, said: str) -> None:
        note = ("ignored", f"{why}: {said}")
        if self.notes.get(path) != note:
            logging.getLogger("jobdesk").warning("%s in %s is left alone: %s", shown(path), self._folder, note[1])
        self.notes[path] = note

    def _own(self, claims: Sequence[Claim]) -> None:
        """Read claimed files and record them with their jobs; what is not whole, or refused, stays held."""
        whole = [content for one in claims if (content := self._read(one)) is not None]
        if not whole:
            return
        try:
            with self._ledger.write() as tx:
                outcome = record(tx, self._rule, whole, lambda files: self._submit_all(tx, files))
        except JobdeskError as error:
            self.trouble = str(error)
            return
        self.trouble = outcome.trouble
        for content in outcome.recorded:
            self._let_go(content)
        for content in outcome.unneeded:  # a kept file that changed in nothing but its times
            with suppress(FileNotFoundError):
                os.unlink(self._place.data(content.claim.id))
            self._slips.gone(content.claim.id)
            self._let_go(content)

    def _let_go(self, content: Content) -> None:
        one = content.claim
        self.held.pop(one.id, None)
        self.tracker.forget(one.id.encode())
        marker = self._door.marker_of(one.path)
        if one.kept and one.source is not None:
            self.kept[one.path] = tuple(one.source)
        elif marker is not None:  # it has served: a file of the same name must have its own
            with suppress(OSError):
                os.unlink(os.path.join(self._place.root, marker))

    def _read(self, one: Claim) -> Content | None:
        """What a claimed file holds; None if it is not whole, or cannot be read now."""
        try:
            size = os.lstat(self._place.data(one.id)).st_size
            if size == 0:
                said = f"it stayed empty for {self._rule.empty_grace_s:g} s"
                return Content(one, 0, _NOTHING, refused=("empty", said))
            refused = self._door.size(size)
            if refused is not None:
                return Content(one, size, refused=refused)
            content = claim.read(self._place, one, self._stopping)
        except OSError as error:
            self._leave(one.path, "unreadable", error.strerror or str(error))
            return None
        if content is None or content.detected_type is None:
            return content
        return replace(content, refused=self._door.content(content.detected_type))

    def _submit_all(self, tx: Tx, files: Sequence[Content]) -> Sequence[tuple[str, str] | JobdeskError]:
        """Store the jobs of these files, together if that can be: a full queue takes what it has room for."""
        accepts = self._accepts()
        payloads = [self.payload(content, accepts) for content in files]
        try:
            with tx.nested():
                return self._submit(tx, type=self._rule.pipeline, payloads=payloads, source=self._folder)
        except JobdeskError as error:
            if len(files) == 1 or not tx.is_open:
                return [error]
        found: list[tuple[str, str] | JobdeskError] = []
        for one in payloads:
            try:
                with tx.nested():
                    found += self._submit(tx, type=self._rule.pipeline, payloads=[one], source=self._folder)
            except JobdeskError as error:
                return [*found, *[error] * (len(files) - len(found))]
        return found

    def payload(self, content: Content, accepts: frozenset[str] | None) -> dict[str, Any]:
        """What the job is told of a file: name and album if its type takes them, and what the rule says in any case."""
        one = content.claim
        look = one.source or one.look
        named = os.path.join(os.path.dirname(one.path), plain_name(one.path))
        known = payload.facts(
            named, size=content.size, sha256=content.sha256, mtime_ns=look.mtime_ns if look is not None else 0
        )
        offered: dict[str, Any] = {"name": known["name"], "album": known["folder"] or None}
        taken = {key: value for key, value in offered.items() if accepts is None or key in accepts}
        return taken | payload.fill(self._rule.data, known) | {"source": os.fsdecode(self._place.data(one.id))}


_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of no bytes."""
