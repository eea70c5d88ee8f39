"""Other processes: whether one is still the one we knew, and how to end it with all it started.

A process is known by its pid and its start. On Linux the start is read from /proc in seconds since
boot: setting the machine's clock does not move it, as it moves the start that psutil computes.
"""

import contextlib
import os
import signal
import sys
from functools import cache
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
MARK = "JOBDESK_CONSUMER"
"""In the environment of every child and what it starts: the id of the consumer, to find what got away by."""
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
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19]) * _TICK_S


def _start_by_psutil(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def is_alive(pid: int, started: float) -> bool:
    """Whether the process with this pid is the one that started then."""
    found = start_of(pid)
    return found is not None and abs(found - started) < SAME_START_S


def kill_session(leader: int, started: float) -> int:
    """SIGKILL a child that leads its own session, its descendants, and what is left of the session; how many.

    The leader may be dead already; then only processes of its session that started after it count,
    so that a reused number harms nobody.
    """
    import psutil

    victims: set[int] = set()
    if is_alive(leader, started):
        with contextlib.suppress(psutil.Error, OSError):
            os.kill(leader, signal.SIGSTOP)  # it can start nothing more while we count
            victims = {leader, *(one.pid for one in psutil.Process(leader).children(recursive=True))}
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader and (start_of(pid) or 0) >= started - SAME_START_S:
                victims.add(pid)
    for pid in victims:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return len(victims)


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
