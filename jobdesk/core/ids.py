"""Ids that sort by creation: `job_` and the 26 characters of a ULID (48 bits of time, 80 of chance)."""

import hashlib
import os
import threading
from functools import lru_cache

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_CUT_BITS = 60
"""What a short id leaves out of the 130 bits that 26 letters say."""

_STEP = (1 << 56) + 1
"""From one id to the next of those made at once: they differ near the beginning, which people type, and at the end."""


class Ids:
    """Makes ULIDs that rise strictly within this process, even inside one millisecond or after a clock step."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def new(self, prefix: str, now: float) -> str:
        """A fresh id such as `job_01KB…`; `now` is epoch seconds."""
        return self.several(prefix, now, 1)[0]

    def several(self, prefix: str, now: float, number: int) -> list[str]:
        """So many fresh ids, in their order."""
        first = self._rising(now, 1, max(0, number - 1) * _STEP)
        return [f"{prefix}_{_encode(first + at * _STEP)}" for at in range(number)]

    def _rising(self, now: float, step: int, room: int = 0) -> int:
        """More than any before it; by `step` where the clock alone does not make it so.

        Args:
            room: none made later lies less than so far above it.
        """
        with self._lock:
            value = int(now * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
            if value <= self._last:
                value = self._last + step
            self._last = value + room
        return value

    def short(self, prefix: str, now: float) -> str:
        """A fresh id such as `con_01KB3M5P9QTX` for what is named often: time and 20 bits of chance."""
        return f"{prefix}_{_encode(self._rising(now, 1 << _CUT_BITS))[:14]}"  # two differ in what is left of them

    def nth_child(self, parent: str, number: int) -> str:
        """The id of a job's child that is always the same: who asks twice for its second child names one job."""
        kind, _, ulid = parent.rpartition("_")
        born = _decode(ulid) >> 80
        mark = hashlib.blake2s(f"{parent}\0{number}".encode(), digest_size=10).digest()
        return f"{kind}_{_encode((born + number) << 80 | int.from_bytes(mark, 'big'))}"


def _decode(text: str) -> int:
    value = 0
    for letter in text:
        value = value << 5 | _ALPHABET.index(letter)
    return value


_LOW = (1 << 60) - 1
_PAIRS = [one + two for one in _ALPHABET for two in _ALPHABET]


def _encode(value: int) -> str:
    """26 characters of 5 bits, two at a time; the first, mostly time, are often those of the last one."""
    low, two = value & _LOW, _PAIRS
    return (
        f"{_head(value >> 60)}{two[low >> 50]}{two[low >> 40 & 1023]}{two[low >> 30 & 1023]}"
        f"{two[low >> 20 & 1023]}{two[low >> 10 & 1023]}{two[low & 1023]}"
    )


@lru_cache(maxsize=64)
def _head(value: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(60, -10, -10)])


ids = Ids()
"""The one maker of ids in a process: a second one could make two that do not sort."""
