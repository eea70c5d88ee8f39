"""Jobs that are sent to a child ahead of time: taken back, never blamed, never run twice."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk.core.submission import Submission
from jobdesk.runtime.isolation import ChildProcess
from jobdesk.runtime.jobline import BLOCK_BYTES, PACKETS, JobLine
from jobdesk.runtime.messages import Spec
from jobdesk.runtime.report import Report
from tests.support.home import make_home, until

pytestmark = pytest.mark.skipif(not PACKETS, reason="jobs are sent ahead only where the system has packets")

PROCESSORS = r"""
import ctypes, os, signal, time
from pathlib import Path
from jobdesk import Context, processor

@processor("note", retries=0)
def note(ctx: Context, file: Path, n: int, does: str = "") -> int:
    with open(file, "a") as notes:
        notes.write(f"{n}\n")
    if does == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "hang":
        ctypes.PyDLL(None).sleep(600)
    if does == "nap":
        time.sleep(0.0185 + n % 100 / 30_000)
    while does == "wait" and not file.with_name("go").exists():
        time.sleep(0.001)
    return n
"""


def spec(home: Path, n: int, **data: object) -> Spec:
    token = f"job_{n}-1"
    return {
        "token": token, "job": f"job_{n}", "type": "note", "queue": "default", "user": None, "flow": None,
        "attempt": 1, "max_attempts": 1, "home": str(home), "work": str(home / token), "settings": {}, "results": {},
        "data": {"file": str(home / "notes"), "n": n, **data}, "timeout_s": 60.0, "memory_limit": 2_000_000_000,
        "module": "", "file": str(home / "processors" / "own.py"),
    }  # fmt: skip


@pytest.fixture
def line(tmp_path: Path) -> Iterator[JobLine]:
    made = JobLine()
    yield made
    made.close()


def take(line: JobLine) -> bytes:
    return line.its_end.recv(BLOCK_BYTES, socket.MSG_DONTWAIT)


def test_what_the_child_has_not_taken_is_taken_back(line: JobLine, tmp_path: Path) -> None:
    line.give(spec(tmp_path, 1))
    assert [line.give_ahead(spec(tmp_path, n)) for n in (2, 3, 4)] == [True] * 3
    assert b"job_1" in take(line)
    assert b"job_2" in take(line)
    assert line.take_back() == ["job_3-1", "job_4-1"]
    line.ended()
    assert line.is_first("job_2-1")
    assert not line.never_took()


class Racing:
    """Our hold of a child's end; the child takes a packet from it each time that we took one."""

    def __init__(self, line: JobLine) -> None:
        self._end = line.its_end
        self.taken: list[bytes] = []

    def recv(self, size: int, flags: int) -> bytes:
        packet = self._end.recv(size, flags)
        if packet and not flags & socket.MSG_PEEK:
            with suppress(BlockingIOError):
                self.taken.append(self._end.recv(size, socket.MSG_DONTWAIT))
        return packet

    def close(self) -> None:
        self._end.close()


def test_what_the_child_takes_while_others_are_taken_back_stays_its_own(line: JobLine, tmp_path: Path) -> None:
    line.give(spec(tmp_path, 1))
    assert all(line.give_ahead(spec(tmp_path, n)) for n in (2, 3, 4, 5))
    take(line)
    line.its_end = child = Racing(line)  # type: ignore[assignment]
    assert line.take_back() == ["job_2-1", "job_4-1"]
    assert [b"job_3" in child.taken[0], b"job_5" in child.taken[1]] == [True, True]
    line.ended()
    assert line.is_first("job_3-1")
    line.ended()
    assert line.is_first("job_5-1")


def test_nothing_is_taken_back_before_the_job_that_is_to_run_was_taken(line: JobLine, tmp_path: Path) -> None:
    line.give(spec(tmp_path, 1))
    line.give_ahead(spec(tmp_path, 2))
    assert line.first_lies_there
    assert line.take_back() == []
    assert b"job_1" in take(line)
    assert not line.first_lies_there
    assert line.take_back() == ["job_2-1"]
    line.give_ahead(spec(tmp_path, 3))
    line.ended()
    assert line.first_lies_there
    assert line.never_took()


