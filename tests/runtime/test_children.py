"""Children of a consumer: warm, apart from one another, replaced at once, and never left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import Job, State
from jobdesk.ledger import workers
from jobdesk.runtime import processes
from jobdesk.runtime.isolation import ChildProcess, Gone
from tests.support.factory import blame_of
from tests.support.home import consumer, kill, make_home, until

PROCESSORS = r"""
import ctypes, os, signal, subprocess, threading, time
from pathlib import Path
from jobdesk import Context, processor

@processor("who", retries=0)
def who(ctx: Context) -> int:
    return os.getpid()

@processor("stuck", retries=0)
def stuck(ctx: Context, folder: Path) -> None:
    (folder / "began").write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(600)  # C that keeps the interpreter to itself: no thread here hears anything

@processor("polite", retries=0)
def polite(ctx: Context, folder: Path) -> None:
    (folder / "began").touch()
    while True:
        ctx.checkpoint()
        time.sleep(0.001)

@processor("daemon", retries=0)
def daemon(ctx: Context, folder: Path) -> None:
    script = "(setsid sleep 600 & echo $! > daemon.new; mv daemon.new daemon) &"
    subprocess.run(["sh", "-c", script], cwd=folder)
    time.sleep(600)

@processor("leaves_a_copy", retries=0)
def leaves_a_copy(ctx: Context) -> None:
    if os.fork() == 0:
        time.sleep(600)
    os.kill(os.getpid(), signal.SIGSEGV)

@processor("babbles", retries=0)
def babbles(ctx: Context) -> None:
    for descriptor in range(3, 1024):
        try:
            os.write(descriptor, b'["no message"]\n')
        except OSError:
            pass
    time.sleep(600)

@processor("spoils", retries=0)
def spoils(ctx: Context) -> dict:
    seen = dict(ctx.settings["images"])
    ctx.settings["images"].clear()
    return {"seen": len(seen), "now": len(ctx.settings["images"])}

@processor("last_words", retries=0)
def last_words(ctx: Context) -> None:
    os.write(1, b"no end of line")

@processor("never_quiet", retries=0)
def never_quiet(ctx: Context) -> str:
    def on_and_on():
        while True:
            os.write(1, b"still here\n")
    threading.Thread(target=on_and_on, daemon=True).start()
    return "done"

@processor("leaks", retries=0)
def leaks(ctx: Context) -> int:
    os.open("/dev/null", os.O_RDONLY)
    return os.getpid()
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = make_home(tmp_path_factory.mktemp("children"), PROCESSORS, "[desk]\nworkers = 1\n")
    with Desk(home) as opened:
        yield opened


def run(desk: Desk, type_: str, timeout: str = "1m", **data: object) -> Job:
    job = desk.submit(type_, data, timeout=timeout)
    desk.wait(job.id, timeout="30s")
    return desk.job(job.id)


def test_jobs_share_a_warm_child(desk: Desk) -> None:
    assert run(desk, "who").result == run(desk, "who").result


def test_a_child_that_died_while_it_waited_costs_no_job_an_attempt(desk: Desk) -> None:
    old = run(desk, "who").result
    os.kill(old, 9)
    until(lambda: processes.start_of(old) is None)
    job = run(desk, "who")
    assert (job.state, job.attempt) == (State.COMPLETED, 1)
    assert job.result != old


def test_a_child_stuck_in_c_is_replaced_and_the_next_job_runs(desk: Desk, tmp_path: Path) -> None:
    assert blame_of(run(desk, "stuck", timeout="5s", folder=str(tmp_path)))[0] == "Timeout"
    old = int((tmp_path / "began").read_text())
    assert processes.start_of(old) is None
    assert run(desk, "who").result not in (None, old)


def test_a_cancel_reaches_a_running_job_at_once(desk: Desk, tmp_path: Path) -> None:
    job = desk.submit("polite", {"folder": str(tmp_path)})
    until((tmp_path / "began").exists)
    asked_at = desk.clock.now()
    desk.cancel(job.id)
    done = desk.wait(job.id, timeout="30s")
    assert done.state is State.CANCELLED
    assert done.finished_at is not None
    assert done.finished_at - asked_at < 1.5  # the grace after which it would have been killed is 2 s
    assert run(desk, "who").result is not None


