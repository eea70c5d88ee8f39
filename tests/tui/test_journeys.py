"""What people do with the app, from its start to its end, on a real terminal: every key typed, every answer read."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import FINAL, State
from tests.support.home import consumer, end, impatient, make_home, until
from tests.support.pictures import plain
from tests.support.terminal import PATIENCE_S, Terminal, jobdesk

PROCESSORS = """
import time
from jobdesk import Context, Reject, processor

@processor("held", retries=1)
def held(ctx: Context, name: str) -> str:
    while not (ctx.home.parent / "go").exists():
        ctx.checkpoint()
        time.sleep(0.02)
    return name

@processor("fussy", isolation="thread")
def fussy(ctx: Context, name: str) -> str:
    if not (ctx.home.parent / "mended").exists():
        raise Reject("the printer is out of paper")
    return name
"""
ESC, CTRL_Z = "\x1b", "\x1a"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with two workers; whatever works there in the background is ended."""
    made = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 2\n")
    yield made
    (tmp_path / "go").touch()
    with contextlib.closing(Desk(made)) as desk:
        for one in desk.consumers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    opened = Desk(home)
    yield opened
    opened.close()


@pytest.fixture
def app(home: Path) -> Iterator[Terminal]:
    """The app of the home, at work."""
    with jobdesk(home) as opened:
        opened.sees("working here", "0/2 busy")
        yield opened


def working(home: Path, desk: Desk) -> subprocess.Popen[bytes]:
    """A consumer without a screen, at work."""
    made = consumer(home)
    until(desk.consumers)
    return made


def is_state(desk: Desk, job: str, *states: State) -> bool:
    return desk.job(job).state in states


def filter_by(app: Terminal, query: str, count: int) -> None:
    app.press("/")
    app.sees("╭─ Filter")
    app.press(query)
    app.sees(f"Jobs · {count} ─", query)
    app.press("\r")


def running(app: Terminal, desk: Desk, name: str = "report") -> str:
    """A job that runs in the app until it is let go; its id."""
    job = desk.submit("held", {"name": name}).id
    app.sees("1/2 busy", name)
    app.until(lambda: is_state(desk, job, State.PROCESSING), "it runs")
    return job


