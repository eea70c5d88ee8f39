"""Rules on a real desk: real jobs fail, wait and hang, a consumer dies."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.events import Kind
from tests.support.home import consumer, end, kill, make_home, said, until

PROCESSORS = """
import time
from pathlib import Path
from jobdesk import Context, processor

@processor("breaks", queue="breaking", retries=0)
def breaks(ctx: Context) -> None:
    raise ValueError("it broke")

@processor("naps", queue="napping", retries=0)
def naps(ctx: Context, until: Path | None = None) -> None:
    while until is not None and not until.exists():
        ctx.checkpoint()
        time.sleep(0.02)
"""
SETTINGS = """
[desk]
workers = 2
[alerts]
look = "1s"
[alerts.rules.memory]
above = 0.001
for = "0s"
[alerts.rules.queue-depth]
above = 5
for = "0s"
queues = ["held"]
[alerts.rules.lag]
above = "1s"
queues = ["unserved"]
[alerts.rules.slow-job]
minimum = 5
for = "0s"
[alerts.rules.folder-unreadable]
for = "0s"
[alerts.rules.broken-lately]
query = "state:failed type:breaks age:<1h"
above = 4
severity = "info"
[queues.unserved]
[queues.held]
[queues.breaking]
[queues.napping]
[[folders]]
path = "DROP"
pipeline = "naps"
[[schedules]]
name = "launch"
type = "breaks"
at = 2001-01-01T00:00:00Z
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "drop").mkdir()
    made = make_home(tmp_path, PROCESSORS, SETTINGS.replace("DROP", str(tmp_path / "drop")))
    yield made


def raised(desk: Desk) -> set[tuple[str, str]]:
    return {(one.rule, one.subject) for one in desk.alerts()}


def test_on_a_real_desk_each_condition_raises_its_alert_and_its_end_clears_it(home: Path, tmp_path: Path) -> None:
    desk = Desk(home)
    worker = consumer(home, "--queues", "breaking,napping")
    try:
        until(desk.consumers)
        desk.pause("held")
        for _ in range(10):
            desk.submit("breaks")
            desk.submit("naps")
        for _ in range(6):
            desk.submit("naps", queue="held")
        desk.submit("naps", queue="unserved")
        usual = [job.id for job in desk.jobs("type:naps queue:napping").jobs]
        desk.wait(*usual, timeout="60s")
        until(lambda: desk.ledger.row("SELECT 1 FROM rollup WHERE grain = 86400 AND type = 'naps'"))
        slow = desk.submit("naps", {"until": str(tmp_path / "enough")})
        shutil.rmtree(tmp_path / "drop")
        wanted = {
            ("failure-rate", "breaking"), ("dead-letters", "breaking"), ("queue-depth", "held"), ("lag", "unserved"),
            ("memory", "machine"), ("slow-job", slow.id), ("schedule-missed", "launch"),
            ("folder-unreadable", str(tmp_path / "drop")), ("broken-lately", "jobs"),
        }  # fmt: skip
        until(lambda: wanted <= raised(desk))
        (why,) = [one.message for one in desk.alerts() if one.rule == "dead-letters"]
        assert why.endswith("the newest: breaks: ValueError: it broke")

        (tmp_path / "enough").touch()
        (tmp_path / "drop").mkdir()
        desk.resume("held")
        desk.pause("unserved")  # what nobody means to run does not lag
        for job in desk.jobs("queue:held").jobs:
            desk.cancel(job.id)
        over = {("slow-job", slow.id), ("folder-unreadable", str(tmp_path / "drop")), ("queue-depth", "held")}
        until(lambda: not raised(desk) & {*over, ("lag", "unserved")})
        assert {("failure-rate", "breaking"), ("memory", "machine")} <= raised(desk)
        events = [one for one in desk.events() if one.kind is Kind.ALERT_RAISED]
        subjects = [(one.data["rule"], one.data["subject"]) for one in events]
        assert len(subjects) == len(set(subjects))
    finally:
        end(worker)
        desk.close()

    listed = said(home, "alerts", "list", "--json").json
    assert {"breaking", "machine"} <= {one["subject"] for one in listed}
    assert said(home, "alerts", "ack", str(listed[0]["id"]), "--json").json["state"] == "acknowledged"
    assert any(one["check"] == "alerts" for one in said(home, "health", "--json").json["problems"])
    rules = {one["name"]: one for one in said(home, "alerts", "rules", "--json").json}
    assert rules["broken-lately"]["value"] == 10.0 and rules["broken-lately"]["breached"]
    assert rules["lag"]["above"] == 1.0 and not rules["service-down"]["readings"]


def test_a_worker_that_is_killed_is_lost_and_one_that_stops_is_not(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, '[alerts]\nlook = "1s"\n')
    desk = Desk(home)
    victim = consumer(home)
    until(desk.consumers)
    (lost,) = desk.consumers()
    heirs = [consumer(home), consumer(home)]
    try:
        until(lambda: len(desk.consumers()) == 3)
        kill(heirs[1], signal.SIGTERM)
        kill(victim)
        until(lambda: ("worker-lost", lost.id) in raised(desk))
        assert {subject for name, subject in raised(desk) if name == "worker-lost"} == {lost.id}
        (one,) = [one for one in desk.alerts() if one.rule == "worker-lost"]
        assert (one.severity, one.message) == (
            "error", f"consumer {victim.pid} died; its jobs go back to their queues",
        )  # fmt: skip
    finally:
        end(*heirs, victim)
        desk.close()
