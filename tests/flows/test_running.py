"""Flows through a real consumer: results passed on, failures, resume, cancel, kill -9, children stored at once."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import NotFound, PayloadError, Refused, UnknownType
from jobdesk.core.flow import Flow, FlowState
from jobdesk.core.job import State
from jobdesk.core.retry import RetryPolicy
from jobdesk.ledger import reads
from tests.support.home import consumer, kill, lines, make_home, until

PROCESSORS = '''
import os, time
from pathlib import Path
from jobdesk import Context, Reject, processor

def note(folder: Path, word: str) -> None:
    with open(folder / "trace", "a") as trace:
        print(word, file=trace)

@processor("download")
def download(ctx: Context, url: str, folder: Path) -> dict:
    """Makes a file."""
    note(folder, "download")
    path = folder / "file"
    path.write_text(url)
    return {"path": str(path), "bytes": len(url), "sizes": [16, 32]}

@processor("thumb")
def thumb(ctx: Context, source: Path, size: int) -> dict:
    note(source.parent, "thumb")
    if (source.parent / "broken").exists():
        raise Reject("no picture", reason="corrupt")
    return {"size": size, "of": source.read_text()}

@processor("meta", retries=20, retry_delay="1ms")
def meta(ctx: Context, source: Path, album: str | None = None) -> dict:
    folder = source.parent
    note(folder, "meta")
    (folder / "in-meta").touch()
    while (folder / "hold").exists():
        ctx.checkpoint()
        time.sleep(0.01)
    return {"album": album, "name": source.name}

@processor("summary")
def summary(ctx: Context, title: str, parts: list[dict], said: str | None = None) -> dict:
    return {"title": title, "parts": parts, "results": sorted(ctx.results)}

@processor("clean", isolation="thread")
def clean(ctx: Context, state: str, error: str | None) -> list:
    return [state, error]

@processor("mourns", isolation="thread")
def mourns(ctx: Context, text: str) -> str:
    return text

@processor("spawns", retries=3, retry_delay="1ms", backoff="fixed")
def spawns(ctx: Context, folder: Path, bad: bool = False) -> list:
    first = ctx.submit("mourns", {"text": "first"}, step="first", now=True)
    second = ctx.submit("mourns", {"texd": "x"} if bad else {"text": "second"}, after=[first], now=True)
    note(folder, f"{first} {second}")
    while ctx.attempt == 1 and not (folder / "go").exists():
        time.sleep(0.005)
    if ctx.attempt < 3:
        os._exit(1)
    return [first, second]

@processor("asks", isolation="thread")
def asks(ctx: Context, wrong: str = "") -> str:
    if wrong:
        return ctx.submit("mourns", {"text": "x"}, **{wrong: "job_1"})
    return ctx.submit(
        "mourns", {"text": "x"}, retries=7, retry_delay="1s", backoff="linear", factor=3, max_delay="1m", jitter=0.5,
        timeout="9s", expires="1h", delay="1h", unique="k", unique_for="1d", concurrency_key="c", priority="low",
    )

@processor("spawns_in_thread", isolation="thread")
def spawns_in_thread(ctx: Context) -> str:
    return ctx.submit("mourns", {"text": "from a thread"}, now=True)
'''
SETTINGS = """
[desk]
workers = 2
cancel_grace = "300ms"

[[folders]]
path = "drop"
pipeline = "dropped"
settle = "10ms"
rescan = "100ms"

[[flows]]
name = "photos"
on_failure = { type = "mourns", data = { text = "{input.url}: {failed.step} {failed.error}: {failed.message}" } }
[[flows.steps]]
name = "download"
type = "download"
data = { url = "{input.url}", folder = "{input.folder}" }
[[flows.steps]]
name = "thumb"
type = "thumb"
data = { source = "{steps.download.result.path}", size = "{steps.download.result.sizes[1]}" }
after = ["download"]
queue = "upload.batch"
priority = "high"
[[flows.steps]]
name = "meta"
type = "meta"
data = { source = "{steps.download.result.path}", album = "{input.album}" }
after = ["download"]
[[flows.steps]]
name = "report"
type = "summary"
after = ["thumb", "meta"]
data = { title = "{steps.download.result.bytes} bytes of {input.url}", parts = ["{steps.thumb.result}", "{steps.meta.result}"] }
[[flows.steps]]
name = "clean"
type = "clean"
after = ["thumb"]
on_parent_failure = "ignore"
optional = true
data = { state = "{steps.thumb.state}", error = "{steps.thumb.error}" }

