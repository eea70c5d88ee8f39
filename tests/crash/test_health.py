"""Health says what is wrong when it really is: a full disk, a read-only one, a locked ledger, a dead consumer."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.monitoring.machine_health import disks, machine_memory
from tests.crash.test_locked import locked
from tests.support.home import Answer, command, consumer, end, kill, lines, make_home, said, until

PROCESSORS = """
import time
from jobdesk import Context, processor

@processor("long")
def long(ctx: Context) -> None:
    "Runs until it is stopped."
    (ctx.home.parent / "began").touch()
    while True:
        ctx.checkpoint()
        time.sleep(0.01)
"""

FOLDER_AS_NOBODY = """
import os, sys
from pathlib import Path
from jobdesk.core.clock import SystemClock
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.check import Scene
from jobdesk.monitoring.folder_health import folders

database, folder = sys.argv[1:]
ledger = Ledger(Path(database), SystemClock())
with ledger.write() as tx:
    tx.run("INSERT INTO folder (path, pipeline, mode) VALUES (?, 'upload', 'watch')", (folder,))
scene = Scene(ledger, Path(folder), 0.0, None)
if os.getuid() == 0:  # root may read and write whatever the modes say
    os.chown(folder, 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
corner = Path(folder, ".jobdesk")
corner.mkdir()
for mode in (0o700, 0o000, 0o500, 0o700):
    os.chmod(folder, mode)
    print(oct(mode), folders(scene).status, folders(scene).says)
corner.rmdir()
os.chmod(folder, 0o500)  # as one is whose files stay in it
print(oct(0o500), folders(scene).status, folders(scene).says)
"""


def problems(answer: Answer, check: str) -> list[str]:
    return [one["message"] for one in answer.json["problems"] if one["check"] == check]


def fill_up(disk: Path) -> None:
    """Leave no byte free."""
    descriptor = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT, 0o600)
    with suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)
    assert os.statvfs(disk).f_bavail == 0


def test_a_disk_without_a_free_byte_is_an_error_and_no_crash(small_disk: Path) -> None:
    home = make_home(small_disk)
    assert said(home, "queues", "list").code == 0
    fill_up(small_disk)
    answer = command(home, "health", "--detailed", "--json")
    assert (answer.code, answer.json["status"], answer.json["checks"]["disk"], answer.error) == (2, "error", False, "")
    assert "nearly full: 0 B of" in problems(answer, "disk")[0]
    assert answer.json["details"]["disk"]["free"] == 0
    told = command(home, "health")
    assert told.code == 2 and told.out.startswith("error\n")
    never_made = command(small_disk / "other", "health", "--json")
    assert (never_made.code, never_made.json["checks"]["home"]) == (2, False)
    findings = {one["name"]: one for one in command(home, "doctor", "--json").json}
    assert not findings["disk"]["ok"] and "free some space" in findings["disk"]["mend"]
    for words in (("submit", "demo_sleep"), ("jobs", "list")):
        assert "is full: nothing was changed; free some space" in command(home, *words).error
    assert command(home, "jobs", "list", "--read-only").code == 0
    (small_disk / "filler").unlink()
    assert said(home, "health", "--json").json["checks"]["database"] is True


def test_a_disk_on_which_no_more_files_can_be_made_is_full(small_disk: Path) -> None:
    used = os.statvfs(small_disk)
    limit = used.f_files - used.f_ffree + 10
    subprocess.run(["mount", "-o", f"remount,size=500m,nr_inodes={limit}", str(small_disk)], check=True)
    found = disks(small_disk)
    assert found.status == "error" and "and no more than 10 files can be made; free some" in found.says[0][1]
    subprocess.run(["mount", "-o", f"remount,nr_inodes={limit + 1000}", str(small_disk)], check=True)
    assert disks(small_disk).status != "error"


def test_a_full_disk_under_a_consumer_is_an_error_of_the_disk(small_disk: Path) -> None:
    home = make_home(small_disk)
    desk = Desk(home)
    worker = consumer(home)
    try:
        log = home / "logs" / "jobdesk.log"
        until(lambda: any("works with" in line for line in lines(log)))
        fill_up(small_disk)
        answer = command(home, "health", "--json")
        assert (answer.code, answer.json["checks"]["disk"], worker.poll()) == (2, False, None)
    finally:
        end(worker)
        desk.close()


def test_a_read_only_disk_is_an_error(small_disk: Path) -> None:
    home = make_home(small_disk)
    assert said(home, "queues", "list").code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        answer = said(home, "health", "--json")
        assert (answer.code, answer.json["status"]) == (2, "error")
        assert "Read-only file system" in problems(answer, "home")[0]
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


def test_a_database_that_stays_locked_is_an_error_and_only_that(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert said(home, "queues", "list").code == 0
    with locked(home):
        answer = said(home, "health", "--json")
        assert answer.code == 2
        assert "stayed locked for 5 s" in problems(answer, "database")[0]
        assert answer.json["checks"]["queues"] and answer.json["checks"]["schedules"]
    assert said(home, "health", "--json").json["checks"]["database"] is True


def test_a_consumer_that_died_with_a_job_is_an_error_until_another_has_taken_over(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    victim = consumer(home)
    desk.submit("long")
    until((tmp_path / "began").exists)
    until(lambda: desk.ledger.rows("SELECT 1 FROM job WHERE state = 'processing'"))
    assert desk.health()["checks"]["consumers"] is True
    kill(victim)
    found = desk.health(detailed=True)
    assert (found["status"], found["details"]["consumers"]["dead"]) == ("error", 1)
    (said_,) = (one["message"] for one in found["problems"] if one["check"] == "consumers")
    assert said_ == f"consumer {victim.pid} died and a job hangs: start another with jobdesk --consumer"
    heir = consumer(home)
    try:
        until(lambda: desk.health()["checks"]["consumers"])
        until(
            lambda: desk.metrics()["consumers"] and all(one["memory"] for one in desk.metrics()["consumers"].values())
        )
        (used,) = desk.metrics()["consumers"].values()
        assert used["pid"] == heir.pid and used["memory"] > 1_000_000 and used["cpuTotal"] > 0
        (listed,) = desk.health(detailed=True)["details"]["consumers"]["list"]
        assert listed["pid"] == heir.pid and listed["memory"] > 1_000_000
    finally:
        end(heir)
        desk.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may reach: pytest's own are root's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_may_not_be_read_or_written_is_a_warning(open_folder: Path, tmp_path: Path) -> None:
    inbox = open_folder / "inbox"
    inbox.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FOLDER_AS_NOBODY, str(tmp_path / "jobdesk.db"), str(inbox)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    mended, *wrong, again, kept = done.stdout.splitlines()
    assert mended == again == "0o700 healthy []" and kept == "0o500 healthy []"
    assert "0o0 warning" in wrong[0] and "(Permission denied): make or mend it" in wrong[0]
    assert "0o500 warning" in wrong[1] and "(it may not be written)" in wrong[1]


def test_little_memory_is_a_warning() -> None:
    assert machine_memory(least=0.0).status == "healthy"
    found = machine_memory(least=1.0)  # no machine has all of its memory left
    assert found.status == "warning" and "% of the machine's memory is in use" in found.says[0][1]


def get(port: int, path: str) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_port_of_any_number_is_told_and_says_how_it_is_while_the_ledger_is_locked(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    words = [sys.executable, "-m", "jobdesk", "--home", str(home), "--consumer", "--metrics-port", "0"]
    worker = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None
        told = worker.stdout.readline()
        assert told.startswith("metrics and health: http://127.0.0.1:")
        port = int(told.split("127.0.0.1:")[1].split("/")[0])
        assert told.strip() in (home / "logs" / "jobdesk.log").read_text()
        until(lambda: get(port, "/health/detailed")[1]["details"]["consumers"]["alive"] == 1)
        code, found = get(port, "/health")
        assert "details" not in found and code == (503 if found["status"] == "error" else 200)
        with locked(home):
            code, found = get(port, "/health/detailed")
            assert (code, found["status"], found["checks"]["database"]) == (503, "error", False)
        until(lambda: get(port, "/health")[1]["checks"]["database"])
    finally:
        end(worker)
