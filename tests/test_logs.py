"""The desk's own log: what a line says, and several processes that write and rotate one file."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from jobdesk import logbook, logs
from jobdesk.core.clock import SystemClock
from tests.support.clock import FakeClock
from tests.support.home import consumer, end, make_home, said, until

WRITER = """
import logging, sys
from pathlib import Path
from jobdesk import logs

folder, name = Path(sys.argv[1]), sys.argv[2]
logs.to_file(folder, max_bytes=20_000, keep=200)
for number in range(400):
    logging.getLogger("jobdesk").info("%s says %d", name, number, extra={"job": "job_1"})
"""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Loggers are the process's: other tests find them as they were."""
    names = ("jobdesk", "huey", "watchdog")
    before = {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).level) for name in names}
    yield
    for name, (handlers, level) in before.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = handlers, True
        logger.setLevel(level)
    logs._process.clear()


def read(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / logs.FILE).read_text().splitlines()]


def test_a_line_says_when_what_where_and_of_which_job(tmp_path: Path) -> None:
    logs.to_file(tmp_path)
    logs.say_always(consumer="con_1")
    logging.getLogger("jobdesk").warning(
        "cannot %s", "do it", extra={"job": "job_1", "queue": "q", "worker": "con_1/2"}
    )
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        logging.getLogger("jobdesk").exception("it failed with token=hunter3")
    first, second = read(tmp_path)
    assert list(first)[:4] == ["at", "level", "event", "logger"] and str(first["at"]).endswith("Z")
    assert (first["level"], first["event"], first["logger"]) == ("warning", "cannot do it", "jobdesk")
    assert (first["job"], first["queue"], first["worker"], first["consumer"]) == ("job_1", "q", "con_1/2", "con_1")
    assert "ValueError: password=********" in str(second["traceback"]) and "hunter" not in json.dumps(second)


def test_levels_are_those_of_the_setting_and_libraries_only_warn(tmp_path: Path) -> None:
    logs.to_file(tmp_path, level="warning")
    for name in ("jobdesk", "huey"):
        logging.getLogger(name).info("not this")
        logging.getLogger(name).warning("this")
    assert [line["event"] for line in read(tmp_path)] == ["this", "this"]
    logs.to_file(tmp_path, level="debug")
    for name in ("jobdesk", "watchdog"):
        logging.getLogger(name).debug("details")
    assert [line["logger"] for line in read(tmp_path)] == ["jobdesk", "huey", "jobdesk"]


def test_several_processes_write_and_rotate_one_log_and_lose_no_line(tmp_path: Path) -> None:
    names = ("ann", "bob", "eve")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in names]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    said = sorted(str(line["event"]) for line in logbook.lines(tmp_path, SystemClock()))
    assert said == sorted(f"{name} says {number}" for name in names for number in range(400))
    assert (
        all(one.stat().st_size < 25_000 for one in tmp_path.glob("jobdesk.log*")) and len(list(tmp_path.iterdir())) > 3
    )
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in tmp_path.iterdir())


def test_no_more_files_stay_than_are_wanted(tmp_path: Path) -> None:
    logs.to_file(tmp_path, max_bytes=1_000, keep=2)
    for number in range(100):
        logging.getLogger("jobdesk").info("line %d", number)
    assert {one.name for one in tmp_path.iterdir()} <= {
        "jobdesk.log", "jobdesk.log.1", "jobdesk.log.2", "jobdesk.log.lock"
    }  # fmt: skip
    assert list(logbook.lines(tmp_path, SystemClock()))[-1]["event"] == "line 99"


def test_a_log_that_cannot_be_written_says_nothing_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.to_file(tmp_path / "missing")
    logging.getLogger("jobdesk").error("nobody hears this")
    assert capsys.readouterr() == ("", "")


def test_a_reader_follows_over_rotations(tmp_path: Path, clock: FakeClock) -> None:
    logs.to_file(tmp_path, max_bytes=1_000, keep=50)
    logger = logging.getLogger("jobdesk")
    logger.info("line 0")
    lines = logbook.lines(tmp_path, clock, follow=True)
    assert next(lines)["event"] == "line 0"
    for number in range(1, 6):  # each look of the reader finds these, in whichever file
        logger.info("line %d", number)
    assert [line["event"] for line in islice(lines, 5)] == [f"line {number}" for number in range(1, 6)]
    for number in range(6, 12):
        logger.info("line %d", number)
        assert next(lines)["event"] == f"line {number}"


def test_lines_are_chosen_by_level_time_and_number(tmp_path: Path) -> None:
    logs.to_file(tmp_path)
    for number in range(4):
        logging.getLogger("jobdesk").log(logging.WARNING if number % 2 else logging.INFO, "line %d", number)
    with (tmp_path / logs.FILE).open("a") as file:
        file.write("what another program wrote\n[]\n")

    def events(**which: object) -> list[object]:
        return [line["event"] for line in logbook.lines(tmp_path, SystemClock(), **which)]  # type: ignore[arg-type]

    assert events(level="warning") == ["line 1", "line 3"]
    assert events(last=2) == ["line 2", "line 3"]
    assert events(since=SystemClock().now() + 3600) == []


def test_commands_show_the_log_of_the_desk_and_of_a_job(tmp_path: Path) -> None:
    home = make_home(
        tmp_path,
        "from jobdesk import Context, processor\n"
        "@processor('talk')\n"
        "def talk(ctx: Context) -> None:\n"
        "    'Talks.'\n"
        "    print('printed')\n"
        "    ctx.log.debug('a detail')\n"
        "    ctx.log.error('trouble')\n",
    )
    id_ = said(home, "submit", "talk").out.strip()
    working = consumer(home)
    try:
        until(lambda: said(home, "jobs", "show", id_, "--json").json["state"] == "completed")
    finally:
        end(working)
    assert set(said(home, "jobs", "logs", id_).out.splitlines()) == {"printed", "a detail", "trouble"}
    assert said(home, "jobs", "logs", id_, "--level", "warning").out == "trouble\n"
    assert "trouble" in said(home, "jobs", "logs", id_, "--since", "1h").out
    assert said(home, "jobs", "logs", id_, "--since", "2099-01-01").out == ""
    assert said(home, "jobs", "logs", id_, "--since", "yesterday").code == 2
    (line,) = [line for line in said(home, "logs", "--json").json if "works with" in line["event"]]
    assert line["consumer"].startswith("con_") and line["level"] == "info"
    assert "works with" in said(home, "logs").out and said(home, "logs", "--level", "error").out == ""
