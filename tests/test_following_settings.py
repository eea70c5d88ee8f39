"""A jobdesk.toml that changes while the desk works: what follows it, and what a wrong one does."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import ConfigError
from jobdesk.ledger import reads
from jobdesk.settings import SETTLED_S
from tests.support.clock import FakeClock
from tests.support.home import consumer, kill, make_home, until

PROCESSORS = """
from jobdesk import processor

@processor("note", isolation="thread")
def note(ctx, text: str = "") -> str:
    return text
"""
CHANGED = """
[desk]
aging = "10m"
[queues.mail]
max_size = 3
rate_limit = "5/m"
[types.note]
rate_limit = "7/m"
timeout = "9s"
[[schedules]]
name = "often"
type = "note"
cron = "* * * * *"
"""


class Listener(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def write(file: Path, text: str, at: float) -> None:
    """Save the settings as if it were done then; editors put a new file in the place of the old."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (at, at))
    new.replace(file)


@pytest.fixture
def consumers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Consumers that must not outlive the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        kill(process)


def test_a_running_consumer_follows_its_settings_and_outlives_wrong_ones(
    tmp_path: Path, consumers: list[subprocess.Popen[bytes]]
) -> None:
    home = make_home(tmp_path, PROCESSORS, "[queues.mail]\nmax_size = 2\n[queues.old]\nconcurrency = 1\n")
    file, desk = home / "jobdesk.toml", Desk(home)
    long_ago = file.stat().st_mtime - 100
    assert desk.config.queues["mail"].max_size == 2
    consumers.append(consumer(home))
    log = home / "logs" / "jobdesk.log"
    until(lambda: desk.consumers() and reads.queue(desk.ledger, "mail").max_size == 2)

    write(file, CHANGED, long_ago)
    until(lambda: desk.ledger.rows("SELECT name FROM schedule") == [("often",)])
    assert (reads.queue(desk.ledger, "mail").max_size, reads.queue(desk.ledger, "old").concurrency) == (3, None)
    assert desk.ledger.rows("SELECT scope, most FROM rate ORDER BY 1") == [("queue", 5), ("type", 7)]
    assert desk.ledger.row("SELECT value > 0 FROM meta WHERE key = 'aging'") == (1,)

    write(file, "[queues.mail]\nmaxsize = 4\n", long_ago + 1)
    until(lambda: "maxsize" in log.read_text())
    assert reads.queue(desk.ledger, "mail").max_size == 3
    job = desk.submit("note", {"text": "still works"})
    assert desk.wait(job.id, timeout="20s").result == "still works"

    write(file, "[queues.mail]\nmax_size = 5\n", long_ago + 2)
    until(lambda: reads.queue(desk.ledger, "mail").max_size == 5)
    until(lambda: desk.ledger.rows("SELECT name FROM schedule") == [])
    assert log.read_text().count("maxsize") == 1, "a wrong file is said once"
    desk.close()


def test_a_file_that_may_still_be_written_is_left_until_it_rests(tmp_path: Path, clock: FakeClock) -> None:
    home = make_home(tmp_path, PROCESSORS, "[queues.mail]\nmax_size = 2\n")
    desk, file = Desk(home, clock=clock), home / "jobdesk.toml"
    assert desk.config.queues["mail"].max_size == 2
    write(file, "[queues.mail]\nmax_size = 3\n", clock.now())
    desk.follow_settings()
    assert desk.config.queues["mail"].max_size == 2
    clock.advance(SETTLED_S)
    assert desk.queues() and desk.config.queues["mail"].max_size == 3
    write(file, "[queues.mail\n", clock.now() - 1)
    said = Listener()
    logging.getLogger("jobdesk").addHandler(said)
    for _ in range(3):
        desk.follow_settings()
    logging.getLogger("jobdesk").removeHandler(said)
    assert desk.config.queues["mail"].max_size == 3 and len(said.records) == 1
    assert desk.settings.problem is not None and "jobdesk.toml" in desk.settings.problem
    file.unlink()
    desk.follow_settings()
    assert desk.config.queues["mail"].max_size == 3
    desk.close()
    with pytest.raises(ConfigError):
        write(file, "[queues.mail\n", clock.now())
        Desk(home, clock=clock).queues()
