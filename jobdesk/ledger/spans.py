"""Spans of time as a sketch: how many lay where, within one percent, so that those of many minutes can be added up.

The bins are those of DDSketch. Their counts lie side by side in one large number, 64 bits each: to add two sketches
is to add two numbers, several times as fast as adding bin by bin, and a month is read from hundreds of sketches. Each
kind of span in a rollup is one of these, kept as bytes: the exact sum, how many were as good as nothing, and the
counts from the first bin in use to the last.
"""

import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from ddsketch import LogarithmicMapping

ACCURACY = 0.01
"""How far a percentile may be off, as a part of itself."""
LEAST_S = 0.0001
"""What is shorter counts as no time."""
MOST_S = 1e9
"""What is longer counts as this: thirty years, so only a wrong clock says so."""
_MAPPING = LogarithmicMapping(ACCURACY)
_FIRST = _MAPPING.key(LEAST_S)
_HEAD = struct.Struct("<dQQII")
_LANE = 64


def bin_in_sql(span_s: str) -> str:
    """SQL for the number of a span's bin; 0 is no time, NULL stays NULL."""
    scaled = f"ln(min({span_s}, {MOST_S!r})) / {math.log(_MAPPING.gamma)!r}"
    return f"CASE WHEN {span_s} < {LEAST_S!r} THEN 0 ELSE CAST({scaled} + {2 - _FIRST} AS INTEGER) END"


class Spans:
    """Seconds of many jobs."""

    __slots__ = ("_lanes", "_zeros", "count", "sum_s")

    def __init__(self) -> None:
        self.sum_s = 0.0
        self.count = 0
        self._zeros = 0
        self._lanes = 0

    def add(self, sum_s: float, bins: Mapping[int, int]) -> None:
        """Add spans that come to a sum, and how many of them lie in each bin, as `bin_in_sql` numbers them."""
        self.sum_s += sum_s
        self.count += sum(bins.values())
        self._zeros += bins.get(0, 0)
        used = [number for number in bins if number]
        if used:
            first, last = min(used), max(used)
            counts = [bins.get(number, 0) for number in range(first, last + 1)]
            content = struct.pack(f"<{len(counts)}Q", *counts)
            self._lanes += int.from_bytes(content, "little") << (_LANE * (first - 1))

    def merge(self, other: "Spans") -> None:
        self.sum_s += other.sum_s
        self.count += other.count
        self._zeros += other._zeros
        self._lanes += other._lanes

    def average_s(self) -> float:
        """Exact; 0 without any."""
        return self.sum_s / self.count if self.count else 0.0

    def percentiles_s(self, *percents: float) -> list[float]:
        """The smallest span that so many percent did not exceed (nearest rank), within `ACCURACY`; 0 without any."""
        first, content = self._content()
        sums = list(accumulate(struct.unpack(f"<{len(content) // 8}Q", content), initial=self._zeros))[1:]
        return [self._at_rank(math.ceil(self.count * percent / 100), first, sums) for percent in percents]

    def _at_rank(self, rank: int, first: int, sums: Sequence[int]) -> float:
        if rank <= self._zeros or not sums:
            return 0.0
        at = next(at for at, sum_ in enumerate(sums) if sum_ >= rank)
        return float(_MAPPING.value(_FIRST + first + at))

    def _content(self) -> tuple[int, bytes]:
        """The first bin in use, and the counts from there to the last as bytes."""
        if not self._lanes:
            return 0, b""
        first = ((self._lanes & -self._lanes).bit_length() - 1) // _LANE
        length = -(-self._lanes.bit_length() // _LANE) - first
        return first, (self._lanes >> (_LANE * first)).to_bytes(8 * length, "little")

    def _pack(self) -> bytes:
        first, content = self._content()
        return _HEAD.pack(self.sum_s, self.count, self._zeros, first, len(content)) + content

    def _unpack(self, packed: bytes, at: int) -> int:
        """Add what was packed; where the next begins."""
        sum_s, count, zeros, first, length = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        self.sum_s += sum_s
        self.count += count
        self._zeros += zeros
        self._lanes += int.from_bytes(packed[at : at + length], "little") << (_LANE * first)
        return int(at + length)


def pack(spans: Iterable[Spans]) -> bytes:
    """Several as bytes."""
    return zlib.compress(b"".join(one._pack() for one in spans), 1)


def add_packed(spans: Sequence[Spans], packed: bytes) -> None:
    """Add to each what was packed as its own."""
    content, at = zlib.decompress(packed), 0
    for one in spans:
        at = one._unpack(content, at)
