"""Schedules through the desk: added ones beside those of the settings, restarts, trigger, next times, commands."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.cli.main import main
from jobdesk.config import load
from jobdesk.core.clock import iso
from jobdesk.core.errors import ConfigError, NotFound, PayloadError, Refused, UnknownType, UsageError
from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.core.schedule import Origin
from jobdesk.ledger import reads
from jobdesk.schedules.scheduler import Scheduler
from tests.support.clock import FakeClock
from tests.support.home import make_home

PROCESSORS = '''
from jobdesk import Context, processor

@processor("tick", isolation="thread")
def tick(ctx: Context, n: int = 1) -> int:
    """Ticks."""
    return n
'''
NIGHTLY = """
[[schedules]]
name = "nightly"
type = "tick"
cron = "30 2 * * *"
timezone = "Europe/Berlin"
data = { n = 7 }
priority = "high"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS, NIGHTLY)


@pytest.fixture
def opened(home: Path, clock: FakeClock) -> Iterator[Callable[[], Desk]]:
    """Opens the home, anew each time: a restart."""
    desks: list[Desk] = []

    def again() -> Desk:
        while desks:
            desks.pop().close()
        desks.append(Desk(home, clock=clock))
        return desks[0]

    yield again
    while desks:
        desks.pop().close()


def scheduler(desk: Desk) -> Scheduler:
    return Scheduler(desk.ledger, desk.clock, prepare=desk.prepare, store=desk.store)


def test_added_schedules_and_those_of_the_settings_live_side_by_side_through_restarts(
    opened: Callable[[], Desk], home: Path
) -> None:
    desk = opened()
    desk.add_schedule("mine", "tick", cron="*/5 * * * *", data={"n": 2})
    assert [(one.name, one.origin) for one in desk.schedules()] == [
        ("mine", Origin.ADDED),
        ("nightly", Origin.SETTINGS),
    ]
    with pytest.raises(Refused, match=r"nightly stands in jobdesk\.toml"):
        desk.add_schedule("nightly", "tick", cron="0 0 * * *", replace=True)
    with pytest.raises(Refused, match=r"nightly stands in jobdesk\.toml"):
        desk.remove_schedule("nightly")
    desk.pause_schedule("nightly")

    (home / "jobdesk.toml").write_text(NIGHTLY.replace("30 2", "45 3") + NIGHTLY.replace("nightly", "mine"))
    desk = opened()
    nightly, mine = desk.schedule("nightly"), desk.schedule("mine")
    assert (nightly.spec.cron, nightly.paused_at is not None) == ("45 3 * * *", True)
    assert (mine.origin, mine.spec.cron) == (Origin.SETTINGS, "30 2 * * *")

    (home / "jobdesk.toml").write_text(NIGHTLY)
    desk = opened()
    assert [one.name for one in desk.schedules()] == ["nightly"]
    desk.add_schedule("mine", "tick", cron="@daily")
    (home / "jobdesk.toml").write_text("")
    desk = opened()
    assert [one.name for one in desk.schedules()] == ["mine"]
    desk.remove_schedule("mine")
    assert opened().schedules() == []


def test_a_time_that_came_while_nothing_ran_is_found_after_a_restart(
    opened: Callable[[], Desk], clock: FakeClock
) -> None:
    desk = opened()
    desk.add_schedule("mine", "tick", cron="*/5 * * * *", missed="all")
    clock.advance(16 * 60)
    desk = opened()
    scheduler(desk).run_once()
    assert len(desk.jobs("schedule:mine").jobs) == 3


def test_a_change_of_the_settings_that_leaves_the_times_alone_forgets_none_that_is_due(
    opened: Callable[[], Desk], home: Path, clock: FakeClock
) -> None:
    opened().sync_schedules()
    clock.advance(2 * 86400)
    (home / "jobdesk.toml").write_text(NIGHTLY.replace("n = 7", "n = 8"))
    desk = opened()
    desk.sync_schedules()
    scheduler(desk).run_once()
    (job,) = desk.jobs("schedule:nightly").jobs
    assert job.data == {"n": 8}


