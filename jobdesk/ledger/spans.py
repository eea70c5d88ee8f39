"""Spans of time as a sketch: how many lay where, within one percent, so that those of many minutes can be added up.

The bins are those of DDSketch. Each kind of span in a rollup is one of these, kept as bytes: the exact sum, how many
were as good as nothing, and a count for each bin from the first to the last.
"""

import struct
import zlib
from array import array
from collections.abc import Iterable, Sequence
from math import ceil
from operator import add

from ddsketch import LogarithmicMapping
from ddsketch.store import DenseStore

ACCURACY = 0.01
"""How far a percentile may be off, as a part of itself."""
LEAST_S = 0.0001
"""What is shorter counts as no time."""
_MAPPING = LogarithmicMapping(ACCURACY)
_HEAD = struct.Struct("<dIiI")


class Spans:
    """Seconds of many jobs."""

    __slots__ = ("_bins", "_zeros", "sum_s")

    def __init__(self) -> None:
        self.sum_s = 0.0
        self._zeros = 0
        self._bins = DenseStore()

    @property
    def count(self) -> int:
        return self._zeros + round(self._bins.count)

    def add(self, span_s: float) -> None:
        if span_s < LEAST_S:
            self._zeros += 1
        else:
            self._bins.add(_MAPPING.key(span_s))
        self.sum_s += span_s

    def merge(self, other: "Spans") -> None:
        self.sum_s += other.sum_s
        self._zeros += other._zeros
        first, counts = other._counts()
        if counts:
            _add(self._bins, first, counts)

    def average_s(self) -> float:
        """Exact; 0 without any."""
        return self.sum_s / self.count if self.count else 0.0

    def percentile_s(self, percent: float) -> float:
        """The smallest span that so many percent did not exceed (nearest rank), within `ACCURACY`; 0 without any."""
        rank = ceil(self.count * percent / 100) - 1
        if rank < self._zeros:
            return 0.0
        return float(_MAPPING.value(self._bins.key_at_rank(rank - self._zeros)))

    def _pack(self) -> bytes:
        first, counts = self._counts()
        packed = array("I", map(int, counts))
        return _HEAD.pack(self.sum_s, self._zeros, first, len(packed)) + packed.tobytes()

    def _counts(self) -> tuple[int, Sequence[float]]:
        """The first bin and the counts from there to the last."""
        bins = self._bins
        if not bins.count:
            return 0, ()
        return int(bins.min_key), bins.bins[bins.min_key - bins.offset : bins.max_key - bins.offset + 1]

    def _unpack(self, packed: bytes, at: int) -> int:
        """Add what was packed; where the next begins."""
        sum_s, zeros, first, length = _HEAD.unpack_from(packed, at)
        end: int = at + _HEAD.size + 4 * length
        self.sum_s += sum_s
        self._zeros += zeros
        if length:
            counts = array("I")
            counts.frombytes(packed[at + _HEAD.size : end])
            _add(self._bins, first, counts)
        return end


def pack(spans: Iterable[Spans]) -> bytes:
    """Several as bytes."""
    return zlib.compress(b"".join(one._pack() for one in spans), 1)


def add_packed(spans: Sequence[Spans], packed: bytes) -> None:
    """Add to each what was packed as its own."""
    content, at = zlib.decompress(packed), 0
    for one in spans:
        at = one._unpack(content, at)


def _add(bins: DenseStore, first: int, counts: Sequence[float]) -> None:
    """What `DenseStore.merge` does, without a loop."""
    bins.add(first, 0.0)  # makes room
    bins.add(first + len(counts) - 1, 0.0)
    start = first - bins.offset
    part = slice(start, start + len(counts))
    bins.bins[part] = map(add, bins.bins[part], counts)
    bins.count += sum(counts)
