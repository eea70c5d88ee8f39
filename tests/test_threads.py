"""One desk, used from many threads at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobdesk import Desk, Submission
from jobdesk.core.errors import Refused, UsageError
from jobdesk.core.flow import FlowState
from jobdesk.core.job import State
from tests.support.home import make_home

PROCESSORS = """
from jobdesk import processor

@processor("note", isolation="thread")
def note(ctx, text: str = "") -> str:
    ctx.log.info(text)
    return text
"""
SETTINGS = """
[queues.held]
[[flows]]
name = "two"
steps = [
  { name = "a", type = "note", data = { text = "{input.text}" } },
  { name = "b", type = "note", after = ["a"], data = { text = "{steps.a.result}" } },
]
"""
THREADS, ROUNDS = 8, 3


def test_every_method_may_be_called_from_several_threads_at_once(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS, SETTINGS)) as desk:

        def work(number: int) -> None:
            for turn in range(ROUNDS):
                word = f"{number}-{turn}"
                one = desk.submit("note", {"text": word}, unique=word)
                batch = desk.submit_batch([Submission(type="note", data={"text": word}) for _ in range(3)])
                flow = desk.start_flow("two", {"text": word})
                desk.wait(one.id, *batch, timeout="60s")
                assert desk.job(one.id).result == word
                assert [event.data["message"] for event in desk.logs(one.id)] == [word]
                assert next(desk.events(job=one.id)).kind == "job_created"
                assert desk.wait_flow(flow.id, timeout="60s").state is FlowState.COMPLETED
                later = desk.submit("note", {"text": word}, delay="1h")
                assert desk.why(later.id)[0].startswith("It is due at")
                assert desk.cancel(later.id) is State.CANCELLED
                desk.retry(later.id)
                assert desk.wait(later.id, timeout="60s").result == word
                desk.delete(later.id)
                desk.pause("held")
                desk.resume("held")
                desk.renew_registry()
                desk.add_schedule(word, "note", cron="@yearly")
                assert desk.wait(desk.trigger_schedule(word).id, timeout="60s").state is State.COMPLETED
                desk.remove_schedule(word)
                assert desk.jobs("type:note", limit=5).jobs and desk.queues() and desk.flows()
                assert desk.metrics(hours=1)["completed"] and desk.health()["checks"]["database"]

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, range(THREADS)))
        assert desk.metrics()["completed"] == THREADS * ROUNDS * 7
        with pytest.raises(UsageError, match="no job is named"):
            desk.wait()
        with pytest.raises(Refused):
            desk.cancel(desk.jobs(limit=1).jobs[0].id)
