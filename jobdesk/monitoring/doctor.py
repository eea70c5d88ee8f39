"""What is wrong with a home and how to mend it: `jobdesk doctor`, with `--fix` it mends what is safe."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.clock import iso
from jobdesk.core.errors import JobdeskError
from jobdesk.ledger import ahead, checks, indexing
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.disk import disk_of

_WATCHES, _INSTANCES = 8192, 128
"""Below these inotify limits a desk with several folders may miss events."""
_AHEAD_S = 60.0
_INOTIFY = Path("/proc/sys/fs/inotify")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `mend` says what to do where it is not ok; `fixed` that it has been done."""

    name: str
    ok: bool
    message: str
    mend: str | None = None
    fixed: bool = False


def doctor(
    ledger: Ledger,
    *,
    home: Path,
    now: float,
    consumers: Sequence[Consumer] = (),
    folders: Sequence[Path] = (),
    fix: bool = False,
) -> list[Finding]:
    """Look at everything; reads the whole database file.

    Args:
        home: the home folder.
        consumers: those whose process is alive.
        folders: every folder that should exist, the home's own and the watched ones.
        fix: mend wrong counts, a wrong index of words, missing folders of the home and too open permissions.
    """
    checks: dict[str, Callable[[], Finding]] = {
        "database": lambda: _integrity(ledger),
        "counts": lambda: _tallies(ledger, fix),
        "flows": lambda: _flows(ledger, fix),
        "search": lambda: _words(ledger, fix),
        "running jobs": lambda: _orphans(ledger, consumers),
        "folders": lambda: _folders(home, folders, fix),
        "permissions": lambda: _permissions(home, fix),
        "disk": lambda: _disk(home),
        "file events": lambda: _watches(_INOTIFY),
        "clock": lambda: _clock(ledger, now),
    }
    return [_tried(name, check) for name, check in checks.items()]


def _tried(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except JobdeskError as error:
        return Finding(name, False, str(error), "restore a backup, or make the home readable and writable")
    except OSError as error:
        return Finding(name, False, f"{error.filename or 'the home'} cannot be used: {error.strerror}", "mend it")


RESTORE = "stop what works on it, and restore a backup with `jobdesk restore FILE`"


def _integrity(ledger: Ledger) -> Finding:
    if damage := checks.damage(ledger):
        return Finding("database", False, f"{ledger.path} is damaged: {damage[0]}", RESTORE)
    return Finding("database", True, "the database is whole")


def _tallies(ledger: Ledger, fix: bool) -> Finding:
    wrong = checks.wrong_tallies(ledger)
    lanes = checks.wrong_lanes(ledger)
    if not wrong and not lanes:
        return Finding("counts", True, "every queue's counts are right")
    if fix:
        with ledger.write() as tx:
            checks.recount(tx)
    if wrong:
        queue, state, counted, real = wrong[0]
        said = f"queue {queue} has {real:,} {state} jobs, not {counted:,}"
    else:
        queue, type_, counted, real = lanes[0]
        said = f"queue {queue} has {real:,} ready jobs of the type {type_}, not {counted:,}"
    said = f"{len(wrong) + len(lanes)} counts are wrong: {said}"
    return Finding("counts", fix, said, None if fix else "jobdesk doctor --fix counts again", fix)


def _flows(ledger: Ledger, fix: bool) -> Finding:
    wrong = checks.wrong_flows(ledger)
    if not wrong:
        return Finding("flows", True, "every flow's counts are right")
    if fix:
        with ledger.write() as tx:
            checks.recount_flows(tx)
    said = f"the counts of {len(wrong)} flows are wrong, {wrong[0]} first"
    return Finding("flows", fix, said, None if fix else "jobdesk doctor --fix counts again", fix)


def _words(ledger: Ledger, fix: bool) -> Finding:
    with ledger.write() as tx:
        damaged = checks.damaged_index(tx)
    missing = [] if damaged else checks.unindexed(ledger)
    if not damaged and not missing:
        return Finding("search", True, "the index of words agrees with the jobs")
    if fix:
        with ledger.write() as tx:
            indexing.reset(tx)
    said = "the index of words is damaged" if damaged else f"the index of words does not find {missing[0]}"
    return Finding("search", fix, said, None if fix else "jobdesk doctor --fix has it built anew", fix)


def _orphans(ledger: Ledger, consumers: Sequence[Consumer]) -> Finding:
    found = ahead.orphans(ledger, [one.id for one in consumers])
    if not found:
        return Finding("running jobs", True, "every running job has a live consumer")
    id_, worker = found[0]
    said = f"{len(found)} running jobs have no live consumer: {id_} was held by {worker}"
    return Finding("running jobs", False, said, "start jobdesk --consumer: it gives them back at once")


def _folders(home: Path, folders: Sequence[Path], fix: bool) -> Finding:
    missing = [folder for folder in folders if not folder.is_dir()]
    if not missing:
        return Finding("folders", True, "every folder is there")
    if fix:
        for folder in missing:
            # a watched folder elsewhere may be a disk that is not mounted: making it would hide that
            if folder.is_relative_to(home) and not folder.exists():
                folder.mkdir(mode=0o700, parents=True)
    left = [folder for folder in missing if not folder.is_dir()]
    shown = ", ".join(map(str, left or missing))
    if not left:
        return Finding("folders", True, f"made what was missing: {shown}", None, True)
    return Finding(
        "folders", False, f"not a folder: {shown}", "make it, mount its disk, or remove it from the settings"
    )


def _permissions(home: Path, fix: bool) -> Finding:
    open_ = [path for path in (home, *home.glob("jobdesk.*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if not open_:
        return Finding("permissions", True, "the home is private")
    names = ", ".join(str(path) for path in open_)
    if fix:
        for path in open_:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
        return Finding("permissions", True, f"made private: {names}", None, True)
    return Finding("permissions", False, f"others may read or write {names}", "jobdesk doctor --fix makes it private")


def _disk(home: Path) -> Finding:
    disk = disk_of(home)
    return Finding("disk", not disk.low, f"{disk} on the disk of {home}", "free some space" if disk.low else None)


def _watches(limits: Path) -> Finding:
    low = []
    for name, least in (("max_user_watches", _WATCHES), ("max_user_instances", _INSTANCES)):
        try:
            value = int((limits / name).read_text())
        except (OSError, ValueError):
            return Finding("file events", True, "this system has no inotify limits")
        if value < least:
            low.append(f"fs.inotify.{name}={least}")
    if not low:
        return Finding("file events", True, "the limits of inotify are high enough")
    said = "the limits of inotify are low, so folders may be looked at late"
    return Finding("file events", False, said, f"sudo sysctl {' '.join(low)}")


def _clock(ledger: Ledger, now: float) -> Finding:
    latest = checks.latest_instant(ledger)
    if latest is None or latest <= now + _AHEAD_S:
        return Finding("clock", True, "nothing is dated in the future")
    said = f"the ledger knows of things that happened at {iso(latest)}, and it is {iso(now)}"
    return Finding("clock", False, said, "set the machine's clock; jobs dated ahead wait until then")
