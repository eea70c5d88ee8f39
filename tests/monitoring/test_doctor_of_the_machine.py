"""The doctor looks around the ledger: folders and their rights, files that are gone, limits, clocks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.ledger import versions, workers
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring import folder_doctor, machine_doctor
from jobdesk.monitoring.finding import Patient, Watched
from tests.support.clock import FakeClock
from tests.support.doctoring import bad, look
from tests.support.factory import submit
from tests.support.lowly import as_nobody, public_folder


def test_missing_folders_of_the_home_are_made_but_not_those_elsewhere(ledger: Ledger, tmp_path: Path) -> None:
    own, other = ledger.path.parent / "inbox", tmp_path.parent / "mnt" / "not-mounted"
    watched = (watch(own), watch(other))
    assert str(own) in look(ledger, watched=watched)["folders"].message
    finding = look(ledger, watched=watched, fix=True)["folders"]
    assert own.is_dir()
    assert not other.exists()
    assert not finding.ok
    assert str(own) not in finding.message
    assert look(ledger, watched=watched[:1])["folders"].ok


def watch(path: Path, *, recursive: bool = True) -> Watched:
    return Watched(path, recursive, ".jobdesk", path / ".jobdesk" / "claimed")


def test_a_folder_that_may_not_be_written_is_named() -> None:
    with public_folder() as folder:
        ledger = Ledger(folder / "jobdesk.db", SystemClock())
        shut, free = folder / "shut", folder / "free"
        shut.mkdir(mode=0o755)
        free.mkdir()
        free.chmod(0o777)
        kept = replace(watch(folder / "kept"), kept=True)  # nobody need write where files stay
        kept.path.mkdir(mode=0o755)

        def seen() -> list[object]:
            patient = Patient(ledger, folder, 0.0, own=(shut, free), watched=(kept,))
            one = folder_doctor.writable(patient)
            return [one.ok, one.message, one.mend]

        assert seen()[0]
        ok, message, mend = as_nobody(seen)
        ledger.close()
        assert not ok
        assert message == f"1 folder cannot be written: {shut}"
        assert "chmod u+rwx" in mend


def test_claims_that_no_record_knows_are_named(ledger: Ledger, tmp_path: Path) -> None:
    folder = watch(tmp_path / "in")
    folder.claimed.mkdir(parents=True)
    (folder.claimed / "file_1").touch()
    patient = Patient(ledger, tmp_path, ledger.clock.now(), watched=(folder,))
    finding = folder_doctor.claims(patient)
    assert not finding.ok
    assert "file_1" in finding.message
    assert "--consumer" in str(finding.mend)


def test_files_of_assets_and_jobs_that_are_gone_are_named(ledger: Ledger, tmp_path: Path) -> None:
    there, gone = tmp_path / "there.jpg", tmp_path / "gone.jpg"
    there.touch()
    submit(ledger)
    record = {"original": {"path": str(there)}, "renditions": [{"path": str(gone)}, {"path": "relative"}]}
    with ledger.write() as tx:
        tx.run(
            "INSERT INTO asset VALUES ('a', 1, 'job_1', NULL, 'cat.jpg', 'image/jpeg', 1, 'x', ?)",
            (json.dumps(record),),
        )
        for path in (there, gone, tmp_path / ".staging" / "x.jpg"):
            tx.run("INSERT INTO artifact VALUES (1, ?, 'image', 1)", (str(path),))
    found = look(ledger)
    assert bad(found) == {"files", "artifacts"}
    assert found["files"].message == f"1 file of assets are gone: {gone} of cat.jpg first"
    assert look(ledger, fix=True)["artifacts"].fixed
    assert bad(look(ledger)) == {"files"}
    assert ledger.row("SELECT count(*) FROM artifact") == (2,)


def test_an_open_home_is_made_private(ledger: Ledger) -> None:
    home = ledger.path.parent
    home.chmod(0o755)
    ledger.path.chmod(0o644)
    (home / "logs").mkdir(mode=0o755)
    (home / "logs" / "jobdesk.log").touch(mode=0o644)
    finding = machine_doctor.permissions(home, fix=False)
    assert not finding.ok
    assert "go-rwx" in str(finding.mend)
    assert machine_doctor.permissions(home, fix=True).fixed
    for path, mode in ((home, 0o700), (ledger.path, 0o600), (home / "logs", 0o700), (home / "logs/jobdesk.log", 0o600)):
        assert path.stat().st_mode & 0o777 == mode, path
    assert machine_doctor.permissions(home, fix=False).ok


def limits(folder: Path, watches: int, instances: int) -> Path:
    """Limits of inotify, as /proc has them; those of this machine hold for everybody."""
    where = folder / "proc" / "sys" / "fs" / "inotify"
    where.mkdir(parents=True, exist_ok=True)
    (where / "max_user_watches").write_text(f"{watches}\n")
    (where / "max_user_instances").write_text(f"{instances}\n")
    return folder / "proc"


@pytest.mark.parametrize(
    ("watches", "instances", "recursive", "wanted"),
    [
        (100, 10, True, None),
        (30, 10, True, "max_user_watches=62"),
        (30, 10, False, None),
        (100, 1, True, "instances=2"),
    ],
)
def test_limits_of_inotify_are_held_against_the_folders(
    ledger: Ledger, tmp_path: Path, watches: int, instances: int, recursive: bool, wanted: str | None
) -> None:
    for number in range(30):
        (tmp_path / "in" / f"album {number}").mkdir(parents=True)
    (tmp_path / "in" / ".jobdesk" / "claimed" / "x").mkdir(parents=True)
    patient = Patient(ledger, tmp_path, 0.0, watched=(watch(tmp_path / "in", recursive=recursive),))
    finding = machine_doctor.file_events(patient, limits(tmp_path, watches, instances))
    assert finding.ok is (wanted is None), finding
    assert wanted is None or wanted in str(finding.mend)


def test_things_dated_ahead_are_found(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger)
    clock.advance(-3600)
    assert not look(ledger)["clock"].ok


@pytest.mark.parametrize(("step", "says"), [(0.0, None), (-4000.0, "back by 4,000 s"), (7200.0, "forward by 7,200 s")])
def test_a_clock_that_was_set_is_told_by_the_one_that_nobody_sets(
    ledger: Ledger, clock: FakeClock, step: float, says: str | None
) -> None:
    clock.advance(-step)
    with ledger.write() as tx:
        workers.register(tx, "con_1", "app", 77, 1.0, 1, None)
        versions.note(tx, "con_1", "0.1.0", 500.0)
    clock.advance(step + 100)
    with ledger.write() as tx:
        workers.heartbeat(tx, "con_1", workers.Footprint(1.0, 0.0, 1))
        tx.run("DELETE FROM event")
    (consumer,) = workers.running(ledger)
    finding = look(ledger, consumers=(consumer,), since_boot=600.0)["clock"]
    assert finding.ok is (says is None)
    assert says is None or says in finding.message
