"""The doctor finds what is wrong with a ledger and mends what is safe, while others write."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.core.query import parse
from jobdesk.ledger import claiming, indexing, mending, moves, search, versions, workers
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring import folder_doctor, machine_doctor
from jobdesk.monitoring.doctor import doctor
from jobdesk.monitoring.finding import Finding, Patient, Watched
from tests.support.clock import FakeClock
from tests.support.factory import claim, counts_agree, submit
from tests.support.lowly import as_nobody, public_folder

MACHINE = {"disk", "file events"}


def look(ledger: Ledger, **more: Any) -> dict[str, Finding]:
    patient = Patient(ledger=ledger, home=ledger.path.parent, now=ledger.clock.now(), **more)
    return {one.name: one for one in doctor(patient)}


def bad(found: Mapping[str, Finding]) -> set[str]:
    """What is not ok, leaving out what is this machine's own."""
    wrong = {name for name, one in found.items() if not one.ok} - MACHINE
    assert all(found[name].why and found[name].mend for name in wrong)
    return wrong


def mended(ledger: Ledger, *names: str) -> None:
    """See that just these are wrong, mend them, and see that nothing is."""
    assert bad(look(ledger)) == set(names)
    found = look(ledger, fix=True)
    assert {name for name, one in found.items() if one.fixed} == set(names)
    assert bad(look(ledger)) == set()


def living(**more: Any) -> Consumer:
    fields: dict[str, Any] = {
        "id": "con_1",
        "kind": "app",
        "pid": 1,
        "process_started": 0.0,
        "workers": 1,
        "queues": None,
    }
    return Consumer(**(fields | {"started_at": 0.0, "heartbeat_at": 2e9} | more))


def test_a_sound_home_has_no_findings(ledger: Ledger) -> None:
    submit(ledger, flow="flow_1")
    assert bad(look(ledger)) == set()


def test_wrong_counts_are_found_and_counted_again(ledger: Ledger) -> None:
    for _ in range(3):
        submit(ledger, flow="flow_1")
    with ledger.write() as tx:
        tx.run("UPDATE tally SET n = 7")
        tx.run("DELETE FROM lane")
        tx.run("UPDATE flow SET open = 0, total = 9")
    assert look(ledger)["counts"].message == "2 counts wrong: queue default has 3 pending jobs, not 7"
    mended(ledger, "counts", "flows")
    assert ledger.row("SELECT total, open, failed FROM flow") == (3, 3, 0)
    assert ledger.row("SELECT ready FROM lane") == (3,)


def test_counts_come_right_while_others_submit_and_claim(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(200):
        submit(ledger)
    with ledger.write() as tx:
        tx.run("UPDATE tally SET n = n + 1000")
        tx.run("UPDATE lane SET ready = ready + 500")
    over, ready = threading.Event(), threading.Event()

    def work() -> None:
        while not over.is_set():
            submit(ledger)
            with ledger.write() as tx:
                claiming.claim(tx, "con_1/1")
            ready.set()
        ledger.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60)

    def mend() -> None:
        mending.counts(ledger)
        ledger.close()

    doctors = [threading.Thread(target=mend) for _ in range(3)]
    for one in doctors:
        one.start()
    for one in doctors:
        one.join(60)
    over.set()
    thread.join(60)
    assert counts_agree(ledger)


def test_minutes_that_count_too_few_ends_are_raised_and_others_left(ledger: Ledger) -> None:
    for _ in range(3):
        submit(ledger)
        with ledger.write() as tx:
            job = claiming.claim(tx, "con_1/1")
            assert job is not None
            moves.complete(tx, job, None)
    with ledger.write() as tx:
        tx.run("UPDATE minute SET completed = 1, failed = 4")
    mended(ledger, "minutes")
    assert ledger.row("SELECT sum(completed), sum(failed) FROM minute") == (3, 4)


def test_a_blocked_job_that_waits_for_nobody_goes_on(ledger: Ledger) -> None:
    first = submit(ledger)
    second = submit(ledger, after=(first,))
    with ledger.write() as tx:
        tx.run("UPDATE job SET waits_for = 2 WHERE id = ?", (second,))
    assert second in look(ledger)["blocked jobs"].message
    mended(ledger, "blocked jobs")
    assert ledger.row("SELECT waits_for FROM job WHERE id = ?", (second,)) == (1,)


