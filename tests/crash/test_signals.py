"""A consumer hears a signal at whatever moment it comes, also while all its threads have just fallen asleep."""

import signal
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from tests.support import counting, witness
from tests.support.home import consumer, end, lines, make_home, until


def stop_at_once(folder: Path, rounds: int) -> None:
    witness.prepare(folder)
    home = make_home(folder, witness.PROCESSORS, '[desk]\nstop_grace = "1h"\n')
    desk = Desk(home)
    job = desk.submit("slow", {"ms": 60_000})
    for number in range(rounds):
        worker = consumer(home)
        try:
            until(lambda number: len(lines(folder / "trace")) > number, number)
            worker.send_signal(signal.SIGINT)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(20) == 0
        finally:
            end(worker)
    back = desk.job(job.id)
    desk.close()
    assert (back.state, back.attempt) == (State.PENDING, 0)
    assert counting.wrong(home, [job.id], whole=True) == []


def test_a_consumer_hears_signals_that_come_as_its_first_job_begins(tmp_path: Path) -> None:
    stop_at_once(tmp_path, rounds=3)


@pytest.mark.soak
def test_a_consumer_hears_thirty_signals_that_come_as_its_first_job_begins(tmp_path: Path) -> None:
    stop_at_once(tmp_path, rounds=30)