def test_nothing_is_sent_ahead_of_a_job_in_pieces_nor_with_other_settings(line: JobLine, tmp_path: Path) -> None:
    assert not line.give_ahead(spec(tmp_path, 1))  # there is none to be ahead of
    line.give(spec(tmp_path, 1))
    assert not line.give_ahead(spec(tmp_path, 2, pad="x" * BLOCK_BYTES))
    assert not line.give_ahead(spec(tmp_path, 2) | {"settings": {"new": 1}})
    line.ended()
    take(line)
    line.give(spec(tmp_path, 3, pad="x" * BLOCK_BYTES))
    assert not line.give_ahead(spec(tmp_path, 4))
    assert line.take_back() == []


def test_a_child_runs_what_was_sent_ahead_and_each_report_hears_its_own(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    child = ChildProcess(tmp_path, 0, "con_test")

    def heard(report: Report) -> object:
        child.receive(0.1, report.take)
        return report.outcome

    try:
        child.run(spec(home, 0, does="wait"))
        assert all(child.jobs.give_ahead(spec(home, n)) for n in (1, 2))
        (home / "go").touch()
        for n in (0, 1, 2):
            child.run(spec(home, n))
            report = Report(token=f"job_{n}-1")
            until(heard, report)
            assert getattr(report.outcome, "result", None) == n
        assert child.jobs.is_empty
    finally:
        child.kill()
    assert (home / "notes").read_text().split() == ["0", "1", "2"]


def batch(desk: Desk, notes: Path, n: int, does: str, timeout: str | None = None) -> list[str]:
    """120 jobs, of which one does something else."""
    return desk.submit_batch(
        [
            Submission(
                type="note",
                data={"file": str(notes), "n": one, "does": does if one == n else ""},
                timeout=timeout if one == n else None,
            )
            for one in range(120)
        ]
    )


def noted(folder: Path) -> Counter[int]:
    return Counter(map(int, (folder / "notes").read_text().split()))


def test_a_job_that_kills_its_child_spoils_none_that_was_sent_ahead(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")) as desk:
        jobs = [desk.wait(id_, timeout="60s") for id_ in batch(desk, tmp_path / "notes", 50, "crash")]
    assert [n for n, job in enumerate(jobs) if job.state is not State.COMPLETED] == [50]
    assert {job.attempt for job in jobs} == {1}
    assert noted(tmp_path) == Counter(range(120))


def test_a_job_that_lasts_keeps_none_waiting_behind_it(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 2\n")) as desk:
        ids = batch(desk, tmp_path / "notes", 60, "wait")
        for id_ in (*ids[:60], *ids[61:]):
            assert desk.wait(id_, timeout="60s").state is State.COMPLETED
        (tmp_path / "go").touch()
        assert desk.wait(ids[60], timeout="60s").state is State.COMPLETED
    assert noted(tmp_path) == Counter(range(120))


def test_a_job_that_hangs_is_killed_and_those_behind_it_run_once(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")) as desk:
        jobs = [desk.wait(id_, timeout="60s") for id_ in batch(desk, tmp_path / "notes", 40, "hang", "1s")]
    assert {n: job.error.type for n, job in enumerate(jobs) if job.error is not None} == {40: "Timeout"}
    assert noted(tmp_path) | Counter([40]) == Counter(range(120))


def test_a_consumer_that_stops_leaves_what_it_had_sent_ahead_to_the_next(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, '[desk]\nworkers = 1\nstop_grace = "0s"\n')
    with Desk(home) as desk:
        ids = batch(desk, tmp_path / "notes", 30, "wait")
        until(lambda: 30 in noted(tmp_path) if (tmp_path / "notes").exists() else False)
    (tmp_path / "go").touch()
    with Desk(home) as desk:
        jobs = [desk.wait(id_, timeout="60s") for id_ in ids]
    assert {(job.state, job.attempt) for job in jobs} == {(State.COMPLETED, 1)}
    assert noted(tmp_path) == Counter([*range(120), 30])


def test_jobs_that_end_when_those_behind_them_are_taken_back_run_once(tmp_path: Path) -> None:
    most = 2000
    with Desk(make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 4\n")) as desk:
        ids = desk.submit_batch(
            [
                Submission(type="note", data={"file": str(tmp_path / "notes"), "n": n, "does": "" if n % 7 else "nap"})
                for n in range(most)
            ]
        )
        desk.wait(*ids, timeout="120s")
        assert {desk.job(id_).state for id_ in ids} == {State.COMPLETED}
    assert noted(tmp_path) == Counter(range(most))
