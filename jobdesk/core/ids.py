"""Ids that sort by creation: `job_` and the 26 characters of a ULID (48 bits of time, 80 of chance)."""

import os
import threading

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Ids:
    """Makes ULIDs that rise strictly within this process, even inside one millisecond or after a clock step."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def new(self, prefix: str, now: float) -> str:
        """A fresh id such as `job_01KB…`; `now` is epoch seconds."""
        with self._lock:
            value = int(now * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
            if value <= self._last:
                value = self._last + 1
            self._last = value
        return f"{prefix}_{_encode(value)}"


def _encode(value: int) -> str:
    out = []
    for _ in range(26):
        out.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(out))


ids = Ids()
"""The one maker of ids in a process: a second one could make two that do not sort."""
