"""Health of the machine: room on the disks, and memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from jobdesk.monitoring.check import Check, Scene
from jobdesk.monitoring.disk import disk_of

LOW_MEMORY = 0.05
"""Part of the memory that should be left."""


def disk(scene: Scene) -> Check:
    """Room on the disk of the home and of the other places where work is stored."""
    return disks(scene.home, scene.places)


def disks(home: Path, places: Sequence[Path] = ()) -> Check:
    check = Check("disk")
    for path in _of_different_disks([home, *places]):
        try:
            found = disk_of(path)
        except OSError as error:
            check.worse("error", f"the disk of {path} does not answer ({error.strerror})")
            continue
        numbers = {"free": found.free, "total": found.total}
        if path == home:
            check.details |= numbers
        check.details.setdefault("disks", {})[str(path)] = numbers
        if found.low:
            why = f"the disk of {path} is nearly full: {found}; free some space"
            check.worse("error" if found.full else "warning", why)
    return check


def _of_different_disks(places: Sequence[Path]) -> Iterator[Path]:
    """The first place of each disk. A folder that is missing is no matter of the disk."""
    seen: set[int] = set()
    for number, path in enumerate(places):
        try:
            device = path.stat().st_dev
        except OSError:
            if number == 0:
                yield path  # the home itself: that is one
            continue
        if device not in seen:
            seen.add(device)
            yield path


def memory(scene: Scene) -> Check:
    """What is left of the machine's memory, and what consumers hold of it."""
    held = [one.footprint.rss_bytes for one in scene.consumers if one.footprint is not None]
    return machine_memory(sum(held))


def machine_memory(used: int = 0, least: float = LOW_MEMORY) -> Check:
    import psutil

    check = Check("memory")
    found = psutil.virtual_memory()
    check.details = {"used": used, "available": found.available, "total": found.total, "usage": f"{found.percent}%"}
    if found.available < least * found.total:
        check.worse("warning", f"{found.percent} % of the machine's memory is in use: lower the number of workers")
    return check
