"""The doctor at a home as accidents leave it: real processes killed, real disks full, real files gone."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.runtime.processes import start_of
from tests.support.home import command, consumer, end, kill, make_home, said, until

PROCESSORS = """
import os, time
from pathlib import Path
from jobdesk import Context, processor

@processor("hang", timeout="10m")
def hang(ctx: Context, pid_in: str) -> None:
    "Say who we are, and stay."
    Path(pid_in).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)

@processor("make", isolation="thread")
def make(ctx: Context, path: str) -> None:
    "Make a file, as an artifact and an asset."
    Path(path).write_text("made")
    ctx.artifact(path, "report")
    ctx.asset({"id": "asset_1", "name": "made", "type": "text/plain", "bytes": 4, "sha256": "ab", "path": path})
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    (made / "jobdesk.toml").chmod(0o600)
    return made


def wrong(home: Path, *options: str) -> dict[str, dict[str, Any]]:
    """What the doctor finds, but for the disk and the limits of this machine; each says why and what mends it."""
    answer = command(home, "doctor", "--json", *options)
    found = {one["name"]: one for one in answer.json if not one["ok"] and one["name"] not in ("disk", "file events")}
    assert all(one["why"] and one["mend"] for one in found.values())
    assert answer.code in ((1,) if found else (0, 1))
    return found


@pytest.fixture
def killed(home: Path, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A job whose consumer was killed, and the pid of its child, which lives on or died with it."""
    desk = Desk(home)
    id_ = desk.submit("hang", {"pid_in": str(tmp_path / "pid")}).id
    desk.close()
    worker = consumer(home)
    try:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        kill(worker)
        yield id_, int((tmp_path / "pid").read_text())
    finally:
        end(worker)


def test_what_a_killed_consumer_held_is_given_back_by_the_doctor_alone(home: Path, killed: tuple[str, int]) -> None:
    id_, child = killed
    found = wrong(home)
    assert id_ in found["running jobs"]["message"]
    assert wrong(home, "--read-only").keys() == found.keys()
    answer = command(home, "doctor", "--fix", "--json")
    fixed = {one["name"] for one in answer.json if one["fixed"]}
    assert {"running jobs"} <= fixed <= {"running jobs", "consumers", "working folders"}
    assert wrong(home) == {}
    until(lambda: start_of(child) is None)
    shown = command(home, "jobs", "show", id_, "--json").json
    assert (shown["state"], shown["attempt"]) == ("pending", 1)
    assert list((home / "run" / "work").iterdir()) == []


def test_working_folders_that_nobody_uses_are_removed(home: Path) -> None:
    assert said(home, "jobs", "list").code == 0
    left = home / "run" / "work" / "job_gone-1"
    left.mkdir()
    (left / "big").write_bytes(b"x")
    assert wrong(home).keys() == {"working folders"}
    command(home, "doctor", "--fix")
    assert not left.exists()
    assert wrong(home) == {}


def test_a_consumer_of_another_version_or_with_former_processors_is_named(home: Path) -> None:
    worker = consumer(home)
    try:
        until(lambda: (home / "jobdesk.db").exists() and str(worker.pid) in command(home, "health", "--detailed").out)
        assert "versions" not in wrong(home)
        later = (home / "processors" / "own.py").stat().st_mtime + 3600
        os.utime(home / "processors" / "own.py", (later, later))
        assert f"own.py has changed since consumer {worker.pid} began" in wrong(home)["versions"]["message"]
        with closing(sqlite3.connect(home / "jobdesk.db", timeout=60)) as ledger, ledger:
            ledger.execute("UPDATE consumer SET version = '0.0.9'")
        assert wrong(home)["versions"]["message"].startswith(f"consumer {worker.pid} runs jobdesk 0.0.9")
    finally:
        end(worker)


def test_files_that_are_gone_are_named_and_forgotten_where_that_harms_nothing(home: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.txt"
    assert said(home, "submit", "make", f"path={made}").code == 0
    assert command(home, "--consumer", "--drain").code == 0
    assert wrong(home) == {}
    made.unlink()
    assert wrong(home).keys() == {"files", "artifacts"}
    command(home, "doctor", "--fix")
    assert wrong(home).keys() == {"files"}


def test_a_full_disk_is_named(home: Path, small_disk: Path) -> None:
    (home / "jobdesk.toml").write_text(f'[[folders]]\npath = "{small_disk}"\npipeline = "make"\n')
    answer = command(home, "doctor", "--json")
    (disk,) = [one for one in answer.json if one["name"] == "disk"]
    assert not disk["ok"]
    assert str(small_disk) in disk["message"]
    assert answer.code == 1
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert "mount" in wrong(home)["writable"]["mend"]


def test_a_home_that_others_can_write_is_examined_and_mended(home: Path) -> None:
    assert said(home, "jobs", "list").code == 0
    home.chmod(0o777)
    (home / "jobdesk.db").chmod(0o666)
    found = wrong(home)
    assert found.keys() == {"permissions", "home"}
    assert "chmod" in found["home"]["mend"]
    answer = command(home, "doctor", "--fix", "--json")
    assert [one["name"] for one in answer.json if one["fixed"]] == ["permissions"]
    assert (home.stat().st_mode & 0o777, (home / "jobdesk.db").stat().st_mode & 0o777) == (0o700, 0o600)
    assert wrong(home) == {}


def test_what_is_printed_says_what_why_and_the_mend(home: Path) -> None:
    assert said(home, "jobs", "list").code == 0
    (home / "quarantine").rmdir()
    (home / "quarantine").touch()
    answer = said(home, "--read-only", "doctor")
    assert answer.code == 1
    for word in ("what", "why it matters", "mend"):
        assert word in answer.out
