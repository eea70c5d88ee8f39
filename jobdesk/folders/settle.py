"""When a file counts as whole: unchanged for a while of a clock that never steps, over two looks at least."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobdesk.folders.scan import Look

_BETWEEN_LOOKS_S = 0.05


@dataclass(slots=True)
class _Seen:
    look: Look
    first_seen: float
    since: float
    need_s: float
    looks: int = 1
    settled: bool = False


class StabilityTracker:
    """Remembers how long each file has rested. Pure: it is told what was seen and when.

    Args:
        settle_s: how long a file must rest.
        empty_grace_s: how long an empty one must.
    """

    def __init__(self, settle_s: float, empty_grace_s: float) -> None:
        self._settle_s = settle_s
        self._empty_grace_s = empty_grace_s
        self._seen: dict[bytes, _Seen] = {}
        self.deadline: float | None = None
        """When the next file can have settled (monotonic seconds); None if none is settling."""

    def look(self, files: Mapping[bytes, Look], monotonic: float, now: float) -> None:
        """Take in a scan. `monotonic` measures rest, `now` (epoch seconds) is only remembered as first seen."""
        before, self._seen = self._seen, {}
        for path, look in files.items():
            seen = before.get(path)
            if seen is None:
                seen = _Seen(look, now, monotonic, self._need(look))
            elif seen.look != look:
                seen = _Seen(look, seen.first_seen, monotonic, self._need(look))
            else:
                seen.looks += 1
                seen.settled = seen.looks >= 2 and monotonic - seen.since >= seen.need_s
            self._seen[path] = seen
        self._plan(monotonic)

    def settled(self) -> list[bytes]:
        """Paths of the files that rested long enough, first seen first."""
        whole = [(seen.first_seen, path) for path, seen in self._seen.items() if seen.settled]
        return [path for _, path in sorted(whole)]

    def settling(self) -> list[bytes]:
        """Paths of the others, in the order of the scan."""
        return [path for path, seen in self._seen.items() if not seen.settled]

    def signature(self, path: bytes) -> Look:
        """What the file looked like when it was last seen."""
        return self._seen[path].look

    def first_seen(self, path: bytes) -> float:
        """When the name was first seen, epoch seconds."""
        return self._seen[path].first_seen

    def rested_s(self, path: bytes, monotonic: float) -> float:
        """How long the file has not changed."""
        return monotonic - self._seen[path].since

    def again(self, path: bytes, monotonic: float) -> None:
        """The file is not whole after all: its rest begins anew."""
        seen = self._seen[path]
        seen.since, seen.looks, seen.settled = monotonic, 1, False
        self._plan(monotonic, [path])

    def require(self, path: bytes, need_s: float, monotonic: float) -> None:
        """This file must rest so long in all, as long as it does not change."""
        seen = self._seen[path]
        seen.need_s = max(seen.need_s, need_s)
        seen.settled = False
        self._plan(monotonic, [path])

    def forget(self, path: bytes) -> None:
        """The file has left the folder."""
        self._seen.pop(path, None)

    def __len__(self) -> int:
        return len(self._seen)

    def _need(self, look: Look) -> float:
        return self._settle_s if look.size else max(self._settle_s, self._empty_grace_s)

    def _plan(self, monotonic: float, paths: Iterable[bytes] | None = None) -> None:
        soonest = self.deadline if paths is not None else None
        for path in self._seen if paths is None else paths:
            seen = self._seen[path]
            if not seen.settled:
                due = max(seen.since + seen.need_s, monotonic + _BETWEEN_LOOKS_S)
                soonest = due if soonest is None else min(soonest, due)
        self.deadline = soonest
