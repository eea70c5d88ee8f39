"""Jobs that somebody holds: nothing starts them until they are released; they keep no key from others."""

from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import PayloadError, Refused
from jobdesk.core.job import State
from tests.support.factory import started
from tests.support.home import make_home

PROCESSORS = """
from jobdesk import Context, processor

@processor("greet", isolation="thread")
def greet(ctx: Context, name: str) -> str:
    "Greets."
    return f"hello {name}"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(make_home(tmp_path, PROCESSORS))


def test_a_held_job_waits_until_it_is_released(desk: Desk) -> None:
    first, second = (desk.submit("greet", {"name": name}).id for name in ("Ada", "Bob"))
    assert desk.hold(first).held
    assert "held" in desk.why(first)[0] or "holds it" in desk.why(first)[0]
    assert started(desk) == [second]
    assert not desk.release(first).held
    assert started(desk) == [first]


def test_a_held_job_keeps_its_key_from_nobody(desk: Desk) -> None:
    first, second = (desk.submit("greet", {"name": name}, concurrency_key="red").id for name in ("Ada", "Bob"))
    desk.hold(first)
    assert started(desk) == [second]
    desk.release(first)
    assert started(desk) == []  # the key is taken
    with desk.ledger.write() as tx:
        tx.run("UPDATE job SET state = 'completed', finished_at = ? WHERE id = ?", (tx.now, second))
    assert started(desk) == [first]


def test_a_job_may_be_held_before_its_time_and_run_now_lets_it_go(desk: Desk) -> None:
    id_ = desk.submit("greet", {"name": "Ada"}, delay="1h").id
    desk.hold(id_)
    assert desk.run_now(id_).state is State.PENDING
    assert started(desk) == [id_]


def test_what_runs_or_has_ended_is_not_held(desk: Desk) -> None:
    id_ = desk.submit("greet", {"name": "Ada"}).id
    assert started(desk) == [id_]
    with pytest.raises(Refused, match="is processing: only a job that waits can be held"):
        desk.hold(id_)


def test_holding_is_undone(desk: Desk) -> None:
    id_ = desk.submit("greet", {"name": "Ada"}).id
    desk.hold(id_)
    desk.undo()
    assert not desk.job(id_).held
    assert started(desk) == [id_]


def test_the_data_of_a_job_that_waits_is_changed_after_a_check(desk: Desk) -> None:
    id_ = desk.submit("greet", {"name": "Ada"}).id
    with pytest.raises(PayloadError, match="'nam' is not a parameter, did you mean 'name'"):
        desk.edit(id_, {"nam": "Eve"})
    assert desk.edit(id_, {"name": "Eve"}).data == {"name": "Eve"}
    desk.undo()
    assert desk.job(id_).data == {"name": "Ada"}
    assert started(desk) == [id_]
    with pytest.raises(Refused, match="runs already"):
        desk.edit(id_, {"name": "Eve"})
