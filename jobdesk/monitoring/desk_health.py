"""Health of the desk itself: its database, its settings, the consumers that work on it, its schedules."""

from jobdesk.core.clock import iso
from jobdesk.core.durations import short
from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import State
from jobdesk.ledger import ahead, probe
from jobdesk.ledger import schedules as timetable
from jobdesk.monitoring.check import Check, Scene
from jobdesk.monitoring.metrics import consumer, database_bytes

SILENT_S = 15.0
"""A consumer writes its heartbeat every few seconds."""
_LATE_S = 60.0
"""How long after its time a schedule may come."""
_LATELY_S = 3600.0


def database(scene: Scene) -> Check:
    """Whether it can be written and read."""
    check, path = Check("database"), scene.ledger.path
    try:
        check.details["bytes"] = database_bytes(scene.ledger)
        if not scene.ledger.read_only:
            probe.write(path, scene.now)
    except (JobdeskError, OSError) as error:
        check.worse("error", str(error))
    if scene.queues is None:
        check.worse("error", f"{path} cannot be read: run jobdesk doctor")
    return check


def settings(scene: Scene) -> Check:
    """Whether jobdesk.toml is right."""
    check = Check("settings")
    if scene.settings is not None:
        check.worse("error", f"the settings are wrong; what runs keeps the former, nothing can start: {scene.settings}")
    return check


def workers(scene: Scene) -> Check:
    """Whether those that should run jobs are there, alive and awake."""
    check = Check("consumers")
    queues = scene.queues or ()
    check.details = {
        "alive": len(scene.consumers),
        "dead": len(scene.lost),
        "workers": sum(one.workers for one in scene.consumers),
        "busy": sum(queue.counts[State.PROCESSING] for queue in queues),
        "list": [{"id": one.id} | consumer(one) for one in scene.consumers],
    }
    waiting = sum(queue.counts[State.PENDING] for queue in queues if queue.paused_at is None)
    if not scene.consumers and waiting:
        jobs = "1 job is" if waiting == 1 else f"{waiting:,} jobs are"
        check.worse("warning", f"no consumer runs and {jobs} ready: start one with jobdesk --consumer")
    for one in scene.lost:
        _lost(scene, one.id, one.pid, check)
    for one in scene.consumers:
        if scene.now - one.heartbeat_at > SILENT_S:
            check.worse("warning", f"consumer {one.pid} has been silent for {short(scene.now - one.heartbeat_at)}")
    return check


def _lost(scene: Scene, id_: str, pid: int, check: Check) -> None:
    """A consumer died: another gives back its jobs within seconds, but if there is none they hang."""
    held = ahead.held_by(scene.ledger, id_)
    if scene.consumers:
        check.worse("warning", f"consumer {pid} died; another takes over what it held")
    elif held:
        jobs = "a job hangs" if held == 1 else f"{held:,} jobs hang"
        check.worse("error", f"consumer {pid} died and {jobs}: start another with jobdesk --consumer")
    else:
        check.worse("warning", f"consumer {pid} died and none runs now: start one with jobdesk --consumer")


def schedules(scene: Scene) -> Check:
    """Whether schedules come, and on time."""
    check = Check("schedules")
    missed = timetable.missed_since(scene.ledger, scene.now - _LATELY_S)
    for one in timetable.every(scene.ledger):
        count = missed.get(one.name, 0)
        overdue = one.paused_at is None and one.next_at is not None and one.next_at < scene.now - _LATE_S
        check.details[one.name] = {"next": iso(one.next_at), "missedLastHour": count, "problem": one.problem}
        if one.problem is not None:
            check.worse("warning", f"schedule {one.name} makes no jobs: {one.problem}")
        elif count:
            times = "1 time" if count == 1 else f"{count:,} times"
            check.worse("warning", f"schedule {one.name} missed {times}, noticed in the last hour: nobody worked")
        if overdue:
            why = "see the log" if scene.consumers else "no consumer runs: start one with jobdesk --consumer"
            check.worse("warning", f"schedule {one.name} was due at {iso(one.next_at)} and has not come; {why}")
    return check
