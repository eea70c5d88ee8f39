"""Whether the desk is well: `jobdesk health`, `/health`, and the Health screen.

A check is a function in one of the files beside this one: it looks at the scene and gives a `Check`; it joins by its
name in one of the two tables below. A check that cannot look is an error, never a crash.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.errors import JobdeskError
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.alert_health import alerts
from jobdesk.monitoring.check import RANK, Check, Scene, Status
from jobdesk.monitoring.desk_health import database, schedules, settings, workers
from jobdesk.monitoring.folder_health import folders
from jobdesk.monitoring.machine_health import disk, disks, machine_memory, memory
from jobdesk.monitoring.queue_health import queues
from jobdesk.monitoring.reachable import services

_ALWAYS = {"database": database, "disk": disk, "consumers": workers, "settings": settings, "memory": memory}
_READING = {"queues": queues, "folders": folders, "schedules": schedules, "services": services, "alerts": alerts}
"""Left out where the database cannot be read: that is said once."""


def health(
    ledger: Ledger,
    *,
    home: Path,
    consumers: Sequence[Consumer],
    now: float,
    lost: Sequence[Consumer] = (),
    places: Sequence[Path] = (),
    problem: str | None = None,
    detailed: bool = False,
) -> dict[str, Any]:
    """The state of everything: `status`, a bool for each of `checks`, `problems` in words, with `detailed` the numbers.

    Args: `problem` is what is wrong with the settings; see `Scene` for the rest.
    """
    scene = Scene(ledger, home, now, _read(ledger), consumers, lost, places, problem)
    wanted = _ALWAYS if scene.queues is None else _ALWAYS | _READING
    found = [_looked(name, check, scene) for name, check in wanted.items()]
    return _answer(found, now, min((one.started_at for one in consumers), default=now), detailed)


def health_of_closed(home: Path, problem: str, now: float, *, detailed: bool = False) -> dict[str, Any]:
    """The same of a home that cannot be opened, with what can be seen from outside; `problem` says why."""
    check = Check("home")
    check.worse("error", problem)
    return _answer([check, disks(home), machine_memory()], now, now, detailed)


def _answer(found: Sequence[Check], now: float, since: float, detailed: bool) -> dict[str, Any]:
    worst: Status = max((check.status for check in found), key=RANK.__getitem__)
    answer = {
        "status": worst,
        "timestamp": iso(now),
        "uptime": round(now - since),
        "checks": {check.name: check.status == "healthy" for check in found},
        "problems": [
            {"check": check.name, "status": status, "message": text} for check in found for status, text in check.says
        ],
    }
    return answer | {"details": {check.name: check.details for check in found}} if detailed else answer


def _read(ledger: Ledger) -> list[reads.Queue] | None:
    try:
        return reads.queues(ledger)
    except JobdeskError:
        return None


def _looked(name: str, look: Callable[[Scene], Check], scene: Scene) -> Check:
    try:
        return look(scene)
    except (JobdeskError, OSError) as error:
        check = Check(name)
        check.worse("error", f"it cannot be looked at: {error}")
        return check