def test_a_schedule_of_the_settings_makes_its_job_with_all_that_is_said_there(
    opened: Callable[[], Desk], clock: FakeClock
) -> None:
    desk = opened()
    assert [iso(at) for at in desk.next_times("nightly", 2)] == ["2027-01-16T01:30:00.000Z", "2027-01-17T01:30:00.000Z"]
    clock.advance(desk.next_times("nightly", 1)[0] - clock.now())
    scheduler(desk).run_once()
    (job,) = desk.jobs("schedule:nightly").jobs
    assert (job.type, job.data, job.priority, job.schedule, job.state) == (
        "tick", {"n": 7}, 75, "nightly", State.PENDING,
    )  # fmt: skip
    shown = desk.schedule("nightly")
    assert (shown.last_job, shown.last_state, shown.fired) == (job.id, "pending", 1)
    assert [run["job"] for run in desk.schedule_runs("nightly")] == [job.id]


def test_triggered_it_makes_its_job_now_and_its_times_stay(opened: Callable[[], Desk]) -> None:
    desk = opened()
    desk.pause_schedule("nightly")
    before = desk.schedule("nightly")
    jobs = [desk.trigger_schedule("nightly"), desk.trigger_schedule("nightly")]
    assert {(job.schedule, job.state) for job in jobs} == {("nightly", State.PENDING)}
    after = desk.schedule("nightly")
    assert (after.next_at, after.paused_at) == (before.next_at, before.paused_at)
    assert after.last_job == jobs[1].id
    fired = reads.events(desk.ledger, kinds=[Kind.SCHEDULE_FIRED])
    assert [event.job_id for event in fired] == [job.id for job in jobs]
    assert fired[0].data["triggered_by"]


def test_what_cannot_work_is_refused_when_it_is_added(opened: Callable[[], Desk]) -> None:
    desk = opened()
    wrong: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (UnknownType, "did you mean 'tick'", {"type": "tock", "cron": "@daily"}),
        (PayloadError, "'m' is not a parameter", {"type": "tick", "cron": "@daily", "data": {"m": 1}}),
        (UsageError, "4 fields instead of five", {"type": "tick", "cron": "* * * *"}),
        (UsageError, "did you mean 'Europe/Berlin'", {"type": "tick", "cron": "@daily", "timezone": "Europe/Berln"}),
        (UsageError, "either a cron expression or one time", {"type": "tick"}),
        (UsageError, "its time has passed", {"type": "tick", "at": "2020-01-01T00:00Z"}),
        (UsageError, "'soon' is not an instant", {"type": "tick", "at": "soon"}),
        (UsageError, "'no' does not fit missed: it takes skip, once, all", {"type": "tick", "at": 2e9, "missed": "no"}),
        (UsageError, "'top' is not a priority", {"type": "tick", "cron": "@daily", "priority": "top"}),
    ]  # fmt: skip
    for error, says, options in wrong:
        with pytest.raises(error, match=says):
            desk.add_schedule("new", options.pop("type"), **options)
    for act in (desk.remove_schedule, desk.pause_schedule, desk.resume_schedule, desk.trigger_schedule):
        with pytest.raises(NotFound, match="there is no schedule nighty, did you mean 'nightly'"):
            act("nighty")
    assert [one.name for one in desk.schedules()] == ["nightly"]