def test_what_went_its_own_way_is_killed_with_the_job_that_started_it(desk: Desk, tmp_path: Path) -> None:
    assert blame_of(run(desk, "daemon", timeout="700ms", folder=str(tmp_path)))[0] == "Timeout"
    until(lambda: processes.start_of(int((tmp_path / "daemon").read_text())) is None, seconds=5)


def test_the_death_of_a_child_is_seen_though_a_copy_of_it_lives(desk: Desk) -> None:
    assert blame_of(run(desk, "leaves_a_copy")) == ("WorkerCrashed", "its process was killed by SIGSEGV")
    assert run(desk, "who").result is not None


def test_a_child_that_says_nonsense_harms_its_own_job_only(desk: Desk) -> None:
    assert blame_of(run(desk, "babbles"))[0] == "WorkerCrashed"
    assert run(desk, "who").result is not None


def test_a_job_cannot_spoil_the_settings_of_the_next(desk: Desk) -> None:
    first, second = run(desk, "spoils").result, run(desk, "spoils").result
    assert first == second
    assert first["seen"] > first["now"] == 0


def test_a_last_line_without_an_end_is_kept(desk: Desk) -> None:
    job = run(desk, "last_words")
    assert [event.data["message"] for event in desk.logs(job.id)] == ["no end of line"]
    assert list(desk.logs(run(desk, "who").id)) == []


def test_a_thread_that_prints_without_end_keeps_no_job_from_ending(desk: Desk) -> None:
    assert run(desk, "never_quiet").result == "done"
    child = run(desk, "who").result
    assert isinstance(child, int)
    os.kill(child, 9)  # the thread lives as long as its child, and would print into the logs of the tests to come


def test_a_child_whose_jobs_leave_files_open_is_replaced(desk: Desk) -> None:
    jobs = [desk.submit("leaks").id for _ in range(600)]
    desk.wait(*jobs, timeout="60s")
    assert len({desk.job(job).result for job in jobs}) > 1


def test_a_spare_child_is_killed_with_its_consumer(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    worker, desk = consumer(home), Desk(home)
    own = run(desk, "who").result
    (known,) = desk.consumers()
    until(lambda: len(workers.children(desk.ledger, known.id)) == 2)
    children = workers.children(desk.ledger, known.id)
    assert own in {pid for pid, _ in children}
    kill(worker)
    until(lambda: not any(processes.is_alive(*child) for child in children), seconds=5)
    desk.close()


def test_a_child_stuck_in_c_does_not_outlive_its_killed_consumer(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    worker, desk = consumer(home), Desk(home)
    desk.submit("stuck", {"folder": str(tmp_path)})
    until((tmp_path / "began").exists)
    (known,) = desk.consumers()
    children = workers.children(desk.ledger, known.id)
    assert children
    kill(worker)
    until(lambda: not any(processes.is_alive(*child) for child in children))
    desk.close()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    made = ChildProcess(tmp_path, 0, "con_test")
    yield made
    made.kill()


def test_whoever_waits_for_a_child_can_be_woken(child: ChildProcess) -> None:
    began = time.monotonic()
    child.wake()
    child.receive(60, lambda message: False)
    assert time.monotonic() - began < 30


def test_whoever_waits_for_a_child_hears_of_its_death(child: ChildProcess) -> None:
    os.kill(child.pid, 9)
    with pytest.raises(Gone, match="killed by SIGKILL"):
        child.receive(60, lambda message: False)


def test_a_killed_child_can_be_told_nothing_and_killed_again(child: ChildProcess) -> None:
    child.kill()
    child.wake()
    child.cancel("token", "why")
    with pytest.raises(Gone):
        child.receive(60, lambda message: False)


def test_memory_counts_what_a_process_started() -> None:
    grandchild = "import os; print(os.getpid(), flush=True); input()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None
    one = processes.memory(int(parent.stdout.readline()))
    both = processes.memory(parent.pid)
    started = processes.start_of(parent.pid)
    assert one
    assert both
    assert started
    assert both > 1.5 * one
    assert processes.kill_session(parent.pid, started + 100) == 0  # another process of that number: not ours
    assert processes.kill_session(parent.pid, started) == 2
    parent.communicate()
    assert processes.memory(parent.pid) is None
