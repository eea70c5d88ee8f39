"""When a file counts as whole: unchanged for a while of a clock that never steps, over two looks at least."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from jobdesk.folders.scan import Look

_BETWEEN_LOOKS_S = 0.05


@dataclass(slots=True)
class _Seen:
    look: Look
    first_seen: float
    since: float
    need_s: float
    scan: int
    looks: int = 1
    settled: bool = False


class StabilityTracker:
    """Remembers how long each file has rested. Pure: it is told what was seen and when.

    Args:
        settle_s: how long a file must rest; 0: it is whole at the first look.
        empty_grace_s: how long an empty one must.
        size_only: a file rests as long as its size stays, whatever else changes.
    """

    def __init__(self, settle_s: float, empty_grace_s: float, *, size_only: bool = False) -> None:
        self._settle_s = settle_s
        self._empty_grace_s = empty_grace_s
        self._size_only = size_only
        self._seen: dict[bytes, _Seen] = {}
        self._due: list[tuple[float, bytes]] = []
        self._whole: list[tuple[float, bytes]] = []
        self._scan = 0
        self.settling_count = 0

    @property
    def deadline(self) -> float | None:
        """When the next file can have settled (monotonic seconds); None if none is settling."""
        while self._due:
            due, path = self._due[0]
            seen = self._seen.get(path)
            if seen is not None and not seen.settled and due >= self._due_at(seen):
                return due
            heapq.heappop(self._due)  # of an earlier time, or gone
        return None

    # ── what was seen ──

    def begin_scan(self) -> None:
        """What is not seen until `end_scan` has gone."""
        self._scan += 1

    def end_scan(self) -> list[bytes]:
        """The scan is over: which files have gone."""
        gone = [path for path, seen in self._seen.items() if seen.scan != self._scan]
        for path in gone:
            self.forget(path)
        return gone

    def see(self, path: bytes, look: Look, monotonic: float, now: float, *, rested: bool = False) -> None:
        """A file was looked at. `monotonic` measures rest, `now` (epoch seconds) is only remembered as first seen.

        Args:
            rested: it is known to have rested long enough before it was ever seen here.
        """
        seen = self._seen.get(path)
        if seen is None:
            seen = self._seen[path] = _Seen(look, now, monotonic, self._need(look), self._scan)
            self.settling_count += 1
            if rested and look.size:
                seen.need_s, seen.looks = 0.0, 2
        elif self._changed(seen.look, look):
            self._unsettle(seen)
            seen.look, seen.since, seen.need_s, seen.looks = look, monotonic, self._need(look), 1
        else:
            seen.looks += 1
            seen.look = look
            if seen.settled:
                seen.scan = self._scan
                return
        seen.scan = self._scan
        if monotonic - seen.since >= seen.need_s and (seen.looks >= 2 or not seen.need_s):
            seen.settled = True
            self.settling_count -= 1
            heapq.heappush(self._whole, (seen.first_seen, path))
        else:
            due = max(self._due_at(seen), monotonic + _BETWEEN_LOOKS_S)
            heapq.heappush(self._due, (due, path))

    def due(self, monotonic: float, limit: int) -> list[bytes]:
        """Files that are to be looked at again now, each once."""
        found: list[bytes] = []
        while len(found) < limit and (deadline := self.deadline) is not None and deadline <= monotonic:
            found.append(heapq.heappop(self._due)[1])
        return found

    # ── what is whole ──

    def next_settled(self) -> bytes | None:
        """The file that rested long enough and was first seen."""
        while self._whole:
            first_seen, path = self._whole[0]
            seen = self._seen.get(path)
            if seen is not None and seen.settled and seen.first_seen == first_seen:
                return path
            heapq.heappop(self._whole)
        return None

    def take_settled(self) -> bytes | None:
        """The same, once: the file must be forgotten, or begun again, then."""
        path = self.next_settled()
        if path is not None:
            heapq.heappop(self._whole)
        return path

    def settled(self, limit: int | None = None) -> list[bytes]:
        """Paths of the files that rested long enough, first seen first; of very many only those found first."""
        found = ((seen.first_seen, path) for path, seen in self._seen.items() if seen.settled)
        return [path for _, path in sorted(islice(found, limit))]

    @property
    def settled_count(self) -> int:
        return len(self._seen) - self.settling_count

    def settling(self) -> Iterator[bytes]:
        """Paths of the others, in the order in which they were seen."""
        return (path for path, seen in self._seen.items() if not seen.settled)

    def is_settled(self, path: bytes) -> bool:
        """Whether the file has rested long enough."""
        seen = self._seen.get(path)
        return seen is not None and seen.settled

    def signature(self, path: bytes) -> Look:
        """What the file looked like when it was last seen."""
        return self._seen[path].look

    def first_seen(self, path: bytes) -> float:
        """When the name was first seen, epoch seconds."""
        return self._seen[path].first_seen

    def rested_s(self, path: bytes, monotonic: float) -> float:
        """How long the file has not changed."""
        return monotonic - self._seen[path].since

    # ── second thoughts ──

    def again(self, path: bytes, monotonic: float, at_least_s: float = _BETWEEN_LOOKS_S) -> None:
        """The file is not whole after all: its rest begins anew."""
        seen = self._seen[path]
        self._unsettle(seen)
        seen.since, seen.looks, seen.need_s = monotonic, 1, max(self._need(seen.look), at_least_s)
        heapq.heappush(self._due, (self._due_at(seen), path))

    def require(self, path: bytes, need_s: float, monotonic: float) -> None:
        """This file must rest so long in all, as long as it does not change."""
        seen = self._seen[path]
        self._unsettle(seen)
        seen.need_s = max(seen.need_s, need_s)
        heapq.heappush(self._due, (max(self._due_at(seen), monotonic + _BETWEEN_LOOKS_S), path))

    def forget(self, path: bytes) -> None:
        """The file has left the folder."""
        seen = self._seen.pop(path, None)
        if seen is not None and not seen.settled:
            self.settling_count -= 1

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, path: bytes) -> bool:
        return path in self._seen

    def _unsettle(self, seen: _Seen) -> None:
        self.settling_count += seen.settled
        seen.settled = False

    def _changed(self, before: Look, now: Look) -> bool:
        return before.size != now.size if self._size_only else before != now

    def _due_at(self, seen: _Seen) -> float:
        return seen.since + seen.need_s

    def _need(self, look: Look) -> float:
        return self._settle_s if look.size else max(self._settle_s, self._empty_grace_s)
