"""Fixtures that every test may ask for."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock

settings.register_profile("jobdesk", deadline=None)  # the machine may be busy with other tests
settings.load_profile("jobdesk")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell runs in the background: its children inherit
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as of what nohup runs
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "jobdesk.db", clock)
    yield opened
    opened.close()
