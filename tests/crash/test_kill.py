"""kill -9, SIGSTOP and SIGTERM of real consumers: nothing is lost, nothing runs twice at once."""

import random
import signal
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support.home import consumer, kill, lines, make_home, until

PROCESSORS = '''
import fcntl, subprocess, time
from pathlib import Path
from jobdesk import Context, processor

@processor("step", retries=50, retry_delay="10ms", backoff="fixed")
def step(ctx: Context, number: int, folder: Path, work_s: float = 0.02) -> int:
    """Holds a lock of its own while it works: a second attempt beside it would find it taken."""
    with open(folder / f"lock-{number}", "w") as lock, open(folder / "trace", "a") as trace:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("overlap", number, file=trace)
            raise
        print("start", number, ctx.attempt, file=trace, flush=True)
        time.sleep(work_s)
        ctx.progress(1, 1)
    return number

@processor("spawns", retries=3)
def spawns(ctx: Context, folder: Path) -> None:
    """Leaves a grandchild that holds a lock, and waits."""
    lock = open(folder / "grandchild", "w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    subprocess.Popen(["sleep", "600"], pass_fds=[lock.fileno()])
    lock.close()
    (folder / f"spawned-{ctx.attempt}").touch()
    if ctx.attempt == 1:
        time.sleep(600)
'''


def kill_in_a_loop(home: Path, folder: Path, jobs: int, kills: int, seed: int) -> None:
    dice, desk = random.Random(seed), Desk(home)
    submitted = [desk.submit("step", {"number": n, "folder": str(folder)}).id for n in range(jobs)]
    for _ in range(kills):
        victim, seen = consumer(home), len(lines(folder / "trace"))
        wanted = seen + dice.randint(1, max(1, jobs // kills))
        until(lambda wanted: len(lines(folder / "trace")) >= wanted or _all_done(desk, submitted), wanted)
        kill(victim)
    last = consumer(home, "--drain")
    assert last.wait(120) == 0
    states = reads.states(desk.ledger, submitted)
    assert set(states.values()) == {State.COMPLETED}
    assert len(states) == jobs
    trace = lines(folder / "trace")
    assert not [line for line in trace if line.startswith("overlap")]
    started = {int(line.split()[1]) for line in trace}
    assert started == set(range(jobs))
    assert not list((home / "run" / "work").iterdir())
    desk.close()


def _all_done(desk: Desk, submitted: list[str]) -> bool:
    return set(reads.states(desk.ledger, submitted).values()) == {State.COMPLETED}


def test_killed_consumers_lose_no_job_and_run_none_twice_at_once(tmp_path: Path) -> None:
    kill_in_a_loop(make_home(tmp_path, PROCESSORS), tmp_path, jobs=120, kills=4, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_kills_lose_no_job(tmp_path: Path, seed: int) -> None:
    kill_in_a_loop(make_home(tmp_path, PROCESSORS), tmp_path, jobs=300, kills=10, seed=seed)


def test_a_living_consumer_takes_over_within_two_seconds(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    victim = consumer(home)
    until(desk.consumers)
    job = desk.submit("step", {"number": 1, "folder": str(tmp_path), "work_s": 5.0})
    until(lambda: lines(tmp_path / "trace"))
    heir = consumer(home)
    until(lambda: len(desk.consumers()) == 2)
    died_at = desk.clock.now()
    kill(victim)
    until(lambda: reads.last_events(desk.ledger, job=job.id, kinds=[Kind.JOB_STALLED]))
    (stalled,) = reads.last_events(desk.ledger, job=job.id, kinds=[Kind.JOB_STALLED])
    assert stalled.at - died_at < 2
    until(lambda: len(lines(tmp_path / "trace")) == 2)
    assert desk.job(job.id).attempt == 2
    kill(heir, signal.SIGTERM)
    desk.close()


def test_the_children_of_a_dead_consumer_are_killed_before_its_jobs_run_again(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    victim = consumer(home)
    job = desk.submit("spawns", {"folder": str(tmp_path)})
    until((tmp_path / "spawned-1").exists)
    kill(victim)
    heir = consumer(home)
    # the second attempt takes the same lock: it can only succeed once the grandchild is dead
    done = desk.wait(job.id, timeout="20s")
    assert (done.state, done.attempt) == (State.COMPLETED, 2), done.error
    kill(heir, signal.SIGTERM)
    desk.close()


def test_sigterm_gives_back_what_does_not_finish_and_exits_0(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, '[desk]\nstop_grace = "100ms"\n')
    desk = Desk(home)
    stopped = consumer(home)
    job = desk.submit("step", {"number": 1, "folder": str(tmp_path), "work_s": 60})
    until(lambda: lines(tmp_path / "trace"))
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(15) == 0
    back = desk.job(job.id)
    assert (back.state, back.attempt) == (State.PENDING, 0)
    desk.close()


def test_a_submission_that_returned_survives_kill_9_of_its_process(tmp_path: Path) -> None:
    import subprocess
    import sys

    home = make_home(tmp_path, PROCESSORS)
    script = (
        "import os, sys, jobdesk\n"
        f"desk = jobdesk.Desk({str(home)!r})\n"
        f"job = desk.submit('step', {{'number': 1, 'folder': {str(tmp_path)!r}}})\n"
        "os.write(1, job.id.encode()); os.kill(os.getpid(), 9)\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert answer.returncode == -9
    desk = Desk(home)
    assert desk.job(answer.stdout.decode()).state is State.PENDING
    desk.close()