def test_a_dropped_photo_becomes_jobs_that_finish_and_are_found_by_a_filter(tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    with jobdesk(home) as app:
        app.sees("Drop a photo into", "working here")
        draft = tmp_path / "beach.jpg"
        draft.write_bytes(plain(size=(640, 480)))
        draft.rename(home / "inbox" / "beach.jpg")
        app.press("6")
        app.sees("beach.jpg")
        app.press("2")
        app.sees("IMAGE_RESIZE", "beach.jpg")
        with contextlib.closing(Desk(home)) as desk:
            app.until(
                lambda: (jobs := desk.jobs().jobs) and all(job.state in FINAL for job in jobs)
                and any((home / "inbox" / "_done").rglob("*beach.jpg")), "all have ended, and the file is done"
            )  # fmt: skip
            assert {job.state for job in desk.jobs().jobs} == {State.COMPLETED}
            count, thumbnails = len(desk.jobs().jobs), len(desk.jobs("type:IMAGE_RESIZE").jobs)
        app.sees(f"Jobs · {count} ─", "✓ completed")
        filter_by(app, "type:IMAGE_RESIZE", thumbnails)
        app.press(ESC)
        app.sees(f"Jobs · {count} ─")
        app.press("6")
        app.sees("beach.jpg", "done")
        app.press("q")
        assert app.end() == 0


def test_a_failed_job_is_found_among_the_dead_letters_and_retried(home: Path, desk: Desk, app: Terminal) -> None:
    job = desk.submit("fussy", {"name": "letter"}).id
    app.sees("Dead letters 1", "Reject: the printer is")  # needs you
    app.press("3")
    app.sees("Newest", "letter")
    app.press("\r")  # the jobs of that kind of error
    app.sees("Jobs · 1 ─", "✗ failed", "letter")
    (home.parent / "mended").touch()
    app.press("r")
    app.sees("Retried: fussy letter")
    app.until(lambda: is_state(desk, job, State.COMPLETED), "it completes")
    app.press(ESC)
    app.sees("✓ completed")


def test_a_running_job_is_cancelled(desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    app.press("2")
    app.sees("▶ processing")
    app.press("c")
    app.sees("Cancel held report?", "keep")
    app.press("y")
    app.sees("⊘ cancelled")
    assert is_state(desk, job, State.CANCELLED)
    app.sees("0/2 busy")


def test_quitting_waits_for_what_runs_if_told_to(home: Path, desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    app.press("q")
    app.sees("1 job runs in this app", "Finish them first", "Hand over", "Stop now")
    app.press(ESC)
    app.sees_no("Finish them first")
    app.press("q")
    app.sees("Finish them first")
    app.press("f")
    app.sees("Waiting for 1 job to end")
    (home.parent / "go").touch()
    assert app.end() == 0
    assert desk.job(job).state is State.COMPLETED
    assert desk.consumers() == []


def test_quitting_hands_over_to_the_background_if_told_to(home: Path, desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    app.press("q")
    app.sees("Hand over to the background")
    app.press("b")
    assert app.end() == 0
    (heir,) = desk.consumers()
    assert f"a background consumer works on (process {heir.pid})" in app.screen
    (home.parent / "go").touch()
    assert desk.wait(job, timeout=60).state is State.COMPLETED
    assert heir.kind == "consumer"


def test_quitting_gives_back_what_runs_if_told_to(desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    app.press("q")
    app.sees("Stop now")
    app.press("s")
    assert app.end() == 0
    assert desk.job(job).state is State.PENDING
    assert desk.consumers() == []


def test_beside_a_consumer_it_watches_and_acts_until_it_takes_over(home: Path, desk: Desk) -> None:
    other = working(home, desk)
    try:
        with jobdesk(home) as app:
            app.sees(f"watching consumer {other.pid}")
            job = running(app, desk)
            app.press("2")
            app.sees("▶ processing")
            app.press("c")
            app.sees("Cancel held report?")
            app.press("y")
            app.sees("⊘ cancelled")  # the other one ran it
            assert is_state(desk, job, State.CANCELLED)
            app.press("B")
            app.sees("Work in this app", f"Process {other.pid} works on this home", "Take over")
            app.press("t")
            app.sees("working here")
            app.until(lambda: other.poll() is not None, "the other one ends")
            assert other.returncode == 0
            app.until(lambda: [one.pid for one in desk.consumers()] == [app.pid], "this one works")
    finally:
        end(other)


def test_it_works_as_soon_as_the_consumer_that_it_watched_is_gone(home: Path, desk: Desk) -> None:
    other = working(home, desk)
    try:
        with jobdesk(home) as app:
            app.sees(f"watching consumer {other.pid}")
            running(app, desk)
            other.kill()
            other.wait()
            app.sees("working here", "1/2 busy")  # the job of the dead as well
    finally:
        end(other)


def test_attached_it_works_only_when_asked_and_leaves_off_when_asked(home: Path, desk: Desk, app: Terminal) -> None:
    with jobdesk(home, "--attach") as second:
        second.sees(f"watching consumer {app.pid}")
        app.press("B")
        app.sees("Work no longer in this app")
        app.press("s")
        app.sees("no consumer")
        second.sees("no consumer", f"Consumer {app.pid}", "Nobody")
        assert desk.consumers() == []
        second.press("B")
        second.sees("working here")
        app.sees(f"watching consumer {second.pid}")
        second.press("q")
        assert second.end() == 0
    app.press("q")
    assert app.end() == 0


def test_work_is_handed_over_and_watched_without_closing_the_app(home: Path, desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    app.press("B")
    app.sees("1 job runs in this app", "Hand over to the background")
    app.press("b")
    app.sees("watching consumer", "1/2 busy")
    (heir,) = desk.consumers()
    app.sees(f"watching consumer {heir.pid}")
    (home.parent / "go").touch()
    app.until(lambda: is_state(desk, job, State.COMPLETED), "it completes there")


def test_a_lost_terminal_hands_over_what_runs(home: Path, desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    app.hang_up()
    assert app.end() == 128 + signal.SIGHUP
    (heir,) = desk.consumers()
    assert heir.kind == "consumer"
    (home.parent / "go").touch()
    assert desk.wait(job, timeout=60).state is State.COMPLETED


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash, whose job control this needs")
def test_ctrl_z_leads_to_the_shell_and_fg_back(home: Path, desk: Desk) -> None:
    import sys

    with Terminal(
        ["bash", "--norc", "--noprofile", "-i"], {"PS1": "ready> ", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    ) as shell:
        shell.sees("ready>")
        # a program in between, as `uv run` is: it is stopped too, or the shell would not come back
        shell.press(f"{sys.executable} -c 'import subprocess, sys; subprocess.run(sys.argv[1:])' "
                    f"{sys.executable} -m jobdesk --home {home}\r")  # fmt: skip
        shell.sees("working here", "0/2 busy")
        job = running(shell, desk)
        shell.press(CTRL_Z)
        shell.sees("jobdesk is stopped, and 1 running job", "Stopped")
        (home.parent / "go").touch()
        shell.press("echo still $((6 * 7))\r")
        shell.sees("still 42")
        assert is_state(desk, job, State.PROCESSING)
        shell.press("fg\r")
        shell.sees("working here", "Just finished", "completed  held")
        assert desk.job(job).attempt == 1
        shell.press("2")
        shell.sees("Jobs · 1 ─", "✓ completed")
        shell.press("q")
        shell.sees_no("Jobs · 1 ─")
        shell.press("echo back $((6 * 7))\r")
        shell.sees("back 42")


def test_stopped_for_long_it_has_lost_its_jobs_to_others_and_begins_anew(home: Path, desk: Desk, app: Terminal) -> None:
    job = running(app, desk)
    os.kill(app.pid, signal.SIGSTOP)
    heir = impatient(home, 6.0)
    try:
        until(lambda: desk.job(job).attempt == 2)
        (home.parent / "go").touch()
        assert desk.wait(job, timeout=60).state is State.COMPLETED
        os.kill(app.pid, signal.SIGCONT)
        app.sees("working here and 1 more", "0/4 busy")
        end(heir)
        assert desk.wait(desk.submit("held", {"name": "next"}).id, timeout=60).state is State.COMPLETED
        app.sees("working here ", "next", "0/2 busy")
        assert desk.job(job).attempt == 2
    finally:
        end(heir)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
def test_in_tmux_a_closed_pane_hands_over_what_runs(home: Path, desk: Desk, tmp_path: Path) -> None:
    import sys

    def tmux(*words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def sees(*words: str) -> None:
        until(lambda: all(word in tmux("capture-pane", "-p", "-t", "app") for word in words), seconds=PATIENCE_S)

    tmux("new-session", "-d", "-s", "rest", "-x", "100", "-y", "30", "sleep 600")
    try:
        tmux("new-session", "-d", "-s", "app", "-x", "100", "-y", "30", f"{sys.executable} -m jobdesk --home {home}")
        sees("working here")
        job = desk.submit("held", {"name": "report"}).id
        sees("1/2 busy", "report")
        tmux("send-keys", "-t", "app", "2")
        sees("▶ processing")
        tmux("kill-pane", "-t", "app")
        until(lambda: {one.kind for one in desk.consumers()} == {"consumer"}, seconds=PATIENCE_S)
        (home.parent / "go").touch()
        assert desk.wait(job, timeout=60).state is State.COMPLETED
    finally:
        tmux("kill-server")
