"""The clock is set by an hour while jobs run, wait, are retried and scheduled: nothing is lost, nothing done twice."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support import counting, witness
from tests.support.home import end, lines, make_home, until
from tests.support.stepped import SteppedClock

HOUR = 3600.0
SETTINGS = """
[desk]
workers = 3
[types."slow.thread"]
rate_limit = "20/s"
[[schedules]]
name = "every minute"
type = "quick"
cron = "* * * * *"
missed = "all"
"""


class Machine:
    """A home with a consumer, and the clock of both."""

    def __init__(self, folder: Path) -> None:
        witness.prepare(folder)
        self.folder = folder
        self.home = make_home(folder, witness.PROCESSORS, SETTINGS)
        self.clock = SteppedClock(folder / "clock")
        self.desk = Desk(self.home, clock=self.clock)
        self.consumers: list[subprocess.Popen[bytes]] = []
        self.ids: list[str] = []

    def work(self) -> None:
        words = ["tests.support.stepped", str(self.home), str(self.folder / "clock")]
        self.consumers.append(subprocess.Popen([sys.executable, "-m", *words]))
        until(lambda: len(self.desk.consumers()) == len(self.consumers))

    def submit(self, type_: str, data: dict[str, object] | None = None, **options: Any) -> str:
        self.ids.append(self.desk.submit(type_, data or {}, **options).id)
        return self.ids[-1]

    def some(self) -> list[str]:
        """Jobs of several kinds that should be done soon."""
        kinds = ("quick", "small", "slow.thread", "flaky", "flaky.child", "slow.thread", "tree")
        return [self.submit(type_) for type_ in kinds]

    def done(self, ids: list[str]) -> None:
        until(lambda: set(reads.states(self.desk.ledger, ids).values()) == {State.COMPLETED})

    def begun(self, id_: str) -> None:
        until(lambda: any(f" {id_} " in line for line in lines(self.folder / "trace")))

    def state(self, id_: str) -> State:
        return self.desk.job(id_).state

    def stalled(self) -> int:
        return len(reads.last_events(self.desk.ledger, kinds=[Kind.JOB_STALLED]))

    def fired(self) -> list[float]:
        return [at for (at,) in self.desk.ledger.rows("SELECT fire_at FROM schedule_run ORDER BY 1")]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    made.work()
    yield made
    end(*made.consumers)
    made.desk.close()


def test_a_clock_set_forward_and_back_by_an_hour_delays_and_doubles_nothing(machine: Machine) -> None:
    machine.done(machine.some())
    long = machine.submit("slow", {"ms": 4000}, timeout="10m")
    soon, later = machine.submit("quick", delay="30m"), machine.submit("quick", delay="3h")
    machine.begun(long)

    machine.clock.step(+HOUR)
    machine.done([soon, *machine.some()])  # what fell due by the step, and what comes new
    until(lambda: len(machine.fired()) >= 60)
    assert machine.state(later) is State.SCHEDULED
    forward = machine.fired()

    machine.clock.step(-HOUR)
    machine.done(machine.some())  # what was made when it was an hour later holds up nothing
    waits = machine.submit("quick", delay="1s")
    machine.done([waits])
    assert machine.state(later) is State.SCHEDULED

    machine.clock.step(+HOUR)
    machine.done([long, *machine.some()])  # it ran through three steps and is taken for neither late nor dead
    ran = machine.desk.job(long)
    assert (ran.attempt, machine.stalled()) == (1, 0)
    told = ran.to_json()
    assert min(told["queue_ms"], told["processing_ms"], told["total_ms"]) >= 0

    machine.clock.step(+2 * HOUR)
    machine.done([later])
    until(lambda: len(machine.fired()) >= len(forward) + 100)
    until(lambda: set(counting.states(machine.home).values()) == {"completed"})
    fired = machine.fired()
    assert fired == [fired[0] + 60 * n for n in range(len(fired))]  # no minute twice, none left out
    assert counting.wrong(machine.home, machine.ids, whole=True) == []


@pytest.mark.soak
def test_a_retry_that_waits_seconds_does_not_wait_an_hour_because_the_clock_went_back(machine: Machine) -> None:
    crashed = machine.submit("flaky.child", retry_delay="4s")
    until(lambda: machine.state(crashed) is State.RETRYING)
    machine.clock.step(-HOUR)
    until(lambda: machine.state(crashed) is State.COMPLETED, seconds=12)


def test_after_a_suspend_that_both_clocks_counted_nobody_is_taken_for_dead(machine: Machine) -> None:
    machine.work()
    long = [machine.submit(type_, {"ms": 3000}, timeout="2h") for type_ in ("slow", "slow.thread")]
    for id_ in long:
        machine.begun(id_)
    machine.clock.step(+HOUR, +HOUR)
    machine.done([*long, *machine.some()])
    assert [machine.desk.job(id_).attempt for id_ in long] == [1, 1]
    assert (len(machine.desk.consumers()), machine.stalled()) == (2, 0)
    assert counting.wrong(machine.home, machine.ids, whole=True) == []