[[flows]]
name = "astray"
steps = [
  { name = "get", type = "download", data = { url = "x", folder = "{input.folder}" } },
  { name = "tell", type = "mourns", after = ["get"], data = { text = "{steps.get.result.size}" } },
]

[[flows]]
name = "wrong"
steps = [{ name = "get", type = "download", data = { ulr = "x" } }]

[[flows]]
name = "limited"
[[flows.steps]]
name = "one"
type = "mourns"
data = { text = "x" }
concurrency_key = "account {input.account}"
factor = 3
max_delay = "1m"
jitter = 0.5
delay = "1h"
expires = "2h"

[[flows]]
name = "unknown"
steps = [{ name = "get", type = "downlod" }]

[[flows]]
name = "dropped"
steps = [
  { name = "thumb", type = "thumb", data = { source = "{input.source}", size = 8 } },
  { name = "tell", type = "mourns", after = ["thumb"], data = { text = "{input.name} is {steps.thumb.result.size}" } },
]
"""  # noqa: E501


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("flows"), PROCESSORS, SETTINGS)


@pytest.fixture(scope="module")
def desk(home: Path) -> Iterator[Desk]:
    Desk(home).close()
    (home / "drop").mkdir()
    with Desk(home) as opened:
        yield opened


def start(desk: Desk, folder: Path, album: str | None = "Cats") -> Flow:
    return desk.start_flow("photos", {"url": "http://x/{input.album}", "folder": str(folder), "album": album})


def states(flow: Flow) -> dict[str, str]:
    return {job.step or job.type: job.state.value for job in flow.jobs}


def test_results_are_passed_on_from_step_to_step(desk: Desk, tmp_path: Path) -> None:
    started = start(desk, tmp_path)
    assert list(states(started)) == ["download", "thumb", "meta", "report", "clean"]
    flow = desk.wait_flow(started.id, "30s")
    assert (flow.state, flow.done, flow.total, flow.name) == (FlowState.COMPLETED, 5, 5, "photos")
    steps = {job.step: job for job in flow.jobs}
    told = steps["report"].result
    assert told["title"] == "22 bytes of http://x/{input.album}"
    assert told["parts"] == [{"size": 32, "of": "http://x/{input.album}"}, {"album": "Cats", "name": "file"}]
    assert {"download", "meta", "thumb"} <= set(told["results"])
    assert steps["clean"].result == ["completed", None]
    assert (steps["thumb"].queue, steps["thumb"].priority) == ("upload.batch", 75)
    assert steps["thumb"].data["source"] == "{steps.download.result.path}", "the job's data stays what was asked for"
    path = [job.step for id_ in flow.critical_path for job in flow.jobs if job.id == id_]
    assert path[0] == "download" and path[-1] in ("report", "clean") and len(path) == 3
    assert [one.id for one in desk.flows(1)] == [flow.id]


def test_a_failed_step_cancels_the_rest_is_told_and_resumes_when_mended(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    flow = desk.wait_flow(start(desk, tmp_path).id, "30s")
    assert flow.state is FlowState.FAILED
    assert states(flow) == {
        "download": "completed", "thumb": "failed", "meta": "completed", "report": "cancelled",
        "clean": "completed", "on_failure": "completed",
    }  # fmt: skip
    steps = {job.step: job for job in flow.jobs}
    assert steps["on_failure"].result == "http://x/{input.album}: thumb corrupt: no picture"
    assert steps["clean"].result == ["failed", "corrupt: no picture"]
    (tmp_path / "broken").unlink()
    assert desk.resume_flow(flow.id) == [steps["thumb"].id]
    done = desk.wait_flow(flow.id, "30s")
    assert done.state is FlowState.COMPLETED
    assert sorted(lines(tmp_path / "trace")) == ["download", "meta", "thumb", "thumb"]
    with pytest.raises(Refused, match="nothing to resume"):
        desk.resume_flow(flow.id)


def test_a_reference_that_leads_nowhere_fails_its_step_for_good(desk: Desk, tmp_path: Path) -> None:
    flow = desk.wait_flow(desk.start_flow("astray", {"folder": str(tmp_path)}).id, "30s")
    (tell,) = [job for job in flow.jobs if job.step == "tell"]
    assert (tell.state, tell.attempt) == (State.FAILED, 1)
    assert tell.error is not None and tell.error.type == "Unresolved"
    assert tell.error.message.startswith(
        "step 'tell': {steps.get.result.size} leads nowhere: steps.get.result has no 'size', only path"
    )
    desk.retry(tell.id, {"text": "by hand"})
    assert desk.wait_flow(flow.id, "30s").state is FlowState.COMPLETED
    assert desk.job(tell.id).result == "by hand"


@pytest.mark.parametrize(
    ("name", "data", "error", "says"),
    [
        ("photo", {}, NotFound, "no flow of the settings is named 'photo', did you mean 'photos'"),
        ("photos", {"url": "x", "folder": "/"}, PayloadError, "flow 'photos' needs 'album'"),
        ("photos", {"urll": "x"}, PayloadError, "flow 'photos' does not take 'urll', did you mean 'url'"),
        ("photos", {"url": [1], "folder": "/", "album": ""}, PayloadError,
         "flow 'photos', step 'download': download: 'url' is wrong"),
        ("wrong", {}, PayloadError, "flow 'wrong', step 'get': download: 'folder' is missing; 'url' is missing|'ulr'"),
        ("unknown", {}, UnknownType, "flow 'unknown', step 'get': no processor has the job type 'downlod'"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_the_start_and_stores_nothing(
    desk: Desk, name: str, data: dict[str, object], error: type[Exception], says: str
) -> None:
    before = [flow.id for flow in desk.flows(1)]
    with pytest.raises(error, match=says):
        desk.start_flow(name, data)
    assert [flow.id for flow in desk.flows(1)] == before


def test_cancelling_a_running_flow_stops_all_of_it_and_resume_goes_on(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    flow = start(desk, tmp_path)
    until((tmp_path / "in-meta").exists)
    until(lambda: {job.state for job in desk.flow(flow.id).jobs if job.step in ("thumb", "clean")} == {State.COMPLETED})
    assert desk.cancel_flow(flow.id.lower()) == 2
    done = desk.wait_flow(flow.id, "30s")
    assert done.state is FlowState.CANCELLED
    assert {name: state for name, state in states(done).items() if state != "completed"} == {
        "meta": "cancelled",
        "report": "cancelled",
    }
    (tmp_path / "hold").unlink()
    assert len(desk.resume_flow(flow.id)) == 1
    assert desk.wait_flow(flow.id, "30s").state is FlowState.COMPLETED


def test_a_dropped_file_starts_a_flow_of_that_name(desk: Desk, home: Path) -> None:
    (home / "drop" / "cat.txt").write_text("meow")
    until((home / "drop" / "_done").exists)
    (flow,) = [one for one in desk.flows() if one.name == "dropped"]
    assert {job.step: job.result for job in desk.flow(flow.id).jobs} == {
        "thumb": {"size": 8, "of": "meow"},
        "tell": "cat.txt is 8",
    }


def test_children_wanted_now_are_there_while_their_parent_runs_and_only_once(desk: Desk, tmp_path: Path) -> None:
    parent = desk.submit("spawns", {"folder": str(tmp_path)})
    until(lambda: lines(tmp_path / "trace"))
    first, second = lines(tmp_path / "trace")[0].split()
    assert desk.wait(second, timeout="20s").result == "second"
    assert desk.job(parent.id).state is State.PROCESSING, "it is held until its children have ended"
    (tmp_path / "go").touch()
    done = desk.wait(parent.id, timeout="30s")
    assert (done.state, done.attempt, done.result) == (State.COMPLETED, 3, [first, second])
    assert len(lines(tmp_path / "trace")) == 3
    family = reads.flow_jobs(desk.ledger, str(done.flow))
    assert [job.id for job in family] == [parent.id, first, second]
    assert all(job.attempt == 1 for job in family[1:])


def test_a_thread_may_add_children_now_and_one_that_does_not_fit_fails_its_parent(desk: Desk, tmp_path: Path) -> None:
    parent = desk.wait(desk.submit("spawns_in_thread").id, timeout="20s")
    assert desk.wait(parent.result, timeout="20s").result == "from a thread"
    (tmp_path / "go").touch()
    bad = desk.wait(desk.submit("spawns", {"folder": str(tmp_path), "bad": True}).id, timeout="30s")
    assert bad.error is not None and bad.error.type == "BadChild" and "'texd'" in bad.error.message


def test_steps_and_children_say_all_that_a_submission_may(desk: Desk) -> None:
    (step,) = desk.start_flow("limited", {"account": 7}).jobs
    assert (step.concurrency_key, step.state) == ("account 7", State.SCHEDULED)
    assert step.expires_at is not None and step.expires_at - step.created_at == pytest.approx(3 * 3600, abs=5)
    policy = desk.ledger.row("SELECT retry FROM job WHERE id = ?", (step.id,))
    assert policy is not None
    kept = RetryPolicy.from_text(policy[0])
    assert (kept.factor, kept.max_delay_s, kept.jitter) == (3, 60, 0.5)
    asked = desk.wait(desk.submit("asks").id, timeout="20s")
    child = desk.job(asked.result)
    assert (child.max_attempts, child.timeout_s, child.unique, child.priority) == (8, 9, "k", 25)
    assert child.concurrency_key == "c" and child.run_at - child.created_at == pytest.approx(3600, abs=5)
    for wrong, says in [("retriess", "is not an option, did you mean 'retries'"), ("after", "must be a list")]:
        ended = desk.wait(desk.submit("asks", {"wrong": wrong}, retries=0).id, timeout="20s")
        assert ended.error is not None and says in ended.error.message


def test_a_delay_is_waited_out_although_the_parent_failed_and_was_retried(desk: Desk, tmp_path: Path) -> None:
    source = tmp_path / "cat.txt"
    source.write_text("meow")
    (tmp_path / "broken").touch()
    parent = desk.submit("thumb", {"source": str(source), "size": 1}, hold=True)
    late = desk.submit("mourns", {"text": "x"}, after=[parent.id], delay="2s")
    desk.release(parent.id)  # now that the other comes after it
    desk.wait(late.id, timeout="20s")
    assert desk.job(late.id).state is State.CANCELLED
    (tmp_path / "broken").unlink()
    desk.retry(parent.id)
    desk.wait(parent.id, timeout="20s")
    done = desk.wait(late.id, timeout="20s")
    assert done.state is State.COMPLETED and done.started_at is not None and done.started_at >= late.run_at


def test_kill_9_of_the_consumer_in_the_middle_of_a_flow_loses_nothing(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path, PROCESSORS, SETTINGS))
    (tmp_path / "hold").touch()
    victim = consumer(desk.home.path)
    flow = start(desk, tmp_path)
    until((tmp_path / "in-meta").exists)
    kill(victim)
    (tmp_path / "hold").unlink()
    heir = consumer(desk.home.path)
    done = desk.wait_flow(flow.id, "60s")
    kill(heir, signal.SIGTERM)
    assert (done.state, done.done) == (FlowState.COMPLETED, 5)
    assert lines(tmp_path / "trace").count("download") == 1
    desk.close()
