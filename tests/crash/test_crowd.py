"""Two consumers and ten submitters at once: everything is done once, and nobody is told that the database is locked."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import counting, witness
from tests.support.home import consumer, end, kill, lines, make_home, until

SUBMITTERS = 10


def crowd(folder: Path, *, jobs_each: int, pause_s: float, patience_s: float) -> None:
    witness.prepare(folder)
    home = make_home(folder, witness.PROCESSORS, "[desk]\nworkers = 2\n")
    working = [consumer(home) for _ in range(2)]
    submitters = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.submitter", str(home), str(seed), str(jobs_each), str(pause_s)],
            stderr=subprocess.PIPE,
        )
        for seed in range(SUBMITTERS)
    ]
    try:
        for one in submitters:
            _, errors = one.communicate(timeout=patience_s)
            assert (one.returncode, errors) == (0, b"")
        stored = lines(folder / "stored")
        assert len(stored) >= SUBMITTERS * jobs_each
        until(lambda: all(state in counting.FINAL for state in counting.states(home).values()), seconds=patience_s)
        for one in working:
            kill(one, signal.SIGTERM)
            assert one.stderr is not None
            assert (one.returncode, one.stderr.read()) == (0, b"")
    finally:
        end(*working, *submitters)
    assert counting.wrong_at_the_end(home, stored) == []
    said = [line for line in lines(home / "logs" / "jobdesk.log") if '"level": "info"' not in line]
    assert [line for line in said if '"event": "alert ' not in line] == []  # of those jobs that are made to fail
    print(f"{len(stored)} jobs of {SUBMITTERS} submitters, {len(witness.runs(folder))} runs")


def test_two_consumers_and_ten_submitters_get_along(tmp_path: Path) -> None:
    crowd(tmp_path, jobs_each=8, pause_s=0.1, patience_s=60)


@pytest.mark.soak
def test_two_consumers_and_ten_submitters_get_along_for_a_minute(tmp_path: Path) -> None:
    crowd(tmp_path, jobs_each=400, pause_s=0.2, patience_s=600)
