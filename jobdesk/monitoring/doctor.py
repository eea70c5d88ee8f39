"""What is wrong with a home and how to mend it: `jobdesk doctor`; with `--fix` it mends what is safe."""

from functools import partial

from jobdesk.monitoring import folder_doctor, ledger_doctor, machine_doctor, work_doctor
from jobdesk.monitoring.finding import Check, Finding, Patient, tried

CHECKS: dict[str, Check] = {
    "database": ledger_doctor.integrity,
    "counts": ledger_doctor.counts,
    "minutes": ledger_doctor.minutes,
    "flows": ledger_doctor.flows,
    "blocked jobs": ledger_doctor.waiting,
    "rows": ledger_doctor.orphans,
    "search": ledger_doctor.words,
    "running jobs": work_doctor.running,
    "consumers": work_doctor.consumers,
    "versions": work_doctor.code,
    "working folders": work_doctor.folders,
    "folders": folder_doctor.missing,
    "writable": folder_doctor.writable,
    "claims": folder_doctor.claims,
    "files": folder_doctor.files,
    "artifacts": folder_doctor.artifacts,
    "disk": machine_doctor.disk,
    "file events": machine_doctor.file_events,
    "clock": machine_doctor.clock,
}
"""Each check with the name of what it finds."""


def doctor(patient: Patient) -> list[Finding]:
    """Look at everything; reads the whole database file, and writes only to mend, a little at a time."""
    return [tried(name, partial(check, patient)) for name, check in CHECKS.items()]
