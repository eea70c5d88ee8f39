"""A full disk delays work and loses none of it: on a real small file system, where tests may mount one."""

import subprocess
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import LedgerError
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support.home import command, consumer, kill, make_home, until

PROCESSORS = """
from jobdesk import Context, processor

@processor("chat")
def chat(ctx: Context) -> str:
    for _ in range(20):
        ctx.log.info("x" * 300)
    return "y" * 3000
"""


def test_jobs_wait_for_space_and_then_all_complete(small_disk: Path) -> None:
    home = make_home(small_disk, PROCESSORS)
    desk, stored = Desk(home), []
    worker = consumer(home)
    with pytest.raises(LedgerError, match="is full: nothing was changed; free some space"):
        while True:
            stored.append(desk.submit("chat").id)
    until(lambda: not desk.consumers() or desk.ledger.rows("SELECT n FROM tally WHERE state = 'processing' AND n > 0"))
    assert worker.poll() is None
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    until(lambda: set(reads.states(desk.ledger, stored).values()) == {State.COMPLETED})
    kill(worker)
    assert worker.stderr is not None
    assert worker.stderr.read() == b""  # the trouble of the log file itself never reaches the terminal
    desk.close()


def test_what_only_looks_works_on_a_full_disk_and_says_so(small_disk: Path) -> None:
    home = make_home(small_disk, PROCESSORS)
    desk = Desk(home)
    id_ = desk.submit("chat").id
    desk.close()  # with its -shm gone, SQLite has to make it anew
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space left"):
        while True:
            ballast.write(b"x" * 4096)
    listed = command(home, "jobs", "list", "--json")
    assert [job["id"] for job in listed.json] == [id_]
    assert "only looked, as with --read-only" in listed.error and "is full" in listed.error
    refused = command(home, "jobs", "cancel", id_)
    assert refused.code == 5 and "is full: nothing was changed; free some space" in refused.error
