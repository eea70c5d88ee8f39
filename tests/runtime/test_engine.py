"""Jobs through a real consumer with real children: every way a processor may behave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.errors import PayloadError, UnknownType
from jobdesk.core.events import Kind
from jobdesk.core.job import Job, State
from jobdesk.ledger import reads
from tests.support.factory import blame_of
from tests.support.home import make_home, until

PROCESSORS = '''
import os, subprocess, time
from pathlib import Path
from jobdesk import Context, Reject, Retry, Snooze, processor

@processor("adds")
def adds(ctx: Context, n: int = 1) -> dict:
    """Adds one."""
    ctx.progress(1, 2, "half")
    (ctx.workdir / "scratch").write_text("x")
    made = ctx.home / "library" / "made.txt"
    made.write_text("made")
    ctx.artifact(made, "text")
    return {"n": n + 1}

@processor("in_thread", isolation="thread")
def in_thread(ctx: Context) -> str:
    ctx.log.info("from the thread")
    return "threaded"

@processor("prints")
def prints(ctx: Context) -> None:
    print("from python")
    os.write(2, b"from the descriptor\\n")
    subprocess.run(["echo", "from a program"])
    ctx.log.warning("from the log")

@processor("raises", retries=2, retry_delay="1ms", backoff="fixed")
def raises(ctx: Context) -> None:
    raise ValueError(f"attempt {ctx.attempt}")

@processor("second_time", retries=2, retry_delay="10m")
def second_time(ctx: Context) -> int:
    if ctx.attempt == 1:
        raise Retry("not yet", delay="1ms")
    return ctx.attempt

@processor("classic", retries=5)
def classic(ctx: Context) -> dict:
    return {"success": False, "error": "it says no", "retryable": False}

@processor("rejects", retries=5)
def rejects(ctx: Context) -> None:
    raise Reject("that is no picture", reason="unsupported-type")

@processor("picky", retries=5, permanent=(KeyError,))
def picky(ctx: Context) -> None:
    raise KeyError("gone")

@processor("snoozes", retries=0)
def snoozes(ctx: Context, folder: Path) -> int:
    mark = folder / "snoozed"
    if not mark.exists():
        mark.touch()
        raise Snooze("1ms", "not now")
    return ctx.attempt

@processor("exits", retries=0)
def exits(ctx: Context) -> None:
    os._exit(3)

@processor("system_exit", retries=0)
def system_exit(ctx: Context) -> None:
    raise SystemExit("bye")

@processor("hangs", retries=0)
def hangs(ctx: Context, folder: Path) -> None:
    child = subprocess.Popen(["sleep", "600"])
    (folder / "pid.new").write_text(str(child.pid))
    (folder / "pid.new").rename(folder / "pid")
    time.sleep(600)

@processor("polite")
def polite(ctx: Context, folder: Path) -> None:
    (folder / "began").touch()
    while True:
        ctx.checkpoint()
        time.sleep(0.01)

@processor("greedy", retries=0)
def greedy(ctx: Context) -> int:
    return len(bytearray(900_000_000))

@processor("bad_result", retries=5)
def bad_result(ctx: Context) -> object:
    return object()

@processor("family")
def family(ctx: Context, fails: bool = False) -> str:
    ctx.on_failure("mourns", {"upload": "u1"})
    first = ctx.submit("adds", {"n": 1}, step="first")
    second = ctx.submit("rejects" if fails else "adds", {} if fails else {"n": 10}, after=[first], step="second")
    ctx.submit("sums", after=[first, second], step="sum")
    return "started"

@processor("sums")
def sums(ctx: Context) -> int:
    return ctx.results["first"]["n"] + ctx.results["second"]["n"]

@processor("mourns")
def mourns(ctx: Context, upload: str, failed: dict | None = None) -> dict:
    return {"upload": upload, "failed": failed}

@processor("strict", retries=0)
def strict(ctx: Context, to: str) -> str:
    return to

@processor("falls", retries=0)
def falls(ctx: Context) -> None:
    ctx.on_failure("strict", {"to": "ada"})
    raise ValueError("it fell")

@processor("bad_parent", retries=0)
def bad_parent(ctx: Context) -> None:
    ctx.submit("adds", {"m": 1})
'''
SETTINGS = '[desk]\nworkers = 2\nmemory_limit = "600MB"\ncancel_grace = "200ms"\n'


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = make_home(tmp_path_factory.mktemp("engine"), PROCESSORS, SETTINGS)
    with Desk(home) as opened:
        yield opened


def run(desk: Desk, type_: str, data: dict[str, object] | None = None, **options: Any) -> Job:
    job = desk.submit(type_, data, **options)
    desk.wait(job.id, timeout="30s")
    return desk.job(job.id)


def test_a_result_progress_and_artifact_are_kept(desk: Desk) -> None:
    job = run(desk, "adds", {"n": "4"})
    assert (job.state, job.result, job.attempt) == (State.COMPLETED, {"n": 5}, 1)
    assert job.progress is not None
    assert job.progress.percent == 50
    assert [(Path(made.path).name, made.kind, made.bytes) for made in job.artifacts] == [("made.txt", "text", 4)]
    assert job.max_rss_bytes
    assert job.cpu_ms is not None
    assert not list((desk.home.run / "work").iterdir())


def test_small_work_runs_in_the_workers_thread(desk: Desk) -> None:
    job = run(desk, "in_thread")
    assert job.result == "threaded"
    assert [event.data["message"] for event in desk.logs(job.id)] == ["from the thread"]


def test_whatever_is_printed_goes_into_the_jobs_log(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    job = run(desk, "prints")
    said = {event.data["message"]: event.data["level"] for event in desk.logs(job.id)}
    assert said == {
        "from python": "print",
        "from the descriptor": "print",
        "from a program": "print",
        "from the log": "warning",
    }
    assert capfd.readouterr() == ("", "")


def test_an_exception_is_retried_until_its_attempts_are_used_up(desk: Desk) -> None:
    job = run(desk, "raises")
    assert (job.state, job.attempt) == (State.FAILED, 3)
    assert blame_of(job) == ("ValueError", "attempt 3")
    history = reads.attempts(desk.ledger, job.id)
    assert [(row["number"], row["outcome"], row["error_message"]) for row in history] == [
        (n, "failed", f"attempt {n}") for n in (1, 2, 3)
    ]


def test_a_processor_may_choose_its_own_delay(desk: Desk) -> None:
    assert run(desk, "second_time").result == 2


@pytest.mark.parametrize(
    ("type_", "error"),
    [
        ("classic", ("Failed", "it says no")),
        ("rejects", ("unsupported-type", "that is no picture")),
        ("picky", ("KeyError", "'gone'")),
        ("exits", ("WorkerCrashed", "its process ended by itself with exit status 3")),
        ("system_exit", ("SystemExit", "bye")),
    ],
)
def test_what_cannot_be_mended_fails_at_once(desk: Desk, type_: str, error: tuple[str, str]) -> None:
    job = run(desk, type_)
    assert (job.state, job.attempt) == (State.FAILED, 1)
    assert blame_of(job) == error


def test_a_snooze_gives_the_attempt_back(desk: Desk, tmp_path: Path) -> None:
    assert run(desk, "snoozes", {"folder": str(tmp_path)}).result == 1


def test_a_job_over_its_timeout_is_killed_with_what_it_started(desk: Desk, tmp_path: Path) -> None:
    job = run(desk, "hangs", {"folder": str(tmp_path)}, timeout="700ms")
    assert blame_of(job) == ("Timeout", "it ran longer than its timeout of 0.7 s")
    until(lambda: _gone(int((tmp_path / "pid").read_text())))


def test_cancelling_kills_what_does_not_listen(desk: Desk, tmp_path: Path) -> None:
    job = desk.submit("hangs", {"folder": str(tmp_path)})
    until((tmp_path / "pid").exists)
    assert desk.cancel(job.id) is State.PROCESSING
    assert desk.wait(job.id, timeout="10s").state is State.CANCELLED
    until(lambda: _gone(int((tmp_path / "pid").read_text())))


def test_cancelling_lets_a_polite_job_stop_by_itself(desk: Desk, tmp_path: Path) -> None:
    job = desk.submit("polite", {"folder": str(tmp_path)})
    until((tmp_path / "began").exists)
    desk.cancel(job.id)
    assert desk.wait(job.id, timeout="10s").state is State.CANCELLED


def test_a_job_that_eats_memory_fails_alone(desk: Desk) -> None:
    kind, message = blame_of(run(desk, "greedy"))
    assert kind == "MemoryError"
    assert "0.6 GB of desk.memory_limit" in message
    assert run(desk, "adds").state is State.COMPLETED


def test_a_result_that_is_no_json_says_so(desk: Desk) -> None:
    assert blame_of(run(desk, "bad_result"))[0] == "BadResult"


def test_children_run_after_each_other_with_results_passed_on(desk: Desk) -> None:
    root = run(desk, "family")
    assert root.flow is not None
    until(lambda: _flow_is_over(desk, root.flow))
    steps = {job.step or job.type: job for job in reads.flow_jobs(desk.ledger, root.flow)}
    assert steps["sum"].result == 13
    assert steps["sum"].after == (steps["first"].id, steps["second"].id)


def test_a_failure_in_a_flow_cancels_what_waits_and_is_told_once(desk: Desk) -> None:
    root = run(desk, "family", {"fails": True})
    until(lambda: _flow_is_over(desk, root.flow))
    steps = {job.step or job.type: job for job in reads.flow_jobs(desk.ledger, str(root.flow))}
    assert steps["sum"].state is State.CANCELLED
    assert blame_of(steps["sum"])[0] == "ParentFailed"
    told = steps["mourns"].result
    assert told["upload"] == "u1"
    assert told["failed"]["job"] == steps["second"].id
    assert told["failed"]["error"] == "unsupported-type"


def test_what_a_failure_leads_to_need_not_take_what_failed(desk: Desk) -> None:
    job = run(desk, "falls")
    (told,) = (one for one in desk.wait_flow(job.flow or "", "30s").jobs if one.type == "strict")
    assert (told.state, told.result) == (State.COMPLETED, "ada"), told.error


def test_a_child_that_does_not_fit_fails_its_parent(desk: Desk) -> None:
    kind, message = blame_of(run(desk, "bad_parent"))
    assert kind == "BadChild"
    assert "'m' is not a parameter" in message


def test_a_wrong_submission_stores_nothing(desk: Desk) -> None:
    before = reads.last_events(desk.ledger, kinds=[Kind.JOB_CREATED], limit=1)  # of other tests, or none
    with pytest.raises(UnknownType, match="did you mean 'adds'"):
        desk.submit("add")
    with pytest.raises(PayloadError, match="'m' is not a parameter"):
        desk.submit("adds", {"m": 1})
    with pytest.raises(PayloadError, match="'folder' is missing"):
        desk.submit("polite")
    assert reads.last_events(desk.ledger, kinds=[Kind.JOB_CREATED], limit=1) == before


def test_a_paused_queue_starts_nothing_until_it_is_resumed(desk: Desk) -> None:
    desk.pause("default")
    job = desk.submit("adds")
    other = run(desk, "adds", queue="upload.batch")  # the same workers, another queue
    assert other.state is State.COMPLETED
    assert desk.job(job.id).state is State.PENDING
    desk.resume("default")
    assert desk.wait(job.id, timeout="10s").state is State.COMPLETED


def test_a_broken_plug_in_is_a_row_and_harms_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    (home / "processors" / "broken.py").write_text("import nowhere_to_be_found\n")
    desk = Desk(home)
    (broken,) = desk.registry.broken
    assert broken.name.endswith("broken.py")
    assert "nowhere_to_be_found" in broken.error
    assert "adds" in desk.registry.processors
    desk.close()


def _flow_is_over(desk: Desk, flow: str | None) -> bool:
    jobs = reads.flow_jobs(desk.ledger, str(flow))
    return len(jobs) > 1 and all(job.finished_at is not None for job in jobs)


def _gone(pid: int) -> bool:
    from jobdesk.runtime.processes import start_of

    return start_of(pid) is None
