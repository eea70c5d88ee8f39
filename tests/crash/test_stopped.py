"""A consumer that is stopped and goes on later: others have its jobs by then, and what it still says is not taken."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support import counting, witness
from tests.support.home import end, impatient, lines, make_home, stop, until

PROCESSORS = """
import time
from jobdesk import Context, processor

def held(ctx):
    with open(ctx.home.parent / "said", "a") as said:
        print("begin", ctx.type, ctx.attempt, file=said, flush=True)
        if ctx.attempt == 1:
            while not (ctx.home.parent / "go").exists():
                time.sleep(0.01)
        print("end", ctx.type, ctx.attempt, file=said, flush=True)
    ctx.submit("quiet")
    return ctx.attempt

@processor("held", retries=1)
def held_child(ctx: Context) -> int:
    return held(ctx)

@processor("held.thread", isolation="thread", retries=1)
def held_thread(ctx: Context) -> int:
    return held(ctx)

@processor("quiet", isolation="thread")
def quiet(ctx: Context) -> None:
    return None
"""


def stop_and_go_on(folder: Path, lost_after_s: float) -> None:
    home = make_home(folder, PROCESSORS, "[desk]\nworkers = 2\n")
    desk = Desk(home)
    victim = impatient(home, lost_after_s)
    held = [desk.submit(type_).id for type_ in ("held", "held.thread")]
    until(lambda: len(lines(folder / "said")) == 2)
    stop(victim, home)
    heir = impatient(home, lost_after_s)
    try:
        until(lambda: set(reads.states(desk.ledger, held).values()) == {State.COMPLETED}, seconds=lost_after_s + 30)
        (folder / "go").touch()
        started = len(reads.last_events(desk.ledger, kinds=[Kind.CONSUMER_STARTED]))
        victim.send_signal(signal.SIGCONT)
        until(lambda: "end held.thread 1" in lines(folder / "said"))
        until(lambda: len(reads.last_events(desk.ledger, kinds=[Kind.CONSUMER_STARTED])) > started)
        end(heir)
        assert desk.wait(desk.submit("held").id, timeout=30).result == 1  # who was stopped works again
        until(lambda: set(counting.states(home).values()) == {"completed"})
    finally:
        end(victim, heir)
    for id_ in held:
        job = desk.job(id_)
        assert (job.result, job.attempt) == (2, 2)
        kinds = [event.kind for event in desk.events(job=id_) if event.kind in (Kind.JOB_STALLED, Kind.JOB_COMPLETED)]
        assert kinds == [Kind.JOB_STALLED, Kind.JOB_COMPLETED]
    assert "end held 1" in lines(folder / "said")  # only of the job that came last: the child of the first was killed
    assert len(desk.jobs("type:quiet").jobs) == 3  # a late attempt adds no children
    assert counting.wrong(home, held, whole=True) == []
    assert counting.doctor(home) == []
    desk.close()


@pytest.fixture
def _traced(tmp_path: Path) -> None:
    (tmp_path / "trace").touch()


@pytest.mark.usefixtures("_traced")
def test_the_late_attempt_of_a_stopped_consumer_is_fenced_off(tmp_path: Path) -> None:
    stop_and_go_on(tmp_path, lost_after_s=3.0)


@pytest.mark.soak
@pytest.mark.usefixtures("_traced")
def test_the_late_attempt_after_half_a_minute_is_fenced_off(tmp_path: Path) -> None:
    stop_and_go_on(tmp_path, lost_after_s=30.0)


def suspend(folder: Path, lost_after_s: float) -> None:
    witness.prepare(folder)
    home = make_home(folder, witness.PROCESSORS, "[desk]\nworkers = 2\n")
    desk = Desk(home)
    working = [impatient(home, lost_after_s) for _ in range(2)]
    ids = [desk.submit(type_, {"ms": 1500}).id for type_ in ("slow", "slow.thread") * 2]
    until(lambda: sum(line.startswith("begin") for line in lines(folder / "trace")) == 4)
    all_ = [one.pid for one in working] + [pid for (pid,) in desk.ledger.rows("SELECT pid FROM child")]
    try:
        for pid in all_:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(lost_after_s + 2)  # the suspend itself: nothing runs that could be waited for
        for pid in all_:
            os.kill(pid, signal.SIGCONT)
        until(lambda: set(reads.states(desk.ledger, ids).values()) == {State.COMPLETED})
    finally:
        end(*working)
    assert [desk.job(id_).attempt for id_ in ids] == [1] * 4
    assert reads.last_events(desk.ledger, kinds=[Kind.JOB_STALLED]) == []
    assert counting.wrong(home, ids, whole=True) == []
    desk.close()


@pytest.mark.soak
@pytest.mark.parametrize("lost_after_s", [3.0, 30.0])
def test_a_machine_that_was_suspended_takes_nobody_for_dead(tmp_path: Path, lost_after_s: float) -> None:
    suspend(tmp_path, lost_after_s)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who holds the lock")
def test_a_consumer_that_was_stopped_while_it_wrote_is_buried_too(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 2\n")
    desk = Desk(home)
    job = desk.submit("held")
    words = ["tests.support.stops_while_it_writes", str(home), "3"]
    victim = subprocess.Popen([sys.executable, "-m", *words])
    until(lambda: "(stopped)" in Path(f"/proc/{victim.pid}/status").read_text())
    heir = impatient(home, 3.0)
    try:
        assert desk.wait(job.id, timeout=60).attempt == 2
    finally:
        end(victim, heir)
        desk.close()
