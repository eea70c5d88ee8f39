"""What a process costs while nothing happens."""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil


def cpu(pid: int, companions: Sequence[int], seconds: float) -> float:
    """Per cent of one core that the process, its children and its companions use in the next so many seconds."""
    before = used_s(pid, *companions)
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return 100 * (used_s(pid, *companions) - before) / took


def used_s(*pids: int) -> float:
    """CPU seconds that these processes and their children have used so far."""
    parents = [psutil.Process(one) for one in pids]
    processes = {one.pid: one for parent in parents for one in (parent, *parent.children(recursive=True))}
    return sum(_used_s(process) for process in processes.values())


def _used_s(process: psutil.Process) -> float:
    """CPU seconds so far: in nanoseconds where the kernel says so, since `cpu_times` has steps of 10 ms."""
    threads = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    if threads:
        return sum(int(one.read_text().split()[0]) for one in threads) / 1e9
    return float(sum(process.cpu_times()[:2]))
