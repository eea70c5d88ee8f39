"""A desk whose deeds are all Ada's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.actor import Actor
from jobdesk.core.job import JobError
from jobdesk.ledger import claiming, moves
from tests.support.clock import FakeClock
from tests.support.home import make_home

PROCESSORS = """
from jobdesk import Context, processor

@processor("greet", isolation="thread", retries=0)
def greet(ctx: Context, name: str = "Ada", password: str = "") -> str:
    "Say hello."
    return "hello " + name
"""
SECRET = "hunter2-very-secret"


SETTINGS = '[services.mailer]\nurl = "http://127.0.0.1:9"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS, SETTINGS)


@pytest.fixture
def desk(home: Path, clock: FakeClock) -> Iterator[Desk]:
    opened = Desk(home, clock=clock, actor=Actor("ada", "command", "jobdesk test", "/dev/pts/9", 42, "desk"))
    yield opened
    opened.close()


def fail_one(desk: Desk) -> str:
    """A job that failed for good."""
    job = desk.submit("greet")
    with desk.ledger.write() as tx:
        claimed = claiming.claim(tx, "con_a/1")
        assert claimed is not None and claimed.id == job.id
        moves.fail(tx, claimed, JobError("Broken", "it broke", None, "b", retryable=False), None)
    return job.id
