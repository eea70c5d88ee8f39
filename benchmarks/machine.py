"""What the measurements were made on: without it nobody can read them."""

import os
import platform
import sqlite3
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

SYNCS = 50


def describe(folder: Path) -> dict[str, str]:
    """CPU, versions, kernel, and the file system of the folder with the time that it takes to sync 4 KB there."""
    return {
        "date": datetime.now(UTC).strftime("%d %B %Y").lstrip("0"),
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": _file_system(folder),
        "fsync of 4 KB": f"{fsync_ms(folder):.2f} ms",
        "load before the run": f"{os.getloadavg()[0]:.1f}",
    }


def fsync_ms(folder: Path) -> float:
    """The median of appending 4 KB to a file there and syncing it, in milliseconds."""
    path, found = folder / "fsync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            found.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return statistics.median(found)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _file_system(folder: Path) -> str:
    mounts = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    inside = [mount for mount in mounts if folder.resolve().is_relative_to(mount)]
    return mounts[max(inside, key=lambda mount: len(mount.parts))] if inside else "unknown"
