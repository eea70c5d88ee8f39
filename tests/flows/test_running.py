"""Flows through a real consumer: results passed on, failures, resume, cancel, kill -9."""

import signal
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import NotFound, PayloadError, Refused, UnknownType
from jobdesk.core.flow import FlowState
from jobdesk.core.job import State
from tests.flows.conftest import PROCESSORS, SETTINGS, start, states
from tests.support.home import consumer, kill, lines, make_home, until


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