def test_a_one_off_of_the_settings_that_had_passed_when_first_seen_says_so_once(
    opened: Callable[[], Desk], home: Path
) -> None:
    (home / "jobdesk.toml").write_text('[[schedules]]\nname = "launch"\ntype = "tick"\nat = 2027-01-01T12:00:00\n')
    for _ in range(2):
        desk = opened()
        scheduler(desk).run_once()
        scheduler(desk).run_once()
        assert desk.schedule("launch").next_at is None
    (missed,) = reads.events(desk.ledger, kinds=[Kind.SCHEDULE_MISSED])
    assert missed.data["reason"] == "passed"
    assert not desk.jobs("schedule:launch").jobs


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NIGHTLY.replace("30 2", "30 25"), r"line 5: 'schedules\.0\.cron' is wrong: '30 25 .*' is not a cron ex"),
        (NIGHTLY.replace("Berlin", "Berln"), r"line 6: 'schedules\.0\.timezone' is wrong: .* mean 'Europe/Berlin'"),
        (NIGHTLY.replace("cron", "corn"), r"line 5: 'schedules\.0\.corn' is not a setting, did you mean 'cron'"),
        (NIGHTLY + 'missed = "some"\n', r"'schedules\.0\.missed' is wrong: .*'skip', 'once' or 'all'"),
        (NIGHTLY + "at = 2027-01-01T12:00:00\n", "schedule 'nightly' takes either cron or at"),
        (NIGHTLY + NIGHTLY, "there are 2 schedules named 'nightly'"),
    ],
)  # fmt: skip
def test_a_wrong_schedule_in_the_settings_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "jobdesk.toml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, {})


def test_the_commands_do_all_of_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str, code: int = 0) -> Any:
        assert main(["--home", str(home), "schedules", *words, "--json"]) == code
        said = capsys.readouterr()
        return json.loads(said.out if code == 0 else said.err)

    made = run("add", "mine", "--cron", "0 9 * * mon", "--timezone", "America/New_York", "--type", "tick", "n=3")
    assert (made["name"], made["data"], made["origin"], made["words"]) == (
        "mine", {"n": 3}, "added", "At 09:00, only on Monday",
    )  # fmt: skip
    assert [one["name"] for one in run("list")] == ["mine", "nightly"]
    assert len(made["next"]) == 5
    assert run("next", "mine", "--count", "3") == made["next"][:3]
    assert run("pause", "mine")["paused"] is True
    assert run("resume", "mine")["paused"] is False
    assert run("trigger", "mine")["schedule"] == "mine"
    assert run("remove", "mine") == {"name": "mine", "removed": True}
    assert run("remove", "mine", code=4)["error"]["code"] == "not_found"
    assert run("add", "mine", "--cron", "nonsense", "--type", "tick", code=2)["error"]["code"] == "usage"
    assert main(["--home", str(home), "schedules", "add", "mine", "--type", "tick"]) == 2


def test_built_in_schedules_are_off_until_somebody_resumes_them(opened: Callable[[], Desk]) -> None:
    desk = opened()

    def off() -> list[str]:
        return [one.name for one in desk.schedules_off()]

    assert "daily-reports" in off() and [one.name for one in desk.schedules()] == ["nightly"]
    assert desk.resume_schedule("daily-reports") and "daily-reports" not in off()
    made = desk.schedule("daily-reports")
    assert (made.spec.cron, made.spec.timezone, made.origin) == ("0 6 * * *", "UTC", Origin.ADDED)
    assert not desk.resume_schedule("daily-reports")
    desk.remove_schedule("daily-reports")
    assert "daily-reports" in off()
    for name in off():  # their types and data are right
        assert desk.resume_schedule(name)
    assert desk.schedule("weekly-reports").spec.cron == "0 8 * * 1"


def test_the_list_shows_built_in_schedules_that_are_off(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def listed(*words: str) -> str:
        assert main(["--home", str(home), "schedules", "list", *words]) == 0
        return capsys.readouterr().out

    (row,) = [line for line in listed().splitlines() if line.startswith("daily-backup")]
    assert row.split("\t")[:5] == ["daily-backup", "0 1 * * *", "UTC", "off", "backup"]
    assert [one["name"] for one in json.loads(listed("--json"))] == ["nightly"]
    found = {one["name"]: one for one in json.loads(listed("--all", "--json"))}
    assert found["daily-backup"]["off"] and found["daily-backup"]["data"] == {
        "type": "database",
        "retention": "30 days",
    }
    assert "off" not in found["nightly"]
    assert main(["--home", str(home), "schedules", "resume", "daily-backup"]) == 0
    assert "off" not in {one["name"]: one for one in json.loads(listed("--all", "--json"))}["daily-backup"]
