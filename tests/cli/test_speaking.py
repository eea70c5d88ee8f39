"""What is said to running commands: pause, continue, signal, send; with a real consumer and real programs."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.home import consumer, end, make_home, said, until

TICKS = "import time\nwhile True: print('tick', flush=True); time.sleep(0.02)"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One for all: a consumer takes a second to start."""
    home = make_home(tmp_path_factory.mktemp("speaking"))
    working = consumer(home, "--workers", "8")
    yield home
    end(working)


def run(home: Path, *words: str) -> str:
    """Submit a command; its id, once it runs."""
    answer = said(home, "run", *words)
    assert answer.code == 0, answer.error
    id_ = answer.out.strip()
    until(lambda: said(home, "jobs", "show", id_, "--json").json["state"] == "processing")
    return id_


def written(home: Path, id_: str) -> list[str]:
    return said(home, "jobs", "logs", id_).out.splitlines()


def state(home: Path, id_: str) -> str:
    return str(said(home, "jobs", "show", id_, "--json").json["state"])


def processes_of(words: str) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if words in " ".join(one.info["cmdline"] or ())]


def status(words: str) -> set[str]:
    """Of all processes that have these words in their command line and were started by a job."""
    found: set[str] = set()
    for one in processes_of(words):
        try:
            found.add(one.status())
        except psutil.NoSuchProcess:
            continue
    return found


def test_what_is_sent_is_read_and_its_end_ends_it(home: Path) -> None:
    id_ = run(home, "--stdin-open", "--", "cat")
    assert said(home, "jobs", "send", id_, "hello").code == 0
    until(lambda: "hello" in written(home, id_))
    assert said(home, "jobs", "send", id_, "in two ", "--no-newline").code == 0
    assert said(home, "jobs", "send", id_, "parts", "--end").code == 0
    assert said(home, "jobs", "wait", id_).code == 0
    lines = written(home, id_)
    assert "in two parts" in lines and "6 characters sent by" in lines[0]
    assert not any("hello" in line for line in said(home, "audit").out.splitlines()), "it may be a password"
    late = said(home, "jobs", "send", id_, "more")
    assert late.code == 1 and "is completed" in late.error


def test_much_text_for_a_slow_reader_comes_whole(home: Path) -> None:
    code = (
        "import pathlib, sys, time\n"
        f"while not pathlib.Path({str(home / 'read')!r}).exists(): time.sleep(0.01)\n"
        "text = sys.stdin.read(); print(len(text), text == 'ü' * len(text))"
    )
    id_ = run(home, "--stdin-open", "--", sys.executable, "-c", code)
    for _ in range(20):
        assert said(home, "jobs", "send", id_, "ü" * 10_000, "--no-newline").code == 0
    assert said(home, "jobs", "send", id_, "--end").code == 0
    (home / "read").touch()
    assert said(home, "jobs", "wait", id_).code == 0
    assert "200000 True" in written(home, id_)


def test_one_that_reads_nothing_is_told_so(home: Path) -> None:
    deaf, closed = run(home, "--", "sleep", "300"), run(home, "--stdin-open", "--", "sh", "-c", "exec <&-; sleep 300")
    answer = said(home, "jobs", "send", deaf, "hello")
    assert answer.code == 1 and "--stdin-open" in answer.error

    def is_told() -> bool:  # what is sent before it closes its input goes into the pipe
        assert said(home, "jobs", "send", closed, "hello").code == 0
        return any("closed" in line for line in written(home, closed))

    until(is_told)
    assert state(home, closed) == "processing"
    assert said(home, "jobs", "cancel", deaf, closed).code == 0


def test_a_paused_one_stands_still_with_all_it_started(home: Path) -> None:
    mark = f"stands-still-{os.getpid()}"
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {TICKS!r}, {mark!r}])"
    id_ = run(home, "--", sys.executable, "-c", code, mark)
    until(lambda: written(home, id_).count("tick") > 3)
    assert said(home, "jobs", "pause", id_).code == 0
    until(lambda: status(mark) == {psutil.STATUS_STOPPED})
    assert "paused" in said(home, "jobs", "show", id_).out.splitlines()[0]
    assert any("It was paused by" in line for line in said(home, "jobs", "why", id_).out.splitlines())
    again = said(home, "jobs", "pause", id_)
    assert again.code == 1 and "is paused already" in again.error
    assert said(home, "jobs", "continue", id_).code == 0
    before = written(home, id_).count("tick")
    until(lambda: written(home, id_).count("tick") > before + 3)
    never = said(home, "jobs", "continue", id_)
    assert never.code == 1 and "is not paused" in never.error
    assert said(home, "jobs", "pause", id_).code == 0
    until(lambda: status(mark) == {psutil.STATUS_STOPPED})
    assert said(home, "jobs", "cancel", id_).code == 0, "a paused one can be cancelled"
    assert said(home, "jobs", "wait", id_).code == 1
    until(lambda: not processes_of(mark))
    deeds = [row["action"] for row in said(home, "audit", "--job", id_, "--json").json]
    assert deeds == ["cancel", "pause_job", "continue_job", "pause_job"]


def test_signals_reach_all_its_processes(home: Path) -> None:
    waits = "while :; do sleep 0.05; done"
    script = f"trap 'echo heard' USR1; (trap 'echo below' USR1; echo up; {waits}) & {waits}"
    id_ = run(home, "--", "bash", "-c", script)
    until(lambda: "up" in written(home, id_))
    assert said(home, "jobs", "signal", id_, "usr1").code == 0
    until(lambda: {"heard", "below"} <= set(written(home, id_)))
    wrong = said(home, "jobs", "signal", id_, "SIGKIL")
    assert wrong.code == 2 and "did you mean 'SIGKILL'?" in wrong.error
    assert said(home, "jobs", "signal", id_, "9").code == 0
    assert said(home, "jobs", "wait", id_).code == 3
    assert "SIGKILL" in said(home, "jobs", "show", id_, "--json").json["error"]["message"]


def test_only_what_runs_and_listens_hears_anything(home: Path) -> None:
    waits = said(home, "run", "--delay", "1h", "--", "true").out.strip()
    for words in (["pause", waits], ["continue", waits], ["signal", waits, "INT"]):
        answer = said(home, "jobs", *words)
        assert answer.code == 1 and "only a job that runs" in answer.error and answer.error.count("\n") == 1
    assert said(home, "jobs", "pause", "job_none").code == 4
    other = said(home, "submit", "file-cleanup", "type=all", "--delay", "1h").out.strip()
    assert re.search("type file-cleanup hear no 'pause'", said(home, "jobs", "pause", other).error)


def test_reset_ends_and_removes_everything(home: Path) -> None:
    assert said(home, "reset", "--yes", "--timeout", "2m").code == 0  # whatever other tests left
    running = run(home, "--", "sleep", "300")
    said(home, "run", "--delay", "1h", "--", "true")
    said(home, "run", "--after", running, "--", "true")
    kept = said(home, "run", "--group", "other", "--delay", "1h", "--", "true").out.strip()
    assert said(home, "reset").code == 2, "nobody can be asked"
    assert said(home, "reset", "--dry-run", "--json").json["would_remove"] == 4
    assert said(home, "reset", "--queue", "default", "--timeout", "2m", "--yes", "--json").json == {
        "removed": 3,
        "running": [],
    }
    assert [job["id"] for job in said(home, "jobs", "list", "--json").json] == [kept]
    assert said(home, "reset", "--yes").code == 0
    assert said(home, "jobs", "list", "--json").json == []