def test_rows_of_no_job_are_removed_and_a_queue_that_only_jobs_know_is_made(ledger: Ledger) -> None:
    submit(ledger)
    with ledger.write() as tx:
        for job in range(1000, 1500):
            tx.run("INSERT INTO event (at, kind, job) VALUES (1, 'job_log', ?)", (job,))
            tx.run("INSERT INTO dependency (parent, job) VALUES (1, ?)", (job,))
        tx.run("DELETE FROM queue")
    assert "dependency, event" in look(ledger)["rows"].message
    mended(ledger, "rows")
    assert ledger.row("SELECT count(*) FROM event WHERE job = 1") == (1,)
    assert claim(ledger).queue == "default"


def test_an_index_of_words_that_does_not_agree_is_built_anew(ledger: Ledger) -> None:
    id_ = submit(ledger, data={"path": "sunset"})
    indexing.extend(ledger, 10)
    with ledger.write() as tx:
        tx.run("INSERT INTO fulltext (fulltext) VALUES ('delete-all')")
    mended(ledger, "search")
    indexing.extend(ledger, 10)
    with ledger.write() as tx:
        tx.run("UPDATE fulltext_data SET block = x'00' WHERE id > 10")
    assert "damaged" in look(ledger)["search"].message
    mended(ledger, "search")
    assert search.ids(ledger, parse("text:sunset")) == [id_]


def test_an_index_that_lost_its_rows_is_built_anew(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "jobdesk.db"
    ledger = Ledger(path, clock)
    for _ in range(30):
        submit(ledger)
    ledger.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as spoiled:  # write the table without its index
        spoiled.execute("PRAGMA writable_schema = ON")
        row = spoiled.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = 'job_type'")
        kept = row.fetchone()
        spoiled.execute("DELETE FROM sqlite_master WHERE name = 'job_type'")
    with closing(sqlite3.connect(path, isolation_level=None)) as spoiled:
        spoiled.execute("DROP TRIGGER job_reworded")
        spoiled.execute("UPDATE job SET type = 'other' WHERE seq < 10")
        spoiled.execute("PRAGMA writable_schema = ON")
        spoiled.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", kept)
    ledger = Ledger(path, clock)
    found = look(ledger)["database"]
    assert not found.ok
    assert "job_type" in found.message
    look(ledger, fix=True)
    assert look(ledger)["database"].ok
    ledger.close()


def test_a_damaged_database_is_found(ledger: Ledger) -> None:
    for _ in range(200):
        submit(ledger, data={"pad": "x" * 1000})
    ledger.row("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    with ledger.path.open("r+b") as file:
        file.seek(ledger.path.stat().st_size // 2)
        file.write(b"\x5a" * 20_000)
    finding = look(ledger)["database"]
    assert not finding.ok
    assert "backup" in str(finding.mend)


def test_it_looks_at_all_while_another_holds_the_ledger(tmp_path: Path) -> None:
    """Whoever waited for the write lock would find it locked: no check takes it, not even for a moment."""
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock())
    for number in range(50):
        submit(ledger, data={"number": number})
    indexing.extend(ledger, 100)
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert bad(look(ledger)) == set()
        other.execute("ROLLBACK")
    ledger.close()


def test_running_jobs_of_the_dead_are_reported(ledger: Ledger) -> None:
    id_ = submit(ledger)
    claim(ledger, "con_dead/1")
    finding = look(ledger)["running jobs"]
    assert not finding.ok
    assert id_ in finding.message
    assert "jobdesk --consumer" in str(finding.mend)
    assert look(ledger, consumers=(living(id="con_dead"),))["running jobs"].ok


def test_a_consumer_that_lives_and_is_silent_is_named(ledger: Ledger) -> None:
    now = ledger.clock.now()
    finding = look(ledger, consumers=(living(pid=77, heartbeat_at=now - 300),))["consumers"]
    assert not finding.ok
    assert finding.message == "consumer 77 lives and has said nothing for 300 s"


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
