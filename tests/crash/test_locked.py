"""A ledger that strangers keep locked, or that cannot be written: work waits, words are clear, nothing is lost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support import counting, witness
from tests.support.home import command, consumer, end, make_home, said, until

STRANGER = """
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
ledger.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    witness.prepare(tmp_path)
    return make_home(tmp_path, witness.PROCESSORS, "[desk]\nworkers = 2\n")


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Another program holds a long transaction on the ledger."""
    words = [sys.executable, "-c", STRANGER, str(home / "jobdesk.db")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"locked\n"
        yield
        stranger.kill()


def lock_while_jobs_run(home: Path, locked_s: float) -> list[str]:
    """Jobs run, and end, while the ledger is locked for so long; the errors of a submission in the meantime."""
    desk = Desk(home)
    worker = consumer(home)
    begun = [desk.submit(type_, {"ms": 1000}).id for type_ in ("slow", "slow.thread")]
    waiting = [desk.submit("flaky").id for _ in range(20)]
    until(lambda: all(f" {id_} " in (home.parent / "trace").read_text() for id_ in begun))
    words = [sys.executable, "-m", "jobdesk", "--home", str(home), "submit", "quick"]
    try:
        with locked(home):
            submission = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            until(lambda: all(any(run.end_ns for run in witness.runs(home.parent) if run.job == id_) for id_ in begun))
            assert len(desk.jobs().jobs) == len(begun + waiting)  # who only reads does not wait
            with pytest.raises(subprocess.TimeoutExpired):
                worker.wait(locked_s)
        said, errors = submission.communicate(timeout=30)
        if submission.returncode == 0:
            waiting.append(said.strip())
        until(lambda: set(reads.states(desk.ledger, begun + waiting).values()) == {State.COMPLETED})
        assert worker.poll() is None
    finally:
        end(worker)
    assert [desk.job(id_).attempt for id_ in begun] == [1, 1]
    desk.close()
    assert consumer(home, "--drain").wait(60) == 0
    assert counting.wrong_at_the_end(home, begun + waiting) == []
    return errors.splitlines()


def test_a_stranger_that_locks_the_ledger_delays_work_and_submissions(home: Path) -> None:
    assert lock_while_jobs_run(home, locked_s=2) == []


@pytest.mark.soak
@pytest.mark.parametrize("locked_s", [9, 10, 25])
def test_a_stranger_that_locks_the_ledger_for_long_costs_no_job(home: Path, locked_s: float) -> None:
    errors = lock_while_jobs_run(home, locked_s)
    assert len(errors) <= 1
    if locked_s == 25:
        assert "stayed locked for 10 s: " in errors[0] and errors[0].endswith("holds a long transaction on it")


def test_a_read_only_home_is_refused_in_a_sentence_and_goes_on_when_it_is_mended(small_disk: Path) -> None:
    witness.prepare(small_disk)
    home = make_home(small_disk, witness.PROCESSORS)
    id_ = said(home, "submit", "quick").out.strip()

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(small_disk)], check=True)

    remount("ro")
    try:
        for words in (["submit", "quick"], ["--consumer", "--drain"], ["jobs", "cancel", id_]):
            refused = said(home, *words)
            assert (refused.code, refused.error.count("\n")) == (5, 1), refused
            assert "read-only" in refused.error.lower()
        looked = said(home, "queues", "list")
        assert looked.code == 0 and "only looked" in looked.error and "Read-only file system" in looked.error
    finally:
        remount("rw")
    assert command(home, "--consumer", "--drain").code == 0
    assert counting.wrong_at_the_end(home, [id_]) == []
