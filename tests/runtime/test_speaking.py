"""The time that a paused job stands still is not counted, neither by who supervises it nor by the job itself."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobdesk import Desk
from jobdesk.core.clock import SystemClock
from jobdesk.core.job import State
from jobdesk.core.speech import Pauses, signal_of
from jobdesk.runtime.context import JobContext
from tests.support.home import make_home, until


class Jumping(SystemClock):
    """The machine's clock, by as much ahead as a test says."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(make_home(tmp_path), clock=Jumping()) as desk:
        yield desk


def stands_still() -> bool:
    """Whether a process that was started from here is stopped: then its supervisor knows, too."""
    found = False
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found = found or one.status() == psutil.STATUS_STOPPED
    return found


def test_a_job_may_be_paused_for_longer_than_its_timeout(desk: Desk) -> None:
    clock = desk.clock
    assert isinstance(clock, Jumping)
    paused, runs_on = (
        desk.submit("command", {"argv": ["cat"], "stdin_open": True}, timeout="10m").id for _ in range(2)
    )
    until(lambda: desk.count("state:processing")[0] == 2)
    desk.pause_job(paused)
    until(stands_still)
    clock.ahead_s += 3600
    assert desk.wait(runs_on, timeout="1d").state is State.FAILED, "the other's time is up"
    assert (job := desk.job(runs_on)).error is not None and job.error.type == "Timeout"
    assert desk.job(paused).state is State.PROCESSING
    desk.continue_job(paused)
    desk.send_to_job(paused, "still here\n", end=True)
    assert desk.wait(paused, timeout="1d").state is State.COMPLETED
    assert "still here" in desk.job(paused).result["tail"]


def test_pauses_add_up_and_no_word_counts_twice() -> None:
    pauses = Pauses()
    assert pauses.total_s(5) == 0
    for word, now in (("continue", 5), ("pause", 10), ("pause", 12), ("continue", 15), ("continue", 16), ("pause", 20)):
        pauses.hear({word: True}, now)
    assert (pauses.total_s(20), pauses.total_s(27)) == (5, 12)


def test_a_job_that_is_told_of_its_pause_has_as_much_time_left_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    words: list[dict[str, Any]] = []

    def said() -> list[dict[str, Any]]:
        heard, words[:] = list(words), []
        return heard

    spec: Any = {
        "job": "j", "type": "t", "queue": "q", "user": None, "flow": None, "attempt": 1, "max_attempts": 1,
        "results": {}, "home": "/tmp", "timeout_s": 60.0, "token": "x",
    }  # fmt: skip
    context = JobContext(spec, lambda message: None, lambda: None, said=said)
    words.append({"pause": True})
    assert context.heard() == [{"pause": True}] and context.time_remaining == 60
    now += 1000
    assert context.time_remaining == 60
    words.append({"continue": True})
    context.heard()
    now += 10
    assert context.time_remaining == 50


def test_signals_have_several_names() -> None:
    assert {signal_of(name) for name in ("INT", "sigint", "2", " SigInt ")} == {2}
    for wrong in ("", "SIG", "999", "-1", "kil", "0"):
        with pytest.raises(ValueError, match="is no signal"):
            signal_of(wrong)
