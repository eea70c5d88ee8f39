"""What is said once something was done to one job, to several, to all that match; and what can be undone."""

from queue import Queue

import pytest
from textual.message import Message

from jobdesk.core.job import State
from jobdesk.desk import Desk
from jobdesk.tui.doing import Doer
from jobdesk.tui.messages import Acted
from jobdesk.tui.selection import Chosen, Selection


def chosen(desk: Desk, query: str) -> tuple[Chosen, ...]:
    return tuple(Chosen(job.id, job.type, job.queue, job.state) for job in desk.jobs(query).jobs)


def ended(desk: Desk, verb: str, selection: Selection) -> Acted:
    """How doing it ended, as the app is told."""
    told: Queue[Message] = Queue()
    doer = Doer(desk, told.put)
    doer.each(verb, selection)
    acted = told.get(timeout=60)
    doer.close()
    assert isinstance(acted, Acted)
    return acted


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_is_asked(busy_desk: Desk) -> None:
    waits = ended(busy_desk, "cancel", Selection(jobs=chosen(busy_desk, "state:scheduled")))
    runs = ended(busy_desk, "cancel", Selection(jobs=chosen(busy_desk, "state:processing")))
    assert (waits.sentence.partition(":")[0], waits.undoable) == ("Cancelled", True)
    assert (runs.sentence.partition(":")[0], runs.undoable) == ("Asked to stop", False)


def test_one_job_that_refuses_says_why(busy_desk: Desk) -> None:
    refused = ended(busy_desk, "retry", Selection(jobs=chosen(busy_desk, "state:processing")))
    assert refused.failed and not refused.undoable
    assert "processing" in refused.sentence


@pytest.mark.parametrize("query", ["state:failed,processing", None])
def test_those_that_refuse_are_counted_and_one_reason_told(busy_desk: Desk, query: str | None) -> None:
    jobs = chosen(busy_desk, "state:failed,processing")
    refused = [job for job in jobs if job.state is State.PROCESSING]
    assert len(refused) == 1 and len(jobs) > 2
    acted = ended(busy_desk, "retry", Selection(jobs=() if query else jobs, query=query))
    assert acted.sentence.startswith(f"Retried {len(jobs) - 1} of {len(jobs)} jobs; refused: ")
    assert not acted.failed and acted.undoable
    again = ended(busy_desk, "delete", Selection(query="state:processing"))
    assert again.sentence.startswith("Deleted 0 of 1 jobs; refused: ")
    assert again.failed and not again.undoable
