"""Whether what is said to run does: consumers, their jobs, their folders, and which code they run."""

import shutil
from collections.abc import Iterable

from jobdesk.ledger import ahead, upkeep, versions, workers
from jobdesk.monitoring.finding import FIX, Finding, Patient, put_right, some

SILENT_S = 60.0
"""A living consumer says that it lives each second."""
_SLACK_S = 1.0
_REVIVE = f"start `jobdesk --consumer`, which sees to it at once, or {FIX}"


def running(patient: Patient) -> Finding:
    """Jobs that dead consumers hold."""
    held = ahead.orphans(patient.ledger, [one.id for one in patient.consumers])
    if not held:
        return Finding("running jobs", True, "every running job has a live consumer")
    id_, worker = held[0]
    found = Finding(
        "running jobs", False,
        f"{some(len(held), 'running job has', 'running jobs have')} no live consumer: {id_} was held by {worker}",
        "they run nowhere, and hold up what waits for them", _REVIVE,
    )  # fmt: skip
    return _buried(found, patient, {worker.partition("/")[0] for _, worker in held})


def consumers(patient: Patient) -> Finding:
    """Consumers that died without a word, and those that live and do nothing."""
    alive = {one.id for one in patient.consumers}
    dead = {one.id: one.pid for one in workers.running(patient.ledger) if one.id not in alive}
    if dead:
        found = Finding(
            "consumers", False,
            f"{some(len(dead), 'consumer')} died without a word, process {min(dead.values())} first",
            "what their jobs started may still run", _REVIVE,
        )  # fmt: skip
        return _buried(found, patient, dead)
    silent = [one for one in patient.consumers if patient.now - one.heartbeat_at > SILENT_S]
    if not silent:
        return Finding("consumers", True, f"{some(len(alive), 'consumer')} at work")
    one = silent[0]
    return Finding(
        "consumers", False,
        f"consumer {one.pid} lives and has said nothing for {patient.now - one.heartbeat_at:,.0f} s",
        "it hangs or was stopped, and its jobs with it",
        f"`kill -CONT {one.pid}` if it was stopped, else `kill -9 {one.pid}`: its jobs go to others",
    )  # fmt: skip


def _buried(found: Finding, patient: Patient, dead: Iterable[str]) -> Finding:
    bury = patient.bury
    if bury is None:
        return found
    return put_right(found, patient, lambda: [bury(one, "its consumer is gone") for one in sorted(dead)])


def code(patient: Patient) -> Finding:
    """Consumers of another version of jobdesk, or with processors that have changed since they began."""
    pids = {one.id: one.pid for one in patient.consumers}
    other = versions.others(patient.ledger, patient.version, pids)
    if other:
        id_, version = next(iter(other.items()))
        return Finding(
            "versions", False, f"consumer {pids[id_]} runs jobdesk {version}, and this is {patient.version}",
            "it may not know what the ledger holds now", "stop it and start it anew",
        )  # fmt: skip
    for one in patient.consumers:
        for file, changed_at in patient.processors.items():
            if changed_at > one.started_at + _SLACK_S:
                return Finding(
                    "versions", False, f"{file} has changed since consumer {one.pid} began",
                    "it may still run jobs by the code of then", "stop it and start it anew",
                )  # fmt: skip
    return Finding("versions", True, f"whoever works runs jobdesk {patient.version} and the processors as they are")


def folders(patient: Patient) -> Finding:
    """Working folders of attempts that nobody runs."""
    there = sorted(patient.work.iterdir()) if patient.work is not None and patient.work.is_dir() else []
    kept = {f"{id_}-{fence}" for id_, fence in upkeep.claims(patient.ledger)}  # after: new ones stay
    left = [path for path in there if path.name not in kept]
    if not left:
        return Finding("working folders", True, "every working folder has its attempt")
    found = Finding(
        "working folders", False, f"{some(len(left), 'working folder')} of attempts that are over, {left[0]} first",
        "they take room",
    )  # fmt: skip

    def mend() -> None:
        for path in left:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    return put_right(found, patient, mend)
