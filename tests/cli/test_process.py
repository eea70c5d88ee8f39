"""The command as a process of its own: imports, pipes, signals, draining."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROCESSORS, Say
from tests.support.home import consumer, make_home, until

LIMIT_S = 180


def jobdesk(home: Path, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "jobdesk", "--home", str(home), *words],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        **more,
    )


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], {"textual", "rich", "peewee", "pydantic", "huey", "watchdog", "PIL", "psutil"}),
        (["jobs", "list"], {"textual", "rich", "huey", "watchdog", "PIL", "psutil"}),
        (["processors", "list"], {"textual", "rich"}),
    ],
)
def test_commands_import_no_more_than_they_need(tmp_path: Path, words: list[str], absent: set[str]) -> None:
    script = (
        "import sys; from jobdesk.cli.main import main; main(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--home", str(tmp_path / "home"), *words],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert absent.isdisjoint(done.stderr.split())


def test_a_reader_that_leaves_is_no_error(home: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m jobdesk --home '{home}' config schema | head -c 1; exit 0"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert done.stdout == "{" and done.stderr == ""


def test_drain_does_the_work_and_says_3_for_new_dead_letters(home: Path, say: Say) -> None:
    good = say("submit", "greet", "name=ada").id
    assert jobdesk(home, "--consumer", "--drain").returncode == 0
    assert say("jobs", "wait", good, "--json").json[0]["result"] == "hello ada"
    assert say("jobs", "logs", good).out == "hello ada\n"
    bad = say("submit", "refuse").id
    assert jobdesk(home, "--consumer", "--drain").returncode == 3
    assert jobdesk(home, "--consumer", "--drain").returncode == 0  # nothing new
    waited = say("jobs", "wait", bad, good)
    assert waited.code == 3 and "it never works" in waited.err
    (group,) = say("dead", "groups", "--json").json
    assert (group["count"], group["type"], group["job"]) == (1, "refuse", bad)
    assert say("dead", "retry").code == 0
    assert say("jobs", "show", bad, "--json").json["state"] == "pending"


def test_submit_wait_has_the_result_of_a_consumer_elsewhere(home: Path) -> None:
    process = consumer(home)
    try:
        done = jobdesk(home, "submit", "greet", "name=bo", "--wait", "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["result"] == "hello bo"
        failed = jobdesk(home, "run", "--wait", "--", "sh", "-c", "exit 7")
        assert failed.returncode == 3 and "exit code 7" in failed.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0


SLOW = (
    PROCESSORS
    + """
import time
from pathlib import Path

@processor("slow")
def slow(ctx: Context, started: Path) -> None:
    "Takes for ever."
    started.touch()
    while True:
        time.sleep(0.05)
"""
)


def test_a_second_signal_gives_running_jobs_back_at_once(tmp_path: Path) -> None:
    home, started = make_home(tmp_path, SLOW, '[desk]\nstop_grace = "1h"\n'), tmp_path / "started"
    id_ = jobdesk(home, "submit", "slow", f"started={started}").stdout.strip()
    process = consumer(home)
    until(started.exists)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 0
    job = json.loads(jobdesk(home, "jobs", "show", id_, "--json").stdout)
    assert (job["state"], job["attempt"]) == ("pending", 0)


def test_ctrl_c_ends_a_follower_quietly(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "events", "--follow", "--since", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    jobdesk(home, "submit", "greet", "name=ada")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "job_created"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130 and err == ""


def test_the_demo_runs_headless_to_its_end(tmp_path: Path) -> None:
    done = jobdesk(tmp_path / "demo", "demo", "--consumer", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["dead"] == 1 and summary["jobs"]["failed"] == 1
    rows = json.loads(jobdesk(tmp_path / "demo", "assets", "list", "--json").stdout)
    assert summary["assets"] == len(rows)
    assert sum(one["type"].startswith("image/") for one in rows) - 1 == summary["files"]["done"] > 0  # one of a prompt
    jobs = json.loads(jobdesk(tmp_path / "demo", "jobs", "list", "state:completed", "--limit", "500", "--json").stdout)
    assert {one["type"] for one in jobs} >= {
        "command", "image-generation", "file-processing", "email-preview", "analytics-aggregation", "report",
        "generate-competitor-report", "referral-commission", "backup", "file-cleanup", "update-queue-stats",
        "IMAGE_UPLOAD_COMPLETED", "email", "payment-retry", "http_request", "webhook", "demo.greeting",
        "discover-with-instagram", "analyze-video-content", "generate-insights",
    }  # fmt: skip
    (paid,) = json.loads(jobdesk(tmp_path / "demo", "payments", "list", "--json").stdout)
    assert (paid["state"], paid["attempt"]) == ("succeeded", 2)
    api = next(one for one in jobs if one["type"] == "command" and "jobdesk.cli.demo_api" in one["data"]["argv"])
    assert any("final completed" in line for line in api["result"]["tail"])
