"""Who keeps the others from writing, or must not be joined. Linux alone tells, in /proc; elsewhere nobody is named.

In WAL mode the right to write is a lock on one byte of the -shm file: https://sqlite.org/walformat.html#locks.
"""

import os
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.errors import LedgerError

_WRITE_LOCK = 120
_CLOSING_S, _LOOKS = 2.0, 40
"""So long the last process may take from removing what lies beside a database to having closed it."""


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
        inode, path = str(shared.stat().st_ino), str(shared.resolve())
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, mode, pid, file, first, last = line.replace("-> ", "-").split()
            if (kind, mode, file.rpartition(":")[2]) != ("POSIX", "WRITE", inode) or last == "EOF":
                continue
            # the number of an inode may be that of one on another disk
            if int(first) <= _WRITE_LOCK <= int(last) and int(pid) != os.getpid() and path in _files_of(int(pid)):
                return _writer(int(pid))
    return None


def refuse_torn(database: Path, pids: Collection[int], clock: Clock) -> None:
    """See that none of these processes works on a database whose -wal or -shm was deleted under it.

    SQLite would make new ones, and each would overwrite what the other commits.

    Raises:
        LedgerError: one does.
    """
    for _ in range(_LOOKS):
        if (torn := next((pid for pid in pids if _is_torn(pid, database)), None)) is None:
            return
        clock.wait(threading.Event(), _CLOSING_S / _LOOKS)
    assert torn is not None
    raise LedgerError(
        f"{database}-wal or -shm was deleted while process {torn} works with it: end that process first, so that "
        "what it knows is written; nothing was changed"
    )


def _is_torn(pid: int, database: Path) -> bool:
    """Whether a process, if it is another one, has a file open that lay beside a database."""
    if pid == os.getpid():
        return False
    with suppress(OSError):
        return not _files_of(pid).isdisjoint(f"{database.resolve()}-{end} (deleted)" for end in ("wal", "shm"))
    return False


def _files_of(pid: int) -> set[str]:
    """What a process has open."""
    folder, found = Path(f"/proc/{pid}/fd"), set[str]()
    for number in os.listdir(folder):
        with suppress(OSError):  # closed meanwhile
            found.add(str(Path(folder, number).readlink()))
    return found


def _writer(pid: int) -> Writer:
    name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
    return Writer(pid, name, rest.startswith(("T", "t")))
