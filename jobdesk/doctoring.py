"""Everything that the doctor must know of a home, put together."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobdesk import __version__
from jobdesk.core.clock import since_boot
from jobdesk.core.errors import ConfigError, HomeError
from jobdesk.monitoring import machine_doctor
from jobdesk.monitoring.doctor import doctor
from jobdesk.monitoring.finding import Finding, Patient, Watched, tried

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.folders.rules import FolderRule


def look_first(home: Path, *, fix: bool) -> list[Finding]:
    """What can be said, and mended, of a home before it is opened."""
    return [tried("permissions", lambda: machine_doctor.permissions(home, fix=fix))]


def look_at_disk(home: Path) -> Finding:
    """Whether there is room where the home lies: without it, nothing can open the ledger."""
    return tried("disk", lambda: machine_doctor.room([home]))


def cannot_open(error: HomeError) -> Finding:
    """That a home is refused, as a finding; its sentence says what is so and what mends it."""
    said, _, mend = str(error).partition(": ")
    return Finding("home", False, said, "nothing can be done with this home as it is", mend or None)


def examine(desk: "Desk", *, fix: bool) -> list[Finding]:
    """Look at everything of an open home."""
    return [*_settings(desk), *doctor(_patient(desk, fix))]


def _patient(desk: "Desk", fix: bool) -> Patient:
    home = desk.home
    try:
        rules, storage = desk.folder_rules(), home.path / desk.config.storage.path
    except ConfigError:  # said by its own finding
        rules, storage = [], home.path / "library"
    return Patient(
        ledger=desk.ledger,
        home=home.path,
        now=desk.clock.now(),
        since_boot=since_boot(),
        consumers=desk.consumers(),
        own=(home.inbox, home.quarantine, home.processors, home.logs, home.run, home.work),
        watched=[_watched(rule) for rule in rules],
        storage=storage,
        work=home.work,
        processors={file: file.stat().st_mtime for file in home.processors.glob("*.py")},
        version=__version__,
        bury=None if desk.read_only else lambda consumer, why: _bury(desk, consumer, why),
        fix=fix,
    )


def _watched(rule: "FolderRule") -> Watched:
    from jobdesk.folders.rules import OWN

    own = OWN.decode()
    return Watched(rule.path, rule.recursive, own, rule.path / own / "claimed", rule.source == "keep")


def _bury(desk: "Desk", consumer: str, why: str) -> None:
    from jobdesk.runtime.services import Rescuer
    from jobdesk.wiring import DeskWiring

    rescuer = Rescuer(desk.ledger, "", desk.clock, desk.home.work, lambda: None, DeskWiring(desk))
    rescuer.bury(consumer, why)


def _settings(desk: "Desk") -> list[Finding]:
    """What only the desk knows: its settings, its processors, and whether they fit together."""
    try:
        folders = desk.config.folders
    except ConfigError as error:
        return [
            Finding(
                "settings", False, str(error), "no consumer starts with them",
                "edit it; `jobdesk config schema` says what fits",
            )
        ]  # fmt: skip
    found = [Finding("settings", True, f"the settings are right ({desk.home.settings})"), _processors(desk)]
    known = desk.registry.processors
    for flow in desk.config.flows:
        for step in flow.steps:
            if step.type not in known:
                said = f"no processor has the job type {step.type} of flow {flow.name}, step {step.name}"
                found.append(Finding("flows", False, said, "it cannot be started", "change its `type` in jobdesk.toml"))
    for schedule in desk.schedules():
        if schedule.spec.type not in known:
            said = f"no processor has the job type {schedule.spec.type} of schedule {schedule.name}"
            mend = "change its `type` in jobdesk.toml, or remove it"
            found.append(Finding("schedules", False, said, "its times make no jobs", mend))
    for folder in folders:
        if desk.named_flow(folder.pipeline) is None and folder.pipeline not in known:
            said = f"there is neither a flow nor a job type {folder.pipeline}, which files of {folder.path} become"
            mend = "change `pipeline` in jobdesk.toml"
            found.append(Finding("pipelines", False, said, "its files stay where they are", mend))
    return found


def _processors(desk: "Desk") -> Finding:
    broken = desk.registry.broken
    if not broken:
        return Finding("processors", True, f"{len(desk.registry.processors)} job types are known")
    return Finding(
        "processors", False,
        f"{len(broken)} of the plug-ins did not load: {broken[0].name}: {broken[0].error}",
        "jobs of their types wait, or fail", "mend it; `jobdesk processors list` shows them all",
    )  # fmt: skip
