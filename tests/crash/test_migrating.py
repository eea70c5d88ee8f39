"""A ledger of a former version is brought up to date whole or not at all, once, after a checked copy of it."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from jobdesk.ledger import copies, migrating, tables
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.processes import start_of
from tests.support import counting
from tests.support.clock import FakeClock
from tests.support.former import ENDED, PROCESSOR, TO_RUN, VERSIONS, former_ledger
from tests.support.home import command, consumer, make_home, said

NEW = len(tables.MIGRATIONS)


def former_home(folder: Path, version: int, more: int = 0) -> Path:
    home = make_home(folder, PROCESSOR)
    former_ledger(home / "jobdesk.db", version, more)
    return home


def version_of(file: Path) -> int:
    with closing(sqlite3.connect(file)) as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(found.execute("PRAGMA user_version").fetchone()[0])


def backups(home: Path) -> list[Path]:
    return sorted(home.glob("backups/*.db"))


@pytest.mark.parametrize("version", VERSIONS)
def test_jobs_of_every_former_version_run_to_their_end(tmp_path: Path, version: int) -> None:
    home = former_home(tmp_path, version)
    opened = command(home, "jobs", "list", "--limit", "50", "--json")
    assert opened.code == 0, opened.error
    assert {job["id"] for job in opened.json} == {*TO_RUN, *ENDED}
    (backup,) = backups(home)
    assert opened.error == (
        f"jobdesk: the ledger was brought from version {version} to {NEW}; it is kept as it was in {backup}\n"
    )
    assert "was brought from version" in (home / "logs" / "jobdesk.log").read_text()
    assert (version_of(backup), version_of(home / "jobdesk.db")) == (version, NEW)
    assert {file.stat().st_mode & 0o777 for file in (home / "backups").iterdir()} == {0o600}
    assert consumer(home, "--drain").wait(120) == 0
    states = counting.states(home)
    assert {id_: states[id_] for id_ in ENDED} == dict(
        zip(ENDED, ("completed", "failed", "cancelled", "expired"), strict=True)
    )
    assert {states[id_] for id_ in TO_RUN} == {"completed"}
    assert counting.doctor(home) == []
    assert command(home, "jobs", "list", "text:job_second").out.count("\n") == 1
    assert command(home, "restore", str(backup)).code == 0  # the copy is as good as the former ledger
    assert set(counting.states(home)) == {*TO_RUN, *ENDED}
    assert backups(home) == [backup]


def dies(number: int, home: Path) -> bool:
    """Whether opening the home was killed at its nth statement; False if it came to its end."""
    words = [sys.executable, "-m", "tests.support.dies_in_sql", str(number), "--home", str(home), "jobs", "list"]
    return subprocess.run(words, capture_output=True, check=False).returncode == -9


def count_of(home: Path) -> int:
    """How many statements opening the home takes."""
    words = [sys.executable, "-m", "tests.support.dies_in_sql", "0", "--home", str(home), "jobs", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(done.stderr.splitlines()[-1])


def killed_and_opened_again(home: Path, number: int) -> None:
    killed = dies(number, home)
    there = version_of(home / "jobdesk.db")
    assert there in (1, NEW) if killed else there == NEW
    assert all(version_of(file) == 1 for file in backups(home))
    answer = said(home, "jobs", "list", "--limit", "50", "--json")
    assert answer.code == 0, answer.error
    assert {job["id"] for job in answer.json} == {*TO_RUN, *ENDED}
    assert version_of(home / "jobdesk.db") == NEW
    assert all("no live consumer" in found for found in counting.doctor(home))  # as the former ledger said
    assert [file for file in (home / "backups").iterdir() if file.name.startswith(".")] == []
    assert len(backups(home)) == 1


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_a_kill_in_the_middle_leaves_the_old_ledger_or_the_new_one(tmp_path: Path, part: float) -> None:
    every = count_of(former_home(tmp_path / "first", 1))
    killed_and_opened_again(former_home(tmp_path / "second", 1), int(every * part))


@pytest.mark.soak
def test_a_kill_at_any_statement_leaves_the_old_ledger_or_the_new_one(tmp_path: Path) -> None:
    every = count_of(former_home(tmp_path / "first", 1))
    for number in range(1, every + 1):
        killed_and_opened_again(former_home(tmp_path / f"n{number}", 1), number)


def test_processes_that_open_at_once_migrate_once(tmp_path: Path) -> None:
    home = former_home(tmp_path, 1, more=3000)
    words = [sys.executable, "-m", "jobdesk", "--home", str(home), "queues", "list", "--json"]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [one.communicate(timeout=120) for one in started]
    assert [one.returncode for one in started] == [0] * 4, ended
    assert sum("was brought from version" in error for _, error in ended) == 1
    assert len(backups(home)) == 1
    assert version_of(home / "jobdesk.db") == NEW


def test_it_does_not_happen_under_a_consumer_that_lives(tmp_path: Path) -> None:
    home = former_home(tmp_path, 1)
    with subprocess.Popen(["sleep", "600"]) as older:
        try:
            started = start_of(older.pid)
            with closing(sqlite3.connect(home / "jobdesk.db")) as ledger, ledger:
                ledger.execute("UPDATE consumer SET pid = ?, process_started = ?", (older.pid, started))
            refused = command(home, "jobs", "list")
            assert (refused.code, refused.error.count("\n")) == (5, 1)
            assert f"consumer {older.pid} still works on it" in refused.error
            assert version_of(home / "jobdesk.db") == 1
            assert backups(home) == []
        finally:
            older.kill()
    assert command(home, "jobs", "list").code == 0


def test_a_newer_ledger_is_refused_in_one_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert said(home, "jobs", "list").code == 0
    with closing(sqlite3.connect(home / "jobdesk.db")) as newer:
        newer.execute(f"PRAGMA user_version = {NEW + 1}")
    before = (home / "jobdesk.db").read_bytes()
    for words in (
        ["jobs", "list"],
        ["submit", "greet"],
        ["doctor"],
        ["--consumer", "--drain"],
        ["--read-only", "jobs", "list"],
    ):
        refused = said(home, *words)
        assert refused.code == 5
        assert refused.error.count("\n") == 1
        assert f"newer jobdesk (ledger version {NEW + 1}, this one knows {NEW}): upgrade jobdesk" in refused.error
    assert (home / "jobdesk.db").read_bytes() == before
    assert not (home / "backups").exists()


def test_without_room_for_the_backup_nothing_is_changed(small_disk: Path) -> None:
    home = former_home(small_disk, 1, more=3000)
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while shutil.disk_usage(small_disk).free > 400_000:
            ballast.write(b"x" * 50_000)
    refused = said(home, "jobs", "list")
    assert refused.code == 5
    assert "cannot be copied to" in refused.error
    assert refused.error.endswith("nothing was changed; make room there and try again\n")
    assert version_of(home / "jobdesk.db") == 1
    assert backups(home) == []
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    assert said(home, "queues", "list").code == 0


def test_a_damaged_ledger_is_not_brought_up_to_date(tmp_path: Path) -> None:
    home = former_home(tmp_path, 1, more=2000)
    file = home / "jobdesk.db"
    with closing(sqlite3.connect(file)) as found:
        (root,) = found.execute("SELECT rootpage FROM sqlite_master WHERE name = 'job_type'").fetchone()
    with file.open("rb+") as stream:
        stream.seek((root - 1) * 4096)
        stream.write(b"\x5a" * 4096)
    before = file.read_bytes()
    refused = said(home, "jobs", "list")
    assert (refused.code, refused.error.count("\n")) == (5, 1)
    assert "is damaged" in refused.error
    assert "jobdesk restore FILE" in refused.error
    assert file.read_bytes() == before


def test_the_latest_backup_of_each_of_the_last_versions_is_kept(tmp_path: Path, clock: FakeClock) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for version in (1, 2, 3, 7):
        for at in ("20260101T000000", "20260102T000000"):
            file = folder / f"jobdesk-v{version}-{at}.db"
            file.touch()
            os.utime(file, (version, version + (at[7] == "2")))
    (folder / "my-own.db").touch()
    former_ledger(tmp_path / "jobdesk.db", 1)
    ledger = Ledger(tmp_path / "jobdesk.db", clock)
    ledger.close()
    assert ledger.migrated is not None
    kept = {file.name for file in folder.iterdir()}
    assert ledger.migrated.backup is not None
    assert len(kept) == 2 + migrating.KEPT
    assert kept == {"my-own.db", "lock", ledger.migrated.backup.name} | {
        f"jobdesk-v{version}-20260102T000000.db" for version in (3, 7)
    }
    assert copies.check(ledger.migrated.backup).jobs == 10


def test_a_new_ledger_needs_no_backup(tmp_path: Path, clock: FakeClock) -> None:
    ledger = Ledger(tmp_path / "jobdesk.db", clock)
    ledger.close()
    assert ledger.migrated is None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["jobdesk.db"]
