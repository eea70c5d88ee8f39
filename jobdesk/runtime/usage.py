"""What a job used of its child: processor time and memory."""

import os
import resource
import sys
import time
from contextlib import suppress

from jobdesk.runtime.messages import Message

LONG_S = 0.005
"""The peak of memory is read for jobs that took at least this long.

Reading it costs the kernel as much as all else a child does for a job that does nothing; of a shorter
one what it holds at its end is said, which it had no time to exceed by much.
"""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Usage:
    """Measures one job after the other. The files stay open: to open them costs more than to read them."""

    def __init__(self) -> None:
        self._clear_refs = _open("clear_refs", os.O_WRONLY)
        self._statm = _open("statm", os.O_RDONLY)
        self._status = _open("status", os.O_RDONLY)
        self._began = self._cpu_s = 0.0

    def begin(self) -> None:
        """A job begins."""
        if self._clear_refs is not None:
            with suppress(OSError):
                os.pwrite(self._clear_refs, b"5", 0)  # forget the peak of memory
        self._began = time.monotonic()
        self._cpu_s = _cpu_s()

    def end(self) -> Message:
        """The job is over, and what it started has been collected."""
        cpu_s = _cpu_s() - self._cpu_s
        took_s = time.monotonic() - self._began
        return {"cpu_ms": round(cpu_s * 1000), "max_rss_bytes": self._peak() if took_s >= LONG_S else self._now()}

    def _now(self) -> int:
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


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_of_life() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
