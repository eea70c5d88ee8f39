"""The dead letters from the command line: groups, throttled retry, purge; and queues cleaned and drained."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import JobError
from jobdesk.ledger import claiming, moves
from tests.support.factory import new_job
from tests.support.home import make_home


def jobdesk(home: Path, *words: str, code: int = 0) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "jobdesk", "--home", str(home), *words, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Twelve dead letters of two kinds, three completed jobs, five that wait."""
    made = make_home(tmp_path)
    desk = Desk(made)
    desk.sync_queues()
    with desk.ledger.write() as tx:
        moves.submit(tx, [new_job(tx.now, max_attempts=1) for _ in range(20)])
        for number in range(15):
            job = claiming.claim(tx, "con_test/1")
            assert job is not None
            if number < 12:
                kind = "Timeout" if number % 3 else "Broken"
                moves.fail(tx, job, JobError(kind, "no", None, kind.lower()), None)
            else:
                moves.complete(tx, job, None)
    desk.close()
    return made


def test_groups_count_each_kind_and_one_group_is_retried_alone(home: Path) -> None:
    groups = jobdesk(home, "dead", "groups")
    assert [(one["fingerprint"], one["count"]) for one in groups] == [("timeout", 8), ("broken", 4)]
    assert all(one["first_at"] <= one["last_at"] for one in groups)
    assert len(jobdesk(home, "dead", "retry", "fingerprint:broken", "--yes")) == 4
    assert [one["fingerprint"] for one in jobdesk(home, "dead", "groups")] == ["timeout"]


def test_a_retry_with_a_rate_takes_its_time(home: Path) -> None:
    began = time.monotonic()
    assert len(jobdesk(home, "dead", "retry", "--rate", "10/s", "--yes")) == 12
    assert time.monotonic() - began >= 1.1
    desk = Desk(home)
    by_hand = [event.at for event in desk.events() if event.data.get("by_hand")]
    assert len(by_hand) == 12 and max(by_hand) - min(by_hand) >= 1.1
    desk.close()


def test_a_rate_that_is_none_is_refused(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "dead", "retry", "--rate", "fast"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "write it like 10/s" in done.stderr


def test_purge_clean_and_drain_take_what_they_say(home: Path) -> None:
    assert len(jobdesk(home, "dead", "purge", "error:Timeout", "--yes")) == 8
    assert jobdesk(home, "queues", "clean", "default", "--state", "completed", "--yes")["removed"] == 3
    assert len(jobdesk(home, "queues", "drain", "default", "--yes")) == 5
    counts = jobdesk(home, "queues", "show", "default")["counts"]
    assert {state: n for state, n in counts.items() if n} == {"failed": 4, "cancelled": 5}
