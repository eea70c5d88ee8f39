"""What the machine gives: space, events of files, the time, and a home that is private."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from jobdesk.core import privacy
from jobdesk.core.clock import iso
from jobdesk.ledger import checks, versions
from jobdesk.monitoring.disk import disk_of
from jobdesk.monitoring.finding import FIX, Finding, Patient, Watched

_AHEAD_S = 60.0
_SET_S = 60.0
"""Clocks that were set by less are none of our trouble."""
_PROC = Path("/proc")
_MOST = 1_000_000
"""Directories that are counted at the most."""


def permissions(home: Path, *, fix: bool) -> Finding:
    """Files of the home that others may read or write; needs no ledger."""
    private = [home, *home.glob("jobdesk.*"), home / "quarantine"]
    for folder in (home / "logs", home / "run", home / "backups", home / "archive"):
        private += [folder, *folder.glob("*")]
    open_ = list(privacy.looser(private))
    if not open_:
        return Finding("permissions", True, "the home is private")
    names = ", ".join(map(str, open_[:5])) + (f" and {len(open_) - 5} more" if len(open_) > 5 else "")
    if fix:
        for path in open_:
            privacy.close(path)
        return Finding("permissions", True, f"made private: {names}", fixed=True)
    return Finding(
        "permissions", False, f"others may read or write {names}",
        "they hold what jobs are given and say, and who may write there has his own code run",
        f"{FIX}, or `{privacy.quoted('chmod', 'go-rwx', open_[0])}`",
    )  # fmt: skip


def disk(patient: Patient) -> Finding:
    """Space on every disk that something is written to."""
    storage = [patient.storage] if patient.storage else []
    return room([patient.home, *storage, *(one.path for one in patient.watched)])


def room(folders: Sequence[Path]) -> Finding:
    """Space on the disks of these folders, of which the first is there."""
    seen: set[int] = set()
    for folder in folders:
        try:
            device = folder.stat().st_dev
        except OSError:
            continue  # another check says so
        if device in seen:
            continue
        seen.add(device)
        space, nodes = disk_of(folder), os.statvfs(folder)
        if space.low or (nodes.f_files and nodes.f_favail < nodes.f_files / 100):
            said = (
                f"{space} on the disk of {folder}" if space.low else f"the disk of {folder} has no room for more files"
            )
            return Finding(
                "disk", False, said, "when it is full, nothing is taken in and no job can end",
                "free some space: `jobdesk queues clean` removes ended jobs, `desk.retention` does so by itself",
            )  # fmt: skip
    return Finding("disk", True, f"{disk_of(folders[0])} on the disk of {folders[0]}")


def file_events(patient: Patient, proc: Path = _PROC) -> Finding:
    """Whether inotify may watch as many directories as the drop folders have."""
    limits = proc / "sys/fs/inotify"
    try:
        most, instances = (int((limits / f"max_user_{name}").read_text()) for name in ("watches", "instances"))
    except (OSError, ValueError):
        return Finding("file events", True, "this system has no inotify limits")
    used, open_ = _in_use(proc)
    if not patient.consumers:  # else they have theirs already
        used += sum(_directories(folder) for folder in patient.watched)
        open_ += len(patient.watched)
    low = [
        f"fs.inotify.max_user_{name}={max(2 * need, 2 * limit)}"
        for name, need, limit in (("watches", used, most), ("instances", open_, instances))
        if need >= limit
    ]
    if not low:
        return Finding("file events", True, f"{used:,} of {most:,} inotify watches are needed")
    return Finding(
        "file events", False,
        f"{used:,} directories are to be watched with a limit of {most:,}, by {open_:,} watchers of {instances:,}",
        "what arrives in the others is found late, by looking", f"`sudo sysctl {' '.join(low)}`",
    )  # fmt: skip


def _in_use(proc: Path) -> tuple[int, int]:
    """Watches and instances of inotify that our user has now, as far as we may see."""
    watches = instances = 0
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):
            if process.stat().st_uid != os.geteuid():
                continue
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) == "anon_inode:inotify":
                        instances += 1
                        watches += (process / "fdinfo" / descriptor.name).read_text().count("inotify wd:")
    return watches, instances


def _directories(folder: Watched) -> int:
    if not folder.recursive:
        return 1
    count = 0
    for _, names, _ in os.walk(folder.path):
        names[:] = [name for name in names if name != folder.own]
        count += 1
        if count >= _MOST:
            break
    return count


def clock(patient: Patient) -> Finding:
    """Whether the time of day can be right, by what has happened and by the clock that nobody sets."""
    latest = checks.latest_instant(patient.ledger)
    if latest is not None and latest > patient.now + _AHEAD_S:
        return Finding(
            "clock", False, f"the ledger knows of things that happened at {iso(latest)}, and it is {iso(patient.now)}",
            "jobs dated ahead wait until then", "set the machine's clock",
        )  # fmt: skip
    for pid, by in _steps(patient):
        way = "forward" if by > 0 else "back"
        return Finding(
            "clock", False, f"the clock was set {way} by {abs(by):,.0f} s since consumer {pid} began",
            "what goes by the time of day came too early or comes too late",
            "see to it that the machine keeps time (chrony, systemd-timesyncd); starting the consumer anew clears this",
        )  # fmt: skip
    return Finding("clock", True, "the clock agrees with what has happened")


def _steps(patient: Patient) -> Iterator[tuple[int, float]]:
    """Pid of each consumer that saw the clock set, and by how many seconds."""
    if patient.since_boot is None:
        return
    then = versions.boots(patient.ledger)
    for one in patient.consumers:
        by = patient.now - patient.since_boot - then.get(one.id, patient.now - patient.since_boot)
        if abs(by) > _SET_S:
            yield one.pid, by
