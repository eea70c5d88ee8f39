"""Processors that come, change and break while a consumer works; functions registered at run time; their schedules."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Context, Desk, processor
from jobdesk.core.errors import Refused, UsageError
from jobdesk.core.job import State
from jobdesk.core.schedule import Origin
from tests.support.clock import FakeClock
from tests.support.home import consumer, end, make_home, said, until

VERSION = """
import os
from jobdesk import Context, processor

@processor("says", retries=0)
def says(ctx: Context) -> list:
    "Says which version it is."
    return [{version!r}, __file__, os.getpid()]
"""
SCHEDULED = """
from jobdesk import Context, processor

@processor("tick", isolation="thread", schedule={schedule!r})
def tick(ctx: Context, n: int = 1) -> int:
    "Ticks."
    return n
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, VERSION.format(version="one"))


def edit(home: Path, text: str) -> None:
    """Change the file as an editor does; its time of change is another, whatever the file system's steps are."""
    file = home / "processors" / "own.py"
    before = file.stat().st_mtime_ns
    file.write_text(text)
    os.utime(file, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_an_edit_is_followed_without_a_restart_and_a_broken_one_keeps_the_former(home: Path) -> None:
    desk = Desk(home)
    worker = consumer(home)
    try:

        def says() -> list[str]:
            job = desk.wait(desk.submit("says").id, timeout="60s")
            assert job.state is State.COMPLETED, job.error
            return list(job.result)

        version, file, first = says()
        assert (version, file) == ("one", str(home / "processors" / "own.py"))
        edit(home, VERSION.format(version="two"))
        until(lambda: says()[0] == "two")
        until(lambda: says()[2] != first)  # children are replaced
        edit(home, "this is no Python\n")
        for _ in range(3):
            assert says()[0] == "two"
        desk.renew_registry()
        (broken,) = desk.registry.broken
        assert broken.name == file and "SyntaxError" in broken.error and "says" in desk.registry.processors
        assert "broken: SyntaxError" in said(home, "processors", "list").out
        edit(home, VERSION.format(version="three"))
        until(lambda: says()[0] == "three")
        desk.renew_registry()
        assert desk.registry.broken == []
        (home / "processors" / "own.py").unlink()
        assert "says" not in desk.renew_registry().processors
    finally:
        end(worker)
        desk.close()


def test_a_file_of_the_home_comes_before_what_is_installed(tmp_path: Path) -> None:
    own = SCHEDULED.replace('"tick"', '"THUMBNAIL_GENERATE"').replace(", schedule={schedule!r}", "")
    with Desk(make_home(tmp_path, own)) as desk:
        assert desk.registry.sources["THUMBNAIL_GENERATE"].file == str(desk.home.processors / "own.py")
        assert not desk.registry.broken
        assert desk.wait(desk.submit("THUMBNAIL_GENERATE", {"n": 5}).id, timeout="60s").result == 5


def test_of_two_files_of_the_home_the_second_is_a_row_with_its_error(home: Path) -> None:
    (home / "processors" / "zzz.py").write_text(VERSION.format(version="late"))
    desk = Desk(home)
    assert desk.registry.sources["says"].file == str(home / "processors" / "own.py")
    assert [one.error for one in desk.registry.broken] == [f"job type 'says' is taken by {home}/processors/own.py"]


def test_one_wrong_annotation_keeps_the_former_too(home: Path) -> None:
    desk = Desk(home)
    assert "says" in desk.registry.processors
    edit(home, VERSION.format(version="two").replace("ctx: Context", "ctx: Context, n: 'Nowhere'"))
    assert "says" in desk.renew_registry().processors
    assert [one.error for one in desk.registry.broken] == [
        "an annotation cannot be resolved: name 'Nowhere' is not defined"
    ]
    desk.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(make_home(tmp_path))
    yield opened
    opened.close()


def test_a_function_is_registered_at_run_time(desk: Desk) -> None:
    def doubled(ctx: Context, n: int) -> int:
        return 2 * n

    desk.register(doubled, "doubled", retries=0)
    with desk:
        assert desk.wait(desk.submit("doubled", {"n": 21}).id, timeout="60s").result == 42
        (desk.home.processors / "own.py").write_text(VERSION.format(version="one"))
        assert {"doubled", "says"} <= set(desk.renew_registry().processors)  # it stays when files are read again
        desk.register(lambda ctx, n: 3 * n, "doubled")
        assert desk.wait(desk.submit("doubled", {"n": 21}).id, timeout="60s").result == 63


def test_what_cannot_be_registered_is_refused(desk: Desk) -> None:
    @processor("local")
    def local(ctx: Context) -> None:
        """Lives in a function: no child can import it."""

    with pytest.raises(UsageError, match="cannot be found by a child process"):
        desk.register(local)
    with pytest.raises(UsageError, match="say its type"):
        desk.register(lambda ctx: None)
    with pytest.raises(UsageError, match="is taken"):
        desk.register(lambda ctx: None, "command")
    with pytest.raises(UsageError, match="first parameter"):
        desk.register(lambda *, n: None, "nothing")


def test_a_schedule_comes_and_goes_with_its_processor(tmp_path: Path) -> None:
    home = make_home(tmp_path, SCHEDULED.format(schedule={"cron": "0 * * * *", "data": {"n": 7}}))
    clock = FakeClock()
    desk = Desk(home, clock=clock)
    desk.sync_plugin_schedules()
    (row,) = said(home, "schedules", "list", "--json").json
    assert (row["name"], row["origin"], row["data"]) == ("tick", "plugin", {"n": 7})
    with pytest.raises(Refused, match="comes with its processor"):
        desk.remove_schedule("tick")
    with pytest.raises(Refused, match="comes with its processor"):
        desk.add_schedule("tick", "tick", cron="@daily", replace=True)
    desk.pause_schedule("tick")
    edit(home, SCHEDULED.format(schedule="*/5 * * * *"))
    desk.renew_registry()
    desk.sync_plugin_schedules()
    changed = desk.schedule("tick")
    assert (changed.spec.cron, changed.origin, changed.paused_at is not None) == ("*/5 * * * *", Origin.PLUGIN, True)
    edit(home, SCHEDULED.format(schedule="never"))
    desk.renew_registry()
    desk.sync_plugin_schedules()
    assert [one.name for one in desk.registry.broken] == ["tick, its schedule"]
    assert desk.schedules() == []
    desk.close()


def test_a_schedule_of_the_settings_wins(tmp_path: Path) -> None:
    settings = '[[schedules]]\nname = "tick"\ntype = "tick"\ncron = "@daily"\n'
    home = make_home(tmp_path, SCHEDULED.format(schedule="0 * * * *"), settings)
    desk = Desk(home)
    desk.sync_schedules()
    desk.sync_plugin_schedules()
    (one,) = desk.schedules()
    assert one.origin is Origin.SETTINGS
    desk.close()


def test_a_consumer_makes_the_jobs_of_a_plug_in(tmp_path: Path) -> None:
    home = make_home(tmp_path, SCHEDULED.format(schedule="* * * * *"))
    worker = consumer(home)
    desk = Desk(home)
    try:
        until(lambda: [one.name for one in desk.schedules()] == ["tick"])
        job = desk.trigger_schedule("tick")
        assert desk.wait(job.id, timeout="60s").result == 1
    finally:
        end(worker)
        desk.close()
