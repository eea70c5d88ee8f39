"""kill -9 of consumers, children and submitters at random moments: nothing lost, nothing twice, everything ends."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from tests.support import counting, witness
from tests.support.home import consumer, end, kill, lines, make_home, until

SETTINGS = "[desk]\nworkers = 3\n"


class Chaos:
    """A home on which two consumers and a submitter work, and somebody who kills them."""

    def __init__(self, folder: Path, seed: int, jobs_a_round: int, longest_s: float) -> None:
        self.home = make_home(folder, witness.PROCESSORS, SETTINGS)
        witness.prepare(folder)
        self.dice = random.Random(seed)
        self.jobs_a_round = jobs_a_round
        self.longest_s = longest_s
        self.consumers = [consumer(self.home) for _ in range(2)]
        self.submitter = self.submit()
        self.killed = {"consumer": 0, "child": 0, "submitter": 0}

    @property
    def stored(self) -> list[str]:
        return list(lines(self.home.parent / "stored"))

    def submit(self) -> subprocess.Popen[bytes]:
        words = [str(self.home), str(self.dice.randrange(10**9)), str(self.jobs_a_round)]
        return subprocess.Popen([sys.executable, "-m", "tests.support.submitter", *words])

    def round(self) -> None:
        """Kill one process at a random moment, and put a new one in its place."""
        time.sleep(self.dice.uniform(0.0, self.longest_s))  # the random moment: nothing to wait for
        victim = self.dice.choice(("consumer", "consumer", "child", "child", "submitter"))
        self.killed[victim] += 1
        if victim == "consumer":
            place = self.dice.randrange(len(self.consumers))
            kill(self.consumers[place])
            self.consumers[place] = consumer(self.home)
        elif victim == "child":
            self.kill_a_child()
        if self.submitter.poll() is not None:
            self.submitter = self.submit()
        if victim == "submitter":
            before = len(self.stored)
            until(lambda: len(self.stored) > before or self.submitter.poll() is not None)
            time.sleep(self.dice.uniform(0.0, 0.05))
            self.submitter.kill()
            self.submitter.wait()

    def kill_a_child(self) -> None:
        with counting.ledger(self.home) as ledger:
            there = [pid for (pid,) in ledger.execute("SELECT pid FROM child")]
        if there:
            try:
                os.kill(self.dice.choice(there), signal.SIGKILL)
            except ProcessLookupError:  # its consumer died too
                return

    def end(self) -> None:
        """Let everything be done."""
        self.submitter.wait(60)
        for one in self.consumers:
            kill(one, signal.SIGTERM)
        assert consumer(self.home, "--drain").wait(300) in (0, 3)


def cause_chaos(folder: Path, *, seed: int, rounds: int, jobs_a_round: int, longest_s: float = 1.2) -> None:
    chaos = Chaos(folder, seed, jobs_a_round, longest_s)
    try:
        until(lambda: len(chaos.stored) > jobs_a_round // 2)
        for number in range(rounds):
            chaos.round()
            assert counting.wrong(chaos.home, chaos.stored, whole=number % 10 == 9) == [], f"after round {number}"
        chaos.end()
    finally:
        end(*chaos.consumers, chaos.submitter)
    assert counting.wrong_at_the_end(chaos.home, chaos.stored) == []
    runs = witness.runs(folder)
    killed = sum(run.end_ns is None for run in runs)
    print(f"seed {seed}: {chaos.killed}, {len(chaos.stored)} submitted, {len(runs)} runs, {killed} of them killed")


def test_whatever_is_killed_nothing_is_lost_and_nothing_runs_twice_at_once(tmp_path: Path) -> None:
    cause_chaos(tmp_path, seed=11, rounds=6, jobs_a_round=20, longest_s=0.3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_kills(tmp_path: Path, seed: int) -> None:
    cause_chaos(tmp_path, seed=seed, rounds=50, jobs_a_round=60)


def test_a_job_in_its_own_child_is_no_poison_because_its_consumers_were_killed(tmp_path: Path) -> None:
    home = make_home(tmp_path, witness.PROCESSORS, SETTINGS)
    witness.prepare(tmp_path)
    desk = Desk(home)
    job = desk.submit("slow", {"ms": 1000})
    for number in range(3):
        victim = consumer(home)
        until(lambda number: len(witness.runs(tmp_path)) > number, number)
        kill(victim)
    last = consumer(home)
    done = desk.wait(job.id, timeout=30)
    end(last)
    desk.close()
    assert (done.state, done.error) == (State.COMPLETED, None)


@pytest.mark.soak
def test_claimed_jobs_that_never_began_are_not_poison(tmp_path: Path) -> None:
    """Each consumer is killed as soon as it has claimed, before its jobs can have done anything."""
    home = make_home(tmp_path, witness.PROCESSORS, SETTINGS)
    witness.prepare(tmp_path)
    desk = Desk(home)
    ids = [desk.submit("slow", {"ms": 100}).id for _ in range(10)]
    for _ in range(4):
        claims = desk.ledger.rows("SELECT sum(fence) FROM job")
        victim = consumer(home)
        until(lambda claims: desk.ledger.rows("SELECT sum(fence) FROM job") != claims, claims)
        kill(victim)
    assert consumer(home, "--drain").wait(120) == 0
    desk.close()
    assert counting.wrong_at_the_end(home, ids) == []
