"""Who keeps the others from writing. Linux alone tells, in /proc/locks; elsewhere nobody is named.

In WAL mode the right to write is a lock on one byte of the -shm file: https://sqlite.org/walformat.html#locks.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_WRITE_LOCK = 120


@dataclass(frozen=True, slots=True)
class Writer:
    """A process in a write transaction. `is_stopped`: by SIGSTOP or ctrl+z, so that it will not end it by itself."""

    pid: int
    name: str
    is_stopped: bool

    def __str__(self) -> str:
        if self.is_stopped:
            return f"process {self.pid} ({self.name}) is stopped in the middle of a write: continue it or end it"
        return f"process {self.pid} ({self.name}) holds a long transaction on it"


def writer_of(database: Path) -> Writer | None:
    """The process that is in a write transaction on a database now, if it is another one."""
    shared = Path(f"{database}-shm")
    with suppress(OSError, ValueError):
        inode = str(shared.stat().st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, mode, pid, file, first, last = line.replace("-> ", "-").split()
            if (kind, mode, file.rpartition(":")[2]) != ("POSIX", "WRITE", inode) or last == "EOF":
                continue
            if int(first) <= _WRITE_LOCK <= int(last) and int(pid) != os.getpid() and _has_open(pid, shared):
                return _writer(int(pid))
    return None


def _has_open(pid: str, file: Path) -> bool:
    """Whether a process has a file open; the number of an inode may be that of one on another disk."""
    links, wanted = Path("/proc", pid, "fd"), str(file.resolve())
    return any(os.path.realpath(links / name) == wanted for name in os.listdir(links))


def _writer(pid: int) -> Writer:
    name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
    return Writer(pid, name, rest.startswith(("T", "t")))
