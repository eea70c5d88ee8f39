"""What `undo` takes back, action by action, and what it leaves because it has moved on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk, JobdeskError, Submission
from jobdesk.core.actor import Actor
from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import State
from jobdesk.ledger import audit, claiming, folding
from tests.audit.conftest import fail_one
from tests.support.clock import FakeClock


def test_undo_takes_the_last_action_back_and_is_one_itself(desk: Desk) -> None:
    job = desk.submit("greet", {"name": "Zoe"})
    desk.delete(job.id)
    done = desk.undo()
    assert (done.entry.action, done.jobs, desk.job(job.id).data["name"]) == ("delete", 1, "Zoe")
    newest, first = desk.audit()
    assert (newest.action, newest.undoes, first.undone_by) == ("undo", first.id, newest.id)
    with pytest.raises(NotFound):
        desk.undo()  # an undo is only taken back by its number
    with pytest.raises(Refused, match="undid it already"):
        desk.undo(first.id)
    desk.undo(newest.id)
    with pytest.raises(NotFound):
        desk.job(job.id)
    assert [event.kind for event in desk.events() if event.kind == "job_deleted"] == ["job_deleted"]


def test_what_has_moved_on_stays(desk: Desk, clock: FakeClock) -> None:
    dead = fail_one(desk)
    desk.retry(dead)
    with desk.ledger.write() as tx:
        assert claiming.claim(tx, "con_a/1") is not None
    with pytest.raises(Refused, match="it is processing now"):
        desk.undo()
    desk.cancel(dead)  # it runs: a stop cannot be taken back
    (first, *_) = desk.audit()
    assert not first.undoable
    taken = desk.submit("greet", unique="one")
    desk.cancel(taken.id)
    desk.submit("greet", unique="one")
    with pytest.raises(Refused, match="unique key"):
        desk.undo()
    clock.advance(audit.UNDO_S + 1)
    assert desk.undoable() == []
    audit.forget(desk.ledger)
    assert desk.ledger.rows("SELECT * FROM undo") == []


def test_another_priority_is_undone(desk: Desk) -> None:
    first, second = desk.submit("greet").id, desk.submit("greet").id
    assert desk.set_priority(second, "urgent").priority == 100
    desk.set_priority(second, 100)  # it has it already
    (told,) = desk.audit()
    assert (told.action, told.jobs) == ("priority", (second,))
    assert (told.before, told.after) == ({"state": "pending", "priority": 50}, {"state": "pending", "priority": 100})
    with desk.ledger.write() as tx:
        claimed = claiming.claim(tx, "con_a/1")
    assert claimed is not None and claimed.id == second
    for id_, wrong, why in ((second, 1, "only a job that waits"), (first, "higher", "is not a priority")):
        with pytest.raises(JobdeskError, match=why):
            desk.set_priority(id_, wrong)
    with pytest.raises(Refused, match="has changed since"):
        desk.undo()
    assert desk.each("priority", [first, second], priority="low")[first] is None
    desk.undo()
    assert desk.job(first).priority == 50


def test_undo_own_leaves_what_others_did(desk: Desk, home: Path, clock: FakeClock) -> None:
    ids = [desk.submit("greet").id for _ in range(2)]
    app = Desk(home, clock=clock, actor=Actor("ada", "app", None, None, 43, "desk"))
    app.cancel(ids[0])
    desk.cancel(ids[1])
    assert app.undo(own=True).entry.jobs == (ids[0],)
    with pytest.raises(NotFound, match="nothing that was done here"):
        app.undo(own=True)
    app.close()


@pytest.mark.parametrize("when", ["before", "between", "never"])
def test_metrics_count_an_end_once_whatever_is_undone(desk: Desk, when: str) -> None:
    dead = fail_one(desk)
    if when == "before":
        folding.fold(desk.ledger, 1000)
    desk.retry(dead)
    if when == "between":
        folding.fold(desk.ledger, 1000)
    desk.undo()
    assert desk.metrics(hours=1)["failed"] == 1
    desk.delete(dead)
    desk.undo()
    assert desk.metrics(hours=1)["failed"] == 1
    desk.retry(dead)
    desk.undo()
    while folding.fold(desk.ledger, 1000).more:
        pass
    assert desk.metrics(hours=1)["failed"] == 1
    assert desk.ledger.rows("SELECT sum(failed) FROM minute") == [(1,)]


def test_clean_is_undone_whole(desk: Desk) -> None:
    ids = desk.submit_batch([Submission(type="greet") for _ in range(150)])
    desk.each("cancel", ids)
    desk.sync_queues()
    assert desk.clean("default", State.CANCELLED, desk.clock.now()) == 150
    assert desk.jobs("", limit=10).jobs == []
    assert desk.undo().jobs == 150
    assert [job.id for job in desk.jobs("", limit=200).jobs] == ids[::-1]
    with pytest.raises(JobdeskError):
        desk.undo(10_000)


@pytest.mark.parametrize("action", ["pause", "resume", "remove", "replace", "add"])
def test_what_schedules_were_told_is_undone(desk: Desk, clock: FakeClock, action: str) -> None:
    def rows() -> list[tuple[Any, ...]]:
        return desk.ledger.rows("SELECT * FROM schedule ORDER BY name")

    desk.add_schedule("daily", "greet", cron="@daily")
    if action == "resume":
        desk.pause_schedule("daily")
    clock.advance(3)
    before = rows()
    deeds: dict[str, Callable[[], object]] = {
        "pause": lambda: desk.pause_schedule("daily"),
        "resume": lambda: desk.resume_schedule("daily"),
        "remove": lambda: desk.remove_schedule("daily"),
        "replace": lambda: desk.add_schedule("daily", "greet", cron="@hourly", replace=True),
        "add": lambda: desk.add_schedule("other", "greet", cron="@hourly"),
    }
    deeds[action]()
    assert rows() != before
    clock.advance(3)
    desk.undo()
    assert rows() == before


def test_a_cancelled_flow_goes_on_when_that_is_undone(desk: Desk) -> None:
    first = desk.submit("greet")
    second = desk.submit("greet", after=[first.id])
    desk.cancel(first.id)
    assert desk.job(second.id).state == "cancelled"
    desk.undo()
    assert [desk.job(id_).state for id_ in (first.id, second.id)] == ["pending", "blocked"]
    desk.cancel(first.id)
    desk.retry(first.id)
    assert desk.job(second.id).state == "cancelled"
    with pytest.raises(Refused, match="has changed since"):
        desk.undo(desk.audit(action="cancel")[0].id)


def test_drop_folders_that_come_change_and_go_are_logged_and_undone(desk: Desk, tmp_path: Path) -> None:
    place = tmp_path / "scans"
    desk.add_folder(place, "VIRUS_SCAN", settle="1s")
    desk.set_folder(place, settle="5s")
    assert desk.audit()[0].action == "set" and "5s" in json.dumps(desk.audit()[0].after)
    desk.undo()
    assert desk.added_folder(place).settle_s == 1.0
    desk.remove_folder(place)
    assert not desk.is_added_folder(place)
    assert [one.action for one in desk.audit()][:2] == ["remove", "undo"]
    desk.undo()
    assert desk.added_folder(place).settle_s == 1.0


def test_an_undo_of_a_folder_that_was_changed_since_is_refused(desk: Desk, tmp_path: Path) -> None:
    place = tmp_path / "scans"
    desk.add_folder(place, "VIRUS_SCAN", settle="1s")
    (added,) = desk.audit()
    desk.remove_folder(place)
    desk.add_folder(place, "VIRUS_SCAN", settle="7s")
    with pytest.raises(Refused, match="folder"):
        desk.undo(desk.audit()[1].id)
    assert desk.added_folder(place).settle_s == 7.0
    assert added.target == f"folder {place}"
