"""From a settled file to a stored job: claim, hash, tell duplicates, submit, a batch at a time."""

import logging
import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError
from jobdesk.core.ids import ids
from jobdesk.core.names import shown
from jobdesk.folders import claim
from jobdesk.folders.claim import CannotClaim, CannotRead, Claim, Content, Ready
from jobdesk.folders.finish import plain_name
from jobdesk.folders.place import Place
from jobdesk.folders.rules import UNSURE_SETTLE_S, FolderRule
from jobdesk.folders.scan import look_of
from jobdesk.folders.settle import StabilityTracker
from jobdesk.ledger import intake
from jobdesk.ledger.database import Ledger, Tx

BATCH_FILES = 100
BATCH_BYTES = 64_000_000
_CUT_S = 60.0
"""How long a file whose end is missing may take to get it, where nobody can say whether it is being written."""


class Submit(Protocol):
    """Checks a job and stores it in an open transaction; its id, and that of its flow if it has one."""

    def __call__(self, tx: Tx, *, type: str, data: Mapping[str, Any], source: str) -> tuple[str, str | None]: ...


class Owner:
    """Takes settled files of one folder in.

    Args:
        accepts: parameters of the pipeline's job type that it may be given; None means any.
        stopping: asked between blocks of a long read.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        rule: FolderRule,
        place: Place,
        submit: Submit,
        accepts: frozenset[str] | None,
        stopping: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._rule = rule
        self._place = place
        self._submit = submit
        self._accepts = accepts
        self._stopping = stopping
        self._folder = str(rule.path)
        self.held: dict[str, Claim] = {}
        """Claimed and not yet recorded: still written by somebody, found after a crash, or refused by the ledger."""
        self.tracker = StabilityTracker(rule.settle_s, rule.settle_s)
        """How long the held ones have rested."""
        self.notes: dict[bytes, tuple[str, str]] = {}
        """Why a settled file is not taken: state and reason, by path."""
        self.trouble: str | None = None
        """Why files cannot be submitted now."""

    def resume(self, found: Claim) -> None:
        """Go on with a claim that an earlier process, or an earlier step, left."""
        self.held.setdefault(found.id, found)

    def look_at_held(self) -> None:
        """See which held files rest, and take those in that do."""
        looks = {}
        for id_ in list(self.held):
            try:
                looks[id_.encode()] = look_of(os.lstat(self._place.data(id_)))
            except FileNotFoundError:
                del self.held[id_]
                claim.discard(self._place, id_)
        self.tracker.look(looks, self._clock.monotonic(), self._clock.now())
        whole = [
            Claim(one.id, one.path, one.first_seen, one.claimed_at, looks[id_])
            for id_ in self.tracker.settled()
            for one in (self.held[id_.decode()],)
        ]
        for start in range(0, len(whole), BATCH_FILES):
            self._own(whole[start : start + BATCH_FILES])

    def take(self, ready: deque[bytes], tracker: StabilityTracker, room: int, until: float) -> None:
        """Claim files from the front of `ready` and take them in, until `room` or the time is used up."""
        while ready and room > 0 and not self._stopping():
            batch: list[Claim] = []
            size = 0
            while ready and len(batch) < min(BATCH_FILES, room) and size < BATCH_BYTES:
                path = ready.popleft()
                look = tracker.signature(path)
                taken = self._claim(path, tracker)
                if taken is not None:
                    batch.append(taken)
                    size += look.size
            self._own(batch)
            room -= len(batch)
            if self.trouble or self._clock.monotonic() >= until:
                return

    def _claim(self, path: bytes, tracker: StabilityTracker) -> Claim | None:
        """Take one file out of the folder, if it may be."""
        look, now = tracker.signature(path), self._clock.monotonic()
        try:
            found = claim.inspect(os.path.join(self._place.root, path), look)
            if not self._may_take(path, found, tracker, now):
                return None
            id_ = ids.new("file", self._clock.now())
            first_seen = tracker.first_seen(path)
            try:
                taken = claim.take(self._place, id_, path, look, first_seen, self._clock.now(), str(self._ledger.path))
            except OSError:
                claim.discard(self._place, id_)
                raise
        except (CannotRead, CannotClaim) as error:
            self._leave(path, "unreadable" if isinstance(error, CannotRead) else "cannot-claim", str(error))
            tracker.again(path, now)
            tracker.require(path, self._rule.rescan_s, now)
            return None
        if taken is None:
            tracker.again(path, now)
            return None
        self.notes.pop(path, None)
        tracker.forget(path)
        self.held[id_] = taken
        return taken

    def _may_take(self, path: bytes, found: Ready, tracker: StabilityTracker, now: float) -> bool:
        rested_s = tracker.rested_s(path, now)
        if found is Ready.CHANGED:
            tracker.again(path, now)
        elif found is Ready.BUSY:
            self.notes[path] = ("settling", "a program has it open for writing")
            tracker.again(path, now)
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

    def _own(self, claims: list[Claim]) -> None:
        """Read claimed files and record them with their jobs; what is not whole, or refused, stays held."""
        whole: list[Content] = []
        for one in claims:
            try:
                content = claim.read(self._place, one, self._stopping)
            except OSError as error:
                self._leave(one.path, "unreadable", error.strerror or str(error))
                continue
            if content is not None:
                whole.append(content)
        if not whole:
            return
        try:
            with self._ledger.write() as tx:
                recorded = [content for content in whole if self._record(tx, content)]
        except JobdeskError as error:
            self.trouble = str(error)
            return
        if len(recorded) == len(whole):
            self.trouble = None
        for content in recorded:
            self.held.pop(content.claim.id, None)
            self.tracker.forget(content.claim.id.encode())

    def _record(self, tx: Tx, content: Content) -> bool:
        """Record one file: as refused, as a duplicate, or as queued with its job. False: its job was refused."""
        one, base = content.claim, _owned(content, self._folder)
        if content.size == 0:
            said = f"it stayed empty for {self._rule.empty_grace_s:g} s"
            intake.take(tx, base("rejected", reason="empty", message=said), shown(one.path))
            return True
        if self._rule.duplicates == "skip":
            same = intake.same_content(tx, self._folder, content.sha256)
            if same is not None and same.id != one.id:
                said = f"the same content as {shown(same.path)}"
                owned = base("duplicate", reason="duplicate", message=said, duplicate_of=same.job)
                intake.take(tx, owned, shown(one.path))
                return True
        if intake.is_known(tx, one.id):
            return True
        tx.run("SAVEPOINT file")
        try:
            job, flow = self._submit(tx, type=self._rule.pipeline, data=self.payload(one), source=self._folder)
        except JobdeskError as error:
            tx.run("ROLLBACK TO file")
            self.trouble = f"{shown(one.path)} cannot be submitted: {error}"
            return False
        finally:
            tx.run("RELEASE file")
        intake.take(tx, base("queued", job=job, flow=flow), shown(one.path))
        return True

    def payload(self, one: Claim) -> dict[str, Any]:
        """What the job is told of a file, as far as its type has parameters for it."""
        album = os.path.dirname(one.path)
        offered: dict[str, Any] = {"name": shown(plain_name(one.path)), "album": shown(album) if album else None}
        offered |= self._rule.data
        kept = {key: value for key, value in offered.items() if self._accepts is None or key in self._accepts}
        return kept | {"source": os.fsdecode(self._place.data(one.id))}


def _owned(content: Content, folder: str) -> Callable[..., intake.Owned]:
    one = content.claim

    def made(state: str, **more: Any) -> intake.Owned:
        return intake.Owned(
            id=one.id,
            folder=folder,
            path=one.path,
            state=state,
            first_seen=one.first_seen,
            claimed_at=one.claimed_at,
            sha256=content.sha256,
            size=content.size,
            detected_type=content.detected_type,
            **more,
        )

    return made
