"""What a job used of its child: processor time and memory."""

import os
import resource
import sys
import time
from contextlib import suppress

from jobdesk.runtime.messages import Message

LONG_S = 0.005
"""The peak of memory is read for jobs that took at least this long.

Reading it costs a quarter of all that a child does for a job that does nothing. Of a shorter one is said what
the child held at its end, which it had no time to exceed by much, and that is read as seldom.
"""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Usage:
    """Measures one job after the other. The files stay open: to open them costs more than to read them."""

    def __init__(self) -> None:
        self._clear_refs = _open("clear_refs", os.O_WRONLY)
        self._statm = _open("statm", os.O_RDONLY)
        self._status = _open("status", os.O_RDONLY)
        self._began = self._own_s = self._children_s = 0.0
        self._holds_bytes, self._looked_at = 0, -LONG_S

    def begin(self) -> None:
        """A job begins."""
        if self._clear_refs is not None:
            with suppress(OSError):
                os.pwrite(self._clear_refs, b"5", 0)  # forget the peak of memory
        self._began = time.monotonic()
        self._own_s = time.process_time()

    def end(self) -> Message:
        """The job is over, and what it started has been collected."""
        now, children_s = time.monotonic(), _children_s()
        cpu_s = time.process_time() - self._own_s + children_s - self._children_s
        self._children_s = children_s  # nothing is collected between two jobs
        peak = self._peak() if now - self._began >= LONG_S else self._now(now)
        return {"cpu_ms": round(cpu_s * 1000), "max_rss_bytes": peak}

    def _now(self, now: float) -> int:
        if now - self._looked_at >= LONG_S:
            self._looked_at = now
            self._holds_bytes = self._held()
        return self._holds_bytes

    def _held(self) -> int:
        if self._statm is None:
            return _peak_of_life()
        return int(os.pread(self._statm, 256, 0).split()[1]) * _PAGE_BYTES

    def _peak(self) -> int:
        """Bytes; of this job where the kernel can tell, else of the child's whole life."""
        if self._status is not None:
            _, _, rest = os.pread(self._status, 8192, 0).partition(b"VmHWM:")
            if rest:
                return int(rest.split(maxsplit=1)[0]) * 1024
        return _peak_of_life()


def _open(name: str, flags: int) -> int | None:
    try:
        return os.open(f"/proc/self/{name}", flags | os.O_CLOEXEC)
    except OSError:
        return None


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_of_life() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
