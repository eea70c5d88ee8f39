"""Who keeps the others from writing, or must not be joined. Linux alone tells, in /proc; elsewhere nobody is named.

In WAL mode the right to write is a lock on one byte of the -shm file: https://sqlite.org/walformat.html#locks.
Whoever has a database open holds a lock on some bytes of the file itself: https://sqlite.org/lockingv3.html.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import LedgerError

_WRITE_LOCK = 120
_OPEN_LOCK = 0x40000002
_CLOSING_S, _LOOKS = 2.0, 40
"""So long the last process may take from removing what lies beside a database to having closed it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock. `is_stopped`: by SIGSTOP or ctrl+z, so that it will not end it by itself."""

    pid: int
    name: str
    is_stopped: bool

    def __str__(self) -> str:
        if self.is_stopped:
            return f"process {self.pid} ({self.name}) is stopped in the middle of a write: continue it or end it"
        return f"process {self.pid} ({self.name}) holds a long transaction on it"


def writer_of(database: Path) -> Holder | None:
    """The process that is in a write transaction on a database now, if it is another one."""
    with suppress(OSError, ValueError):
        for pid in _holders(Path(f"{database}-shm"), "WRITE", _WRITE_LOCK):
            return _process(pid)
    return None


def refuse_torn(database: Path, clock: Clock) -> None:
    """See that nobody works on a database whose -wal or -shm was deleted under it.

    SQLite would make new ones, and each would overwrite what the other commits.

    Raises:
        LedgerError: another process does.
    """
    for _ in range(_LOOKS):
        if (other := _torn_from(database)) is None:
            return
        clock.wait(threading.Event(), _CLOSING_S / _LOOKS)
    assert other is not None
    raise LedgerError(
        f"{database}-wal or -shm was deleted while process {other.pid} ({other.name}) works with it: end that process "
        "first, so that what it knows is written; nothing was changed"
    )


def _torn_from(database: Path) -> Holder | None:
    """Another process that has a database open, and a file beside it that is no longer there."""
    with suppress(OSError, ValueError):
        gone = {f"{database.resolve()}-{end} (deleted)" for end in ("wal", "shm")}
        for pid in _holders(database, "READ", _OPEN_LOCK):
            if gone & _files_of(pid):
                return _process(pid)
    return None


def _holders(file: Path, wanted: str, byte: int) -> Iterator[int]:
    """Other processes with such a lock on a byte of a file."""
    inode, path = str(file.stat().st_ino), str(file.resolve())
    for line in Path("/proc/locks").read_text().splitlines():
        _, kind, _, mode, pid, where, first, last = line.replace("-> ", "-").split()
        if (kind, mode, where.rpartition(":")[2]) != ("POSIX", wanted, inode) or last == "EOF":
            continue
        # the number of an inode may be that of one on another disk
        if int(first) <= byte <= int(last) and int(pid) != os.getpid() and path in _files_of(int(pid)):
            yield int(pid)


def _files_of(pid: int) -> set[str]:
    """What a process has open."""
    folder, found = Path(f"/proc/{pid}/fd"), set[str]()
    for number in os.listdir(folder):
        with suppress(OSError):  # closed meanwhile
            found.add(str(Path(folder, number).readlink()))
    return found


def _process(pid: int) -> Holder:
    name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
    return Holder(pid, name, rest.startswith(("T", "t")))
