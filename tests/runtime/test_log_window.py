"""A job's log keeps its beginning and its end within its room."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.log_window import LINE_LETTERS, LogWindow
from tests.support.factory import claim, submit

ROOM = 2_000


def kept(ledger: Ledger, job: Job) -> list[str]:
    rows = ledger.rows("SELECT data FROM event WHERE job = ? AND kind = 'job_log' ORDER BY id", (job.seq,))
    return [json.loads(data)["message"] for (data,) in rows]


def begun(ledger: Ledger) -> Job:
    submit(ledger)
    return claim(ledger)


def say(ledger: Ledger, job: Job, window: LogWindow, lines: list[str], each: int) -> None:
    """Say lines, and write them down after so many at a time."""
    for at in range(0, len(lines), each):
        for line in lines[at : at + each]:
            window.take((1.0, "info", line))
        with ledger.write() as tx:
            window.write(tx, job)
        window.written()


def test_a_short_log_is_kept_whole(ledger: Ledger) -> None:
    job, window = begun(ledger), LogWindow(ROOM)
    lines = [f"line {number}" for number in range(10)]
    say(ledger, job, window, lines, 3)
    assert kept(ledger, job) == lines and not window.is_new


def test_of_a_long_one_the_middle_goes_and_is_counted(ledger: Ledger) -> None:
    for each in (1, 7, 50, 1000):
        job, window = begun(ledger), LogWindow(ROOM)
        say(ledger, job, window, [f"line {number:04}" for number in range(1000)], each)
        found = kept(ledger, job)
        (marker,) = [line for line in found if "left out" in line]
        assert marker == f"… {1000 - (len(found) - 1):,} lines left out"
        place = found.index(marker)
        assert found[:place] == [f"line {number:04}" for number in range(place)]
        behind = len(found) - place - 1
        assert found[place + 1 :] == [f"line {number:04}" for number in range(1000 - behind, 1000)]
        assert place > 5 and behind > 5


def test_attempts_share_the_room(ledger: Ledger) -> None:
    job = begun(ledger)
    say(ledger, job, LogWindow(ROOM), [f"first {number:03}" for number in range(100)], 9)
    job.attempt = 2
    say(ledger, job, LogWindow(ROOM), [f"second {number:03}" for number in range(100)], 9)
    found = kept(ledger, job)
    (marker,) = [line for line in found if "left out" in line]
    assert found[0] == "first 000" and found[-1] == "second 099" and len(found) < ROOM / LINE_LETTERS
    assert marker == f"… {200 - (len(found) - 1):,} lines left out"


def test_what_is_undone_is_written_again(ledger: Ledger) -> None:
    job, window = begun(ledger), LogWindow(ROOM)
    say(ledger, job, window, [f"a{number}" for number in range(60)], 60)
    for number in range(60):
        window.take((1.0, "info", f"b{number}"))
    try:
        with ledger.write() as tx:
            window.write(tx, job)
            raise RuntimeError("the disk is full")
    except RuntimeError:
        pass
    with ledger.write() as tx:
        window.write(tx, job)
    window.written()
    found = kept(ledger, job)
    assert found[-1] == "b59" and sum("left out" in line for line in found) == 1
    assert f"… {120 - (len(found) - 1):,} lines left out" in found


@settings(max_examples=40)
@given(st.lists(st.integers(0, 900), max_size=60), st.integers(1, 10))
def test_the_room_is_never_overdrawn(lengths: list[int], each: int) -> None:
    window = LogWindow(ROOM)
    for at, length in enumerate(lengths):
        window.take((float(at), "info", "x" * length))
        held = sum(len(line[2]) + LINE_LETTERS for line in window._head) + window._tail_letters
        assert held <= ROOM or len(window._tail) == 1
