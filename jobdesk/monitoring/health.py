"""Whether the desk is well: `jobdesk health`, and the Health screen."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jobdesk.core.clock import iso
from jobdesk.core.durations import short
from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import State
from jobdesk.ledger import reads, rollups, schedules
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.disk import disk_of
from jobdesk.monitoring.reachable import services_reachable

Status = Literal["healthy", "warning", "error"]

DEEP = 100
"""Ready jobs in a queue that nobody works on."""
SILENT_S = 15.0
"""A consumer writes its heartbeat every few seconds."""
_LATE_S = 60.0
"""How long after its time a schedule may come."""
_LATELY_S = 3600.0
_MANY = 10
"""Ended jobs in the last hour from which a share of failures says something."""
_RANK: dict[Status, int] = {"healthy": 0, "warning": 1, "error": 2}


@dataclass
class Check:
    """One thing looked at: `says` is why it is not healthy, `details` are its numbers."""

    name: str
    status: Status = "healthy"
    says: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def worse(self, status: Status, why: str) -> None:
        """Note a problem; the worst one gives the status."""
        self.says.append(why)
        if _RANK[status] > _RANK[self.status]:
            self.status = status


def health(
    ledger: Ledger,
    *,
    home: Path,
    consumers: Sequence[Consumer],
    now: float,
    detailed: bool = False,
    settings: str | None = None,
) -> dict[str, Any]:
    """The state of everything: `status`, a bool for each of `checks`, `problems` in words, with `detailed` the numbers.

    Args:
        home: the home folder, whose disk is asked.
        consumers: those whose process is alive.
        settings: what is wrong with them; None if nothing is.
    """
    queues = _read(ledger, reads.queues)
    checks = [
        _database(ledger, queues is not None),
        _disk(home),
        _consumers(queues or [], consumers, now),
        *([] if queues is None else [_queues(ledger, queues, consumers, now), _folders(ledger)]),
        *([] if queues is None else [_schedules(ledger, bool(consumers), now)]),
        *([] if queues is None else [_services(ledger, now)]),
        _settings(settings),
        _memory(),
    ]
    worst: Status = max((check.status for check in checks), key=_RANK.__getitem__)
    answer = {
        "status": worst,
        "timestamp": iso(now),
        "uptime": round(now - min((one.started_at for one in consumers), default=now)),
        "checks": {check.name: check.status == "healthy" for check in checks},
        "problems": [
            {"check": check.name, "status": check.status, "message": text} for check in checks for text in check.says
        ],
    }
    return answer | {"details": {check.name: check.details for check in checks}} if detailed else answer


def _read(ledger: Ledger, reading: Callable[[Ledger], list[reads.Queue]]) -> list[reads.Queue] | None:
    try:
        return reading(ledger)
    except JobdeskError:
        return None


def _database(ledger: Ledger, readable: bool) -> Check:
    check = Check("database")
    try:
        check.details["bytes"] = ledger.path.stat().st_size
        with ledger.write():
            pass
    except (JobdeskError, OSError) as error:
        check.worse("error", str(error))
    if not readable:
        check.worse("error", f"{ledger.path} cannot be read: run jobdesk doctor")
    return check


def _disk(home: Path) -> Check:
    check = Check("disk")
    try:
        disk = disk_of(home)
    except OSError as error:
        check.worse("error", f"the disk of {home} does not answer ({error.strerror})")
        return check
    check.details = {"free": disk.free, "total": disk.total}
    if disk.low:
        check.worse("error" if disk.full else "warning", f"the disk of {home} is nearly full: {disk}; free some space")
    return check


def _consumers(queues: Sequence[reads.Queue], consumers: Sequence[Consumer], now: float) -> Check:
    check = Check("consumers")
    running = sum(queue.counts[State.PROCESSING] for queue in queues)
    check.details = {
        "alive": len(consumers),
        "workers": sum(one.workers for one in consumers),
        "busy": running,
        "list": [
            {"id": one.id, "kind": one.kind, "pid": one.pid, "workers": one.workers, "heartbeat": iso(one.heartbeat_at)}
            for one in consumers
        ],
    }
    waiting = sum(queue.counts[State.PENDING] for queue in queues if queue.paused_at is None)
    if not consumers and waiting:
        check.worse("warning", f"no consumer runs and {waiting:,} jobs are ready: start one with jobdesk --consumer")
    for one in consumers:
        if now - one.heartbeat_at > SILENT_S:
            check.worse("warning", f"consumer {one.pid} has been silent for {short(now - one.heartbeat_at)}")
    return check


def _queues(ledger: Ledger, queues: Sequence[reads.Queue], consumers: Sequence[Consumer], now: float) -> Check:
    check = Check("queues")
    lately = rollups.ended_by_queue(ledger, int(now // 60) - 60)
    for queue in queues:
        own = Check(queue.name)
        completed, failed = lately.get(queue.name, (0, 0))
        _failures(own, completed, failed)
        pending = queue.counts[State.PENDING]
        served = any(one.queues is None or queue.name in one.queues for one in consumers)
        if queue.paused_at is not None:
            if pending:
                by = f" by {queue.paused_by}" if queue.paused_by else ""
                own.worse("warning", f"it is paused{by} with {pending:,} jobs ready")
        elif pending > DEEP and not served:
            own.worse("warning", f"{pending:,} jobs are ready and nobody works on it")
        check.details[queue.name] = {
            "status": own.status,
            "reason": "; ".join(own.says) or None,
            "pending": pending,
            "processing": queue.counts[State.PROCESSING],
            "dead": queue.dead,
            "completedLastHour": completed,
            "failedLastHour": failed,
        }
        for text in own.says:
            check.worse(own.status, f"queue {queue.name}: {text}")
    return check


def _failures(check: Check, completed: int, failed: int) -> None:
    ended = completed + failed
    if not failed:
        return
    if ended >= _MANY and failed * 2 >= ended:
        check.worse("error", f"{failed:,} of {ended:,} jobs of the last hour went to the dead letters")
    else:
        check.worse("warning", f"{failed:,} dead letter{'s' if failed > 1 else ''} in the last hour")


def _folders(ledger: Ledger) -> Check:
    check = Check("folders")
    for path, mode, message in ledger.rows("SELECT path, mode, message FROM folder ORDER BY path"):
        usable = os.access(path, os.R_OK | os.W_OK | os.X_OK)
        check.details[path] = {"mode": mode, "usable": usable, "message": message}
        if not usable:
            check.worse("warning", f"the folder {path} is missing or may not be read and written: make or mend it")
        elif mode == "offline":
            check.worse("warning", f"the folder {path} is offline: {message or 'nobody watches it'}")
    return check


def _schedules(ledger: Ledger, attended: bool, now: float) -> Check:
    check = Check("schedules")
    missed = schedules.missed_since(ledger, now - _LATELY_S)
    for one in schedules.every(ledger):
        count = missed.get(one.name, 0)
        overdue = one.paused_at is None and one.next_at is not None and one.next_at < now - _LATE_S
        check.details[one.name] = {"next": iso(one.next_at), "missedLastHour": count, "problem": one.problem}
        if one.problem is not None:
            check.worse("warning", f"schedule {one.name} makes no jobs: {one.problem}")
        elif count:
            times = "1 time" if count == 1 else f"{count:,} times"
            check.worse("warning", f"schedule {one.name} missed {times}, noticed in the last hour: nobody worked")
        if overdue:
            why = "see the log" if attended else "no consumer runs: start one with jobdesk --consumer"
            check.worse("warning", f"schedule {one.name} was due at {iso(one.next_at)} and has not come; {why}")
    return check


def _services(ledger: Ledger, now: float) -> Check:
    check = Check("services")
    says, check.details = services_reachable(ledger, now)
    for text in says:
        check.worse("warning", text)
    return check


def _settings(problem: str | None) -> Check:
    check = Check("settings")
    if problem is not None:
        check.worse("error", f"the settings are wrong; what runs keeps the former, nothing can start: {problem}")
    return check


def _memory() -> Check:
    import psutil

    check = Check("memory")
    memory = psutil.virtual_memory()
    own = psutil.Process().memory_info().rss
    check.details = {"used": own, "available": memory.available, "total": memory.total, "usage": f"{memory.percent}%"}
    if memory.available < 0.05 * memory.total:
        check.worse("warning", f"{memory.percent} % of the machine's memory is in use: lower the number of workers")
    return check
