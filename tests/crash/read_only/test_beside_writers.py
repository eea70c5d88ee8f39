"""A desk and a ledger that only read: nothing is changed, and what others do meanwhile is seen."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jobdesk import Desk, JobdeskError
from jobdesk.core.clock import SystemClock
from jobdesk.core.errors import ReadOnly
from jobdesk.core.job import State
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.read_only import ReadOnlyLedger
from tests.crash.read_only.conftest import tree
from tests.support.former import former_ledger
from tests.support.home import command, consumer, end, kill, make_home, said, until


def test_a_ledger_of_an_older_version_stays_as_it_is(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    former_ledger(home / "jobdesk.db", 1)
    before = tree(home)
    answer = said(home, "--read-only", "jobs", "list")
    assert (answer.code, answer.error.count("\n")) == (5, 1)
    assert "without --read-only" in answer.error
    assert tree(home) == before


def test_a_desk_that_only_reads_refuses_every_method_that_changes(home: Path) -> None:
    before = tree(home.parent)
    with Desk(home, read_only=True) as desk:
        assert desk.consumers() == []
        (job,) = desk.jobs("type:refuse").jobs
        for change in (
            lambda: desk.submit("greet", {"name": "Ada"}),
            lambda: desk.retry(job.id),
            lambda: desk.delete(job.id),
            lambda: desk.pause("default"),
            lambda: desk.start_flow("two", {"name": "Ada"}),
            lambda: desk.add_schedule("x", "greet", cron="@daily", data={"name": "Ada"}),
            lambda: desk.engine("consumer"),
            lambda: desk.submit("keeps_secret", {"word": "hush"}),
            lambda: desk.backup(home.parent / "copy.db"),
            lambda: desk.add_folder(home.parent / "drop", "VIRUS_SCAN"),
            lambda: desk.prune(older_than=0),
            lambda: desk.archive(older_than=0),
            lambda: desk.clean("default", State.FAILED, 2e9),
            lambda: desk.silence("lag", "1h"),
            lambda: desk.open_service("bank"),
        ):
            with pytest.raises(ReadOnly, match="--read-only"):
                change()
    assert tree(home.parent) == before


def test_what_others_do_meanwhile_is_seen(home: Path) -> None:
    """The reader is open before anybody writes, while they do, and after they are gone."""
    reader = ReadOnlyLedger(home / "jobdesk.db", SystemClock())
    seen = reader.version()

    def count() -> int:
        row = reader.row("SELECT count(*) FROM job")
        assert row is not None
        return int(row[0])

    first = count()
    for round_ in range(1, 4):
        writer = Desk(home)
        writer.submit("greet", {"name": "Ada"})
        assert count() == first + 2 * round_ - 1
        writer.submit("greet", {"name": "Bob"})
        assert count() == first + 2 * round_
        assert reader.version() != seen
        writer.close()
        assert count() == first + 2 * round_
        seen = reader.version()
    reader.close()


def test_each_read_is_of_one_state_while_writers_come_and_go(home: Path) -> None:
    file, over, wrong = home / "jobdesk.db", threading.Event(), list[object]()
    reader = ReadOnlyLedger(file, SystemClock())

    def read() -> None:
        try:
            while not over.is_set():
                row = reader.row("SELECT (SELECT count(*) FROM job), (SELECT sum(n) FROM tally)")
                if row is None or row[0] != row[1]:
                    wrong.append(row)
        except JobdeskError as error:
            wrong.append(error)
        finally:
            reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    script = (
        "import sys; from jobdesk import Desk, Submission\n"
        f"for _ in range(15):\n    desk = Desk({str(home)!r})\n"
        "    desk.submit_batch([Submission(type='refuse') for _ in range(40)])\n    desk.close()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    over.set()
    thread.join(60)
    assert wrong == []
    check = Ledger(file, SystemClock())
    assert check.row("SELECT count(*) FROM job WHERE type = 'refuse' AND state = 'pending'") == (600,)
    check.close()


def test_waiting_and_following_see_a_consumer_at_work(home: Path) -> None:
    desk = Desk(home)
    id_ = desk.submit("greet", {"name": "Zoe"}, delay="1s").id
    desk.close()
    words = [
        sys.executable,
        "-m",
        "jobdesk",
        "--home",
        str(home),
        "--read-only",
        "jobs",
        "wait",
        id_,
        "--timeout",
        "60s",
    ]
    waiting = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    worker = consumer(home)
    try:
        assert waiting.wait(90) == 0, waiting.communicate()
        listed = command(home, "jobs", "list", "id:" + id_, "--read-only", "--json")
        assert listed.json[0]["state"] == "completed"
        pid = str(worker.pid)
        until(lambda: pid in command(home, "health", "--detailed", "--json", "--read-only").out)
    finally:
        kill(worker)
        end(waiting, worker)
    assert os.path.lexists(home / "jobdesk.db-wal")
    assert command(home, "--read-only", "jobs", "list").code == 0
