"""Jobs that do what no job should: each harms itself alone, and none is left in `processing`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import Job, State
from jobdesk.ledger import claiming, reads
from jobdesk.runtime.processes import start_of
from tests.support.home import consumer, kill, make_home, until

PROCESSORS = r"""
import contextlib, os, subprocess, threading, time
from pathlib import Path
from jobdesk import Context, processor

@processor("fine")
def fine(ctx: Context, n: int) -> int:
    return n

@processor("no_utf8", retries=0)
def no_utf8(ctx: Context) -> dict:
    ctx.log.info("caf\udce9")
    print("\udce9".encode("utf-8", "surrogateescape").decode("latin-1"))
    return {"name": "caf\udce9"}

@processor("raises_no_utf8", retries=0)
def raises_no_utf8(ctx: Context) -> None:
    raise ValueError("caf\udce9")

@processor("thread_no_utf8", isolation="thread", retries=0)
def thread_no_utf8(ctx: Context) -> dict:
    ctx.log.info("caf\udce9")
    return {"success": False, "error": "no", "retryDelay": "nan", "retryable": False}

@processor("lingers", retries=0)
def lingers(ctx: Context, folder: Path) -> str:
    def later():
        while not (folder / "next").exists():
            time.sleep(0.01)
        for say in (
            lambda: ctx.log.info("from the job before"),
            lambda: ctx.submit("fine", {"n": 666}),
            lambda: ctx.progress(77, 100, "not mine"),
        ):
            with contextlib.suppress(Exception):
                say()
        (folder / "said").touch()
    threading.Thread(target=later).start()
    return "gone"

@processor("next", retries=0, timeout="1m")
def next_(ctx: Context, folder: Path) -> str:
    (folder / "next").touch()
    while not (folder / "said").exists():
        ctx.checkpoint()
        time.sleep(0.01)
    return "heard nothing"

@processor("forks", retries=0)
def forks(ctx: Context) -> str:
    return "the copy" if os.fork() == 0 else "the job"

@processor("leaves", retries=0)
def leaves(ctx: Context, folder: Path) -> str:
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (folder / "left").write_text(str(child.pid))
    return "left one behind"

@processor("closes", retries=0)
def closes(ctx: Context) -> str:
    os.close(1); os.close(2)
    return "closed"

@processor("bad_asset", retries=0)
def bad_asset(ctx: Context) -> None:
    ctx.asset({"id": "x", "name": {"no": "text"}, "type": "t", "sha256": "", "bytes": 1})

@processor("too_much", retries=0)
def too_much(ctx: Context) -> None:
    while True:
        ctx.asset({"id": "x", "name": "x", "type": "t", "sha256": "", "bytes": 1})

@processor("twice_unique", retries=0)
def twice_unique(ctx: Context) -> None:
    first = ctx.submit("fine", {"n": 1}, unique="the one")
    again = ctx.submit("fine", {"n": 2}, unique="the one")
    ctx.submit("fine", {"n": 3}, after=[first, again], step="last")

@processor("stubborn", isolation="thread", retries=0)
def stubborn(ctx: Context, folder: Path) -> None:
    (folder / "began").touch()
    time.sleep(30)
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    with Desk(home) as opened:
        yield opened


def run(desk: Desk, type_: str, **data: object) -> Job:
    job = desk.submit(type_, data)
    desk.wait(job.id, timeout="60s")
    return desk.job(job.id)


def test_text_that_is_no_utf8_is_kept_and_confuses_nobody(desk: Desk) -> None:
    done = run(desk, "no_utf8")
    assert (done.state, done.result) == (State.COMPLETED, {"name": "caf\udce9"})
    assert "caf\\udce9" in [event.data["message"] for event in desk.logs(done.id)]
    raised = run(desk, "raises_no_utf8").error
    assert raised is not None
    assert (raised.type, raised.message) == ("ValueError", "caf\\udce9")
    assert run(desk, "thread_no_utf8").state is State.FAILED
    assert run(desk, "fine", n=5).result == 5


def test_what_a_job_says_after_its_end_is_not_said_by_the_next(desk: Desk, tmp_path: Path) -> None:
    assert run(desk, "lingers", folder=str(tmp_path)).result == "gone"
    next_one = run(desk, "next", folder=str(tmp_path))
    assert next_one.result == "heard nothing", next_one.error
    assert next_one.progress is None
    assert list(desk.logs(next_one.id)) == []
    assert [job.type for job in desk.jobs().jobs] == ["next", "lingers"]


def test_a_job_that_forks_ends_once_and_its_copy_never_speaks(desk: Desk) -> None:
    assert run(desk, "forks").result == "the job"
    assert run(desk, "fine", n=1).result == 1


def test_what_a_job_started_ends_with_it(desk: Desk, tmp_path: Path) -> None:
    assert run(desk, "leaves", folder=str(tmp_path)).state is State.COMPLETED
    until(lambda: start_of(int((tmp_path / "left").read_text())) is None, seconds=5)


def test_closing_the_output_harms_only_the_output(desk: Desk) -> None:
    assert run(desk, "closes").result == "closed"
    assert run(desk, "fine", n=2).result == 2


def test_what_cannot_be_recorded_fails_the_job_that_said_it(desk: Desk) -> None:
    error = run(desk, "bad_asset").error
    assert error is not None
    assert "'name' must be str" in error.message
    error = run(desk, "too_much").error
    assert error is not None
    assert error.type == "TooMuch"
    assert run(desk, "fine", n=3).result == 3


def test_a_child_with_a_taken_key_is_the_one_that_has_it(desk: Desk) -> None:
    root = run(desk, "twice_unique")
    assert root.state is State.COMPLETED
    children = [job for job in reads.flow_jobs(desk.ledger, str(root.flow)) if job.parent == root.id]
    assert len(children) == 2
    assert children[1].after == (children[0].id,)


def test_a_thread_that_does_not_stop_is_given_back_by_a_clean_stop(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, '[desk]\nstop_grace = "100ms"\n')
    desk = Desk(home)
    job = desk.submit("stubborn", {"folder": str(tmp_path)})
    worker = consumer(home)
    until((tmp_path / "began").exists)
    worker.terminate()
    assert worker.wait(20) == 0
    assert desk.job(job.id).state is State.PENDING
    desk.close()


def test_a_file_that_was_mended_is_read_anew_by_a_running_consumer(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    worker = consumer(home)
    desk = Desk(home)
    until(desk.consumers)
    assert run(desk, "fine", n=1).result == 1
    (home / "processors" / "new.py").write_text(
        "from jobdesk import Context, processor\n@processor('new')\ndef new(ctx: Context) -> str:\n    return 'new'\n"
    )
    desk.renew_registry()
    assert run(desk, "new").result == "new"
    kill(worker)
    desk.close()


def test_a_claim_of_nobody_is_found_and_given_back(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    job = desk.submit("fine", {"n": 4})
    with desk.ledger.write() as tx:
        assert claiming.claim(tx, "con_nobody/1") is not None
    worker = consumer(home)
    assert desk.wait(job.id, timeout="60s").result == 4
    kill(worker)
    desk.close()
