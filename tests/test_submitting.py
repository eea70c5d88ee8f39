"""What a submission may ask for, through the desk and the settings of a real home."""

import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.errors import PayloadError, QueueFull
from jobdesk.core.retry import RetryPolicy
from jobdesk.core.submission import Submission
from jobdesk.ledger import claiming
from jobdesk.schedules.scheduler import Scheduler
from tests.support.clock import FakeClock
from tests.support.home import make_home

PROCESSORS = """
from jobdesk import processor

@processor("note", isolation="thread")
def note(ctx, text: str = "") -> str:
    \"\"\"Gives back what it is given.\"\"\"
    return text

@processor("strict", isolation="thread", retry_delay="1s")
def strict(ctx, kind: str = "KeyError") -> str:
    \"\"\"Raises what it is told to.\"\"\"
    raise __builtins__[kind]("no") if isinstance(__builtins__, dict) else getattr(__builtins__, kind)("no")
"""


def jobdesk(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobdesk", "--home", str(home), *words], capture_output=True, text=True, check=False
    )


def test_a_taken_unique_key_is_answered_with_its_job(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    first = desk.submit("note", unique="k")
    again = desk.submit("note", unique="k", unique_for="10m")
    assert (again.id, again.existed, first.existed) == (first.id, True, False)
    said = jobdesk(home, "submit", "note", "--unique", "k")
    assert said.stdout.strip() == first.id and "unique key 'k'" in said.stderr and said.returncode == 0
    with pytest.raises(PayloadError, match="'pendng' is not a state"):
        desk.submit("note", unique="k", unique_states=["pendng"])
    with pytest.raises(PayloadError, match="need a key"):
        desk.submit("note", unique_for="10m")
    desk.close()


def test_a_full_queue_refuses_or_waits_for_room(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, "[queues.default]\nmax_size = 2\n")
    desk = Desk(home)
    desk.submit_batch([Submission(type="note"), Submission(type="note")])
    with pytest.raises(QueueFull, match="max_size is 2"):
        desk.submit("note")
    with pytest.raises(QueueFull):
        desk.submit("note", wait_for_room="50ms")
    said = jobdesk(home, "submit", "note", "--json")
    assert said.returncode == 1 and json.loads(said.stderr)["error"]["code"] == "full"
    got: list[str] = []
    waiting = threading.Thread(target=lambda: got.append(desk.submit("note", wait_for_room="30s").id))
    waiting.start()
    with desk.ledger.write() as tx:
        assert claiming.claim(tx, "con_test/1") is not None
    waiting.join(30)
    assert len(got) == 1
    desk.close()


def test_how_retries_wait_is_said_by_job_type_queue_or_defaults(tmp_path: Path) -> None:
    settings = """
[queues.slow]
backoff = "linear"
max_delay = "10m"
jitter = 0.5
retries = 7
[types.strict]
factor = 3
"""
    desk = Desk(make_home(tmp_path, PROCESSORS, settings))
    made = desk.prepare(Submission(type="strict", queue="slow", jitter=0.1))
    assert made.max_attempts == 8
    assert made.retry == RetryPolicy(delay_s=1, backoff="linear", factor=3, max_delay_s=600, jitter=0.1)
    with pytest.raises(PayloadError, match="jitter is 2"):
        desk.prepare(Submission(type="note", jitter=2))
    desk.close()


def test_a_class_named_in_the_settings_is_permanent(tmp_path: Path) -> None:
    settings = '[types.strict]\npermanent = ["LookupError"]\n'
    with Desk(make_home(tmp_path, PROCESSORS, settings)) as desk:
        job = desk.wait(desk.submit("strict").id, timeout="30s")
        assert (job.state, job.attempt) == ("failed", 1) and job.error and not job.error.retryable
        other = desk.submit("strict", {"kind": "OSError"}, retries=1, retry_delay="1ms")
        assert desk.wait(other.id, timeout="30s").attempt == 2


def test_a_worker_is_awake_when_a_rate_limit_opens(tmp_path: Path) -> None:
    settings = '[desk]\nworkers = 1\n[queues.default]\nrate_limit = "1/200ms"\n'
    with Desk(make_home(tmp_path, PROCESSORS, settings)) as desk:
        made = desk.submit_batch([Submission(type="note")] * 4)
        began = time.monotonic()
        desk.wait(*made, timeout="30s")
        starts = sorted(desk.job(id_).started_at or 0 for id_ in made)
        assert all(later - early >= 0.2 for early, later in itertools.pairwise(starts))
        assert time.monotonic() - began < 2.0, "three pauses of 0.2 s, not of the second that an idle worker waits"


def test_a_limit_of_the_settings_holds_whatever_adds_the_first_job(tmp_path: Path, clock: FakeClock) -> None:
    settings = """
[queues.default]
max_size = 1
[[flows]]
name = "two"
steps = [{ name = "a", type = "note" }, { name = "b", type = "note", after = ["a"] }]
[[schedules]]
name = "often"
type = "note"
cron = "* * * * *"
"""
    desk = Desk(make_home(tmp_path, PROCESSORS, settings), clock=clock)
    with pytest.raises(QueueFull, match="max_size is 1"):
        desk.start_flow("two")
    assert desk.jobs().jobs == []
    scheduler = Scheduler(desk.ledger, clock, prepare=desk.prepare, store=desk.store)
    desk.sync_schedules()
    for _ in range(2):
        clock.advance(60)
        scheduler.run_once()
    assert len(desk.jobs().jobs) == 1, "the second found no room"
    with pytest.raises(QueueFull):
        desk.trigger_schedule("often")
    desk.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"retries": 2.5}, "whole number"),
        ({"retries": "3"}, "whole number"),
        ({"retries": True}, "whole number"),
        ({"retries": 10**12}, "whole number"),
        ({"run_at": float("nan")}, "epoch seconds"),
        ({"run_at": "2027-01-01"}, "epoch seconds"),
        ({"run_at": 4_000_000_000.0, "delay": "5s"}, "give one of them"),
        ({"factor": float("inf")}, "factor is inf"),
        ({"unique": ""}, "unique is ''"),
        ({"unique": 5}, "unique is 5"),
        ({"concurrency_key": ""}, "concurrency_key is ''"),
        ({"queue": ""}, "no name for a queue"),
        ({"queue": "a\nb\x1b[31m"}, "no name for a queue"),
        ({"queue": "q" * 5000}, "no name for a queue"),
    ],
)
def test_an_option_that_cannot_hold_is_refused_in_a_sentence(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    desk = Desk(make_home(tmp_path, PROCESSORS))
    with pytest.raises(PayloadError) as refused:
        desk.submit("note", **options)
    assert said in str(refused.value) and len(str(refused.value)) < 200
    assert not desk.jobs().jobs
    desk.close()


def test_after_takes_a_single_id_too(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path, PROCESSORS))
    first = desk.submit("note")
    assert desk.submit("note", after=first.id).after == (first.id,)
    desk.close()


def test_the_settings_take_no_queue_without_a_name_that_can_be_shown(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, '[queues."a\\u0007b"]\nmax_size = 2\n')
    said = jobdesk(home, "config", "check")
    assert said.returncode == 2 and "no name for a queue" in said.stderr


def test_a_factor_beyond_all_numbers_waits_the_most_and_stops_nobody(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS)) as desk:
        failing = desk.submit("strict", retries=4, factor=1e200, retry_delay="1ms", max_delay="2ms")
        assert desk.wait(failing.id, timeout="60s").state == "failed"
        assert desk.job(failing.id).attempt == 5
        assert desk.wait(desk.submit("note").id, timeout="60s").state == "completed"
