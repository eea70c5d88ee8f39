"""A consumer that is killed leaves no process behind: neither its children nor what their jobs started."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from jobdesk import Desk
from jobdesk.runtime import processes
from jobdesk.runtime.pool import Pool
from tests.support.home import DEADLINE_S, consumer, end, kill, make_home, until

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")

PROCESSORS = r"""
import ctypes, os, subprocess, time
from pathlib import Path
from jobdesk import Context, processor

SCRIPT = "sleep 600 & touch $1; wait"
WAYS = {
    "group": ["sh", "-c", SCRIPT, "job"],
    "session": ["setsid", "sh", "-c", SCRIPT, "job"],
    "daemon": ["setsid", "-f", "sh", "-c", SCRIPT, "job"],
    "stranger": ["setsid", "-f", "env", "-i", f"PATH={os.environ['PATH']}", "sh", "-c", SCRIPT, "job"],
}

@processor("starts", retries=0)
def starts(ctx: Context, folder: Path, stuck: bool) -> None:
    for name, words in WAYS.items():
        subprocess.Popen([*words, name], cwd=folder)
    while not all((folder / name).exists() for name in WAYS):
        time.sleep(0.005)
    (folder / "began").touch()
    if stuck:
        ctypes.PyDLL(None).sleep(600)  # C that keeps the interpreter to itself: no thread here hears anything
    time.sleep(600)

@processor("who", retries=0)
def who(ctx: Context) -> int:
    return os.getpid()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")


@pytest.fixture
def worker(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    started = consumer(home)
    yield started
    end(started)


def submit(home: Path, type_: str, **data: object) -> object:
    """The result of a job that ends at once, or the id of one that does not."""
    with closing(Desk(home)) as desk:
        job = desk.submit(type_, data)
        return desk.wait(job.id, timeout="60s").result if type_ == "who" else job.id


def watchmen(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [
        one for one in psutil.Process(worker.pid).children() if any("watchman.py" in word for word in one.cmdline())
    ]


def everything_dies(worker: subprocess.Popen[bytes]) -> None:
    """SIGKILL the consumer, and wait for the end of all that descends from it."""
    ends = {one.pid: os.pidfd_open(one.pid) for one in psutil.Process(worker.pid).children(recursive=True)}
    assert len(ends) >= 10  # the child, its guard, and two of each way to start something
    kill(worker)
    deadline = time.monotonic() + DEADLINE_S
    try:
        for pid, ended in ends.items():
            assert select.select([ended], [], [], max(0.0, deadline - time.monotonic()))[0], f"{pid} lives"
    finally:
        for ended in ends.values():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(ended, signal.SIGKILL)
            os.close(ended)


@pytest.mark.parametrize("stuck", [False, True])
def test_what_a_job_started_does_not_outlive_the_killed_consumer(
    home: Path, worker: subprocess.Popen[bytes], tmp_path: Path, stuck: bool
) -> None:
    submit(home, "starts", folder=str(tmp_path), stuck=stuck)
    until((tmp_path / "began").exists)
    everything_dies(worker)


def test_a_guard_that_was_killed_is_replaced_with_the_next_child(
    home: Path, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    child = submit(home, "who")
    assert isinstance(child, int)
    (first,) = watchmen(worker)
    first.kill()
    until(lambda: processes.start_of(first.pid) is None)
    os.kill(child, signal.SIGKILL)
    until(lambda: processes.start_of(child) is None)
    assert submit(home, "who") != child  # the spare: another is started in its place
    until(lambda: any(one.pid != first.pid for one in watchmen(worker)))
    submit(home, "starts", folder=str(tmp_path), stuck=True)
    until((tmp_path / "began").exists)
    everything_dies(worker)


def test_a_consumer_that_ends_in_order_sends_its_guard_home(home: Path, worker: subprocess.Popen[bytes]) -> None:
    submit(home, "who")
    (guard,) = watchmen(worker)
    kill(worker, signal.SIGTERM)
    until(lambda: processes.start_of(guard.pid) is None)


def test_the_child_of_a_thread_that_died_is_ended_when_another_thread_takes_one(home: Path) -> None:
    taken: list[int] = []
    with closing(Desk(home)) as desk, closing(Pool(desk.ledger, "con_test", desk.home.run, nice=0)) as pool:

        def take() -> None:
            taken.append(pool.child().pid)

        for _ in range(2):
            thread = threading.Thread(target=take)
            thread.start()
            thread.join()
        first, second = taken
        assert processes.start_of(first) is None
        assert processes.start_of(second) is not None
    assert processes.start_of(second) is None
