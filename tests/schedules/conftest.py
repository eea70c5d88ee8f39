"""A scheduler with a clock of the test's own, and what it has made."""

from collections.abc import Callable
from typing import Any

import pytest

from jobdesk.core.errors import PayloadError, UnknownType
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import Job, NewJob
from jobdesk.core.schedule import ScheduleSpec
from jobdesk.core.submission import Submission
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger
from jobdesk.schedules import catalog
from jobdesk.schedules.scheduler import Scheduler
from tests.support.clock import FakeClock
from tests.support.factory import new_job, store

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
START = 1_800_000_000.0  # 2027-01-15 08:00 UTC, a Friday


def prepare(wanted: Submission) -> NewJob:
    if wanted.type == "gone":
        raise UnknownType("no processor has the job type 'gone'")
    if wanted.type == "changed":
        raise PayloadError("changed: 'n' is missing")
    if wanted.type == "explodes":
        raise RuntimeError("its own check is broken")
    return new_job(START, type=wanted.type, data=dict(wanted.data), user=wanted.user, source=wanted.source)


@pytest.fixture
def scheduler(ledger: Ledger, clock: FakeClock) -> Scheduler:
    return Scheduler(ledger, clock, prepare=prepare, store=store)


@pytest.fixture
def add(ledger: Ledger) -> Callable[..., None]:
    def put(name: str = "s", cron: str | None = "*/10 * * * *", **more: Any) -> None:
        with ledger.write() as tx:
            catalog.add(tx, ScheduleSpec(**{"name": name, "type": "test", "cron": cron} | more), "ada", change=False)

    return put


def run_until(scheduler: Scheduler, clock: FakeClock, until: float) -> None:
    """Let the scheduler work and sleep as its thread does."""
    while clock.now() < until:
        wait_s = scheduler.run_once()
        assert wait_s is not None
        clock.advance(min(wait_s, until - clock.now()))
    scheduler.run_once()


def made(ledger: Ledger, name: str = "s") -> list[Job]:
    rows = ledger.rows("SELECT id FROM job WHERE schedule = ? ORDER BY seq", (name,))
    return [reads.job(ledger, id_) for (id_,) in rows]


def events(ledger: Ledger, kind: Kind) -> list[Event]:
    return reads.events(ledger, kinds=[kind])


def minutes(ledger: Ledger, name: str = "s") -> list[int]:
    """Which times made a job, in minutes after the start."""
    rows = ledger.rows("SELECT fire_at FROM schedule_run WHERE schedule = ? AND job IS NOT NULL ORDER BY 1", (name,))
    return [round((fire_at - START) / 60) for (fire_at,) in rows]
