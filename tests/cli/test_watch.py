"""`jobdesk watch`: what goes on, as lines for ears and pipes; on a terminal the app, to look at only."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.cli.telling import MOST_ALIKE
from tests.support.home import consumer, end, make_home, until
from tests.support.terminal import jobdesk

PROCESSORS = """
from jobdesk import Context, Reject, processor

@processor("greet", isolation="thread")
def greet(ctx: Context, name: str) -> str:
    return name

@processor("refuse", isolation="thread")
def refuse(ctx: Context, name: str) -> None:
    raise Reject("\\x1b[31mit never works\\x1b[0m")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    opened = Desk(home)
    yield opened
    opened.close()


class Watch:
    """`jobdesk watch` on a pipe, its lines in a file of the test's."""

    def __init__(self, home: Path, *options: str) -> None:
        self.file = home.parent / "watched"
        with self.file.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jobdesk", "--home", str(home), "watch", *options], stdout=out
            )

    @property
    def lines(self) -> list[str]:
        return self.file.read_text().splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def says(self, *words: str) -> None:
        until(lambda: any(all(word in line for word in words) for line in self.lines))


@contextlib.contextmanager
def watching(home: Path, *options: str) -> Iterator[Watch]:
    watch = Watch(home, *options)
    try:
        yield watch
    finally:
        end(watch.process)


def test_it_says_how_things_stand_and_then_what_happens(home: Path, desk: Desk) -> None:
    desk.submit("greet", {"name": "Ada"})
    with watching(home) as watch:
        watch.says("no alerts")
        assert watch.lines[:3] == [
            f"watching {home}", "working: nobody; `jobdesk --consumer` runs jobs", "jobs: 1 pending",
        ]  # fmt: skip
        refused = desk.submit("refuse", {"name": "Bob"}).id
        other = consumer(home)
        try:
            watch.says("works with", str(other.pid))
            watch.says("finished greet Ada in")
            watch.says(f"failed refuse Bob: Reject: it never works, {refused}")
            desk.pause("default")
            watch.says("queue paused default")
        finally:
            end(other)
        assert "\x1b" not in watch.file.read_text()
        watch.process.send_signal(signal.SIGINT)
        assert watch.process.wait(60) == 0


def test_as_records_it_tells_each_event_and_of_which_job(home: Path, desk: Desk) -> None:
    with watching(home, "--json") as watch:
        until(lambda: watch.lines)
        assert (watch.records[0]["event"], watch.records[0]["consumers"]) == ("summary", [])
        id_ = desk.submit("greet", {"name": "Ada"}).id
        other = consumer(home)
        try:
            watch.says("job_completed")
        finally:
            end(other)
        of_job = [(one["event"], one["type"], one["subject"]) for one in watch.records if one.get("job_id") == id_]
        assert of_job == [("job_started", "greet", "Ada"), ("job_completed", "greet", "Ada")]
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait(60) == 0


def test_of_many_alike_only_the_number_is_told(desk: Desk) -> None:
    from jobdesk.cli.telling import lines
    from jobdesk.core.events import Event, Kind

    ids = [f"job_{number}" for number in range(MOST_ALIKE + 5)]
    events = [
        Event(number, 1.0, Kind.JOB_COMPLETED, id_, "default", {"type": "greet"}) for number, id_ in enumerate(ids)
    ]
    events.append(Event(99, 2.0, Kind.JOB_FAILED, "job_x", "default", {"error": "Reject", "message": "no"}))
    assert [said for _, said in lines(events, {})] == ["failed a job: Reject: no, job_x", f"finished {len(ids)} jobs"]


def test_it_ends_when_nobody_reads_any_more(home: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen([sys.executable, "-m", "jobdesk", "--home", str(home), "watch"], stdout=writer)
    try:
        os.close(writer)
        assert os.read(reader, 8) == b"watching"
        os.close(reader)  # and nothing happens that it could write
        assert process.wait(60) == 0
    finally:
        end(process)


def test_it_looks_at_a_home_that_it_may_not_change(home: Path, desk: Desk) -> None:
    desk.submit("greet", {"name": "Ada"})
    with watching(home, "--read-only") as watch:
        watch.says("jobs: 1 pending")
        desk.cancel(desk.jobs().jobs[0].id)
        watch.says("cancelled greet Ada")


def test_on_a_terminal_it_is_the_app_to_look_at_only_or_lines_if_asked(home: Path, desk: Desk) -> None:
    with jobdesk(home, "watch") as terminal:
        terminal.sees("no consumer", "read-only", "q quit")
        terminal.press("q")
        assert terminal.end() == 0
    with jobdesk(home, "watch", "--plain") as terminal:
        terminal.sees("working: nobody", "jobs: none")
        terminal.press("\x03")
        assert terminal.end() == 0
        assert b"\x1b" not in terminal.output
