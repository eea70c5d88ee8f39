"""Other processes: whether one is still the one we knew, and how to end it with all it started.

A process is known by its pid and its start. On Linux the start is read from /proc in seconds since
boot: setting the machine's clock does not move it, as it moves the start that psutil computes.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MARK = "JOBDESK_CONSUMER"
"""In the environment of every child and what it starts: the id of the consumer, to find what got away by."""
MOST_LOOKS = 100
"""While we kill what a job started, that may start others: we look again, but not for ever."""
SAME_START_S = 0.5 if sys.platform == "linux" else 2.0


@cache
def own_start() -> float:
    """When this process started, as `start_of` gives it."""
    found = start_of(os.getpid())
    assert found is not None
    return found


def start_of(pid: int) -> float | None:
    """When the process started, in seconds since a fixed moment; None if it is gone or a zombie."""
    if sys.platform != "linux":
        return _start_by_psutil(pid)
    fields = _stat(pid)
    return None if fields is None else int(fields[19]) * _TICK_S


def _start_by_psutil(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def death_of(pid: int) -> int | None:
    """A file descriptor that is readable once a child of ours has ended; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def is_alive(pid: int, started: float) -> bool:
    """Whether the process with this pid is the one that started then."""
    found = start_of(pid)
    return found is not None and abs(found - started) < SAME_START_S


def is_headless(pid: int) -> bool:
    """Whether a process is `jobdesk --consumer`: that ends in order when it is told to."""
    import psutil

    try:
        return "--consumer" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def kill_session(leader: int, started: float) -> int:
    """SIGKILL a child that leads its own session, its descendants, and what is left of the session; how many.

    The leader may be dead already; then only what is left of its session counts, and nothing if its
    number is another's by now, so that a reused number harms nobody.
    """
    found = start_of(leader)
    known = found is not None and abs(found - started) < SAME_START_S
    if found is not None and not known:
        return 0
    if known:
        with contextlib.suppress(OSError):
            os.kill(leader, signal.SIGSTOP)  # it can start nothing more while we look, and adopts what we orphan
    killed: set[int] = set()
    for _ in range(MOST_LOOKS):
        victims = _with_leader(leader, started) - killed - {leader}
        if not victims:
            break
        for pid in victims:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        killed |= victims
    if known:
        with contextlib.suppress(OSError):
            os.kill(leader, signal.SIGKILL)
    return len(killed) + known


def _with_leader(leader: int, started: float) -> set[int]:
    """A session's leader, its processes, and the descendants of them all."""
    found = [leader]
    by_parent: dict[int, list[int]] = {}
    for pid, parent, session, began in _table():
        by_parent.setdefault(parent, []).append(pid)
        if session == leader and began >= started - SAME_START_S and pid != leader:
            found.append(pid)
    for pid in found:  # it grows as we go
        found += [one for one in by_parent.get(pid, ()) if one not in found]
    return set(found)


def _table() -> Iterator[tuple[int, int, int, float]]:
    """Pid, parent, session and start of every process that lives."""
    if sys.platform != "linux":
        yield from _table_by_psutil()
        return
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))) is not None:
            yield int(name), int(fields[1]), int(fields[3]), int(fields[19]) * _TICK_S


def _table_by_psutil() -> Iterator[tuple[int, int, int, float]]:
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process.pid, process.ppid(), os.getsid(process.pid), process.create_time()


def _stat(pid: int) -> list[bytes] | None:
    """The fields of /proc/PID/stat from the state on; None if the process is gone or a zombie."""
    stat = _read(f"/proc/{pid}/stat")
    fields = stat[stat.rfind(b")") + 2 :].split()
    return None if not fields or fields[0] in (b"Z", b"X") else fields


def _read(file: str) -> bytes:
    """What a small file of /proc says; nothing if it is gone."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)  # a third of the time that a Path takes
        try:
            return os.read(descriptor, 65536)
        finally:
            os.close(descriptor)
    except OSError:
        return b""


def kill_marked(consumer: str) -> int:
    """SIGKILL whatever a consumer's children started and still lives, wherever it went; how many. Linux only."""
    count, mark = 0, f"{MARK}={consumer}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                count += 1
    return count


def memory(pid: int) -> int | None:
    """Bytes of memory that the process and its descendants hold; None if it is gone."""
    if sys.platform != "linux":
        return _memory_by_psutil(pid)
    own = _resident(pid)
    if own is None:
        return None
    family = _children(pid)
    for one in family:  # it grows as we go
        family += _children(one)
    return own + sum(_resident(one) or 0 for one in family)


def resident(pid: int) -> int | None:
    """Bytes of memory that the process itself holds; None if it is gone."""
    if sys.platform != "linux":
        return _resident_by_psutil(pid)
    return _resident(pid)


def _resident(pid: int) -> int | None:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE_BYTES if fields else None


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(child) for task in tasks for child in _read(f"/proc/{pid}/task/{task}/children").split()]


def _resident_by_psutil(pid: int) -> int | None:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def _memory_by_psutil(pid: int) -> int | None:
    import psutil

    try:
        process = psutil.Process(pid)
        total = int(process.memory_info().rss)
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                total += int(child.memory_info().rss)
        return total
    except psutil.Error:
        return None


def open_files(pid: int) -> int:
    """How many files the process has open; 0 if it is gone or nobody can tell."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
