"""Processes that a job started and left behind: on Linux its child adopts them, and ends them when the job is over."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from jobdesk.runtime.processes import MOST_LOOKS

_PR_SET_CHILD_SUBREAPER = 36
_WALL = 0x40000000
"""Of waitpid(2): also children that were made by clone(2) with another signal than SIGCHLD."""


def adopt() -> None:
    """From now on, what descends from this process and loses its parent becomes our child."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_all() -> None:
    """Kill and collect every process that descends from this one."""
    if sys.platform != "linux":
        return
    if not _any():
        return
    for _ in range(MOST_LOOKS):  # each round kills a generation; those it orphans are ours in the next
        found = _children()
        if not found:
            return
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for pid in found:
            with suppress(OSError):
                os.waitpid(pid, _WALL)


def _any() -> bool:
    """Whether there is a child, in one system call for the jobs that leave none; collects those that have ended.

    What descends from us and lost its parent is our child, so no child means no descendant.
    """
    try:
        while os.waitpid(-1, os.WNOHANG | _WALL)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return found
