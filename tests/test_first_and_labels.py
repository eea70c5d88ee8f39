"""What a submission may say besides: hold it, let it go first, call it something."""

from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import PayloadError, Refused
from jobdesk.core.submission import Submission
from tests.support.factory import started
from tests.support.home import make_home, said

PROCESSORS = """
from jobdesk import Context, processor

@processor("greet", isolation="thread")
def greet(ctx: Context, name: str = "Ada") -> str:
    "Greets."
    return f"hello {name}"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(make_home(tmp_path, PROCESSORS))


def test_it_is_held_from_the_start(desk: Desk) -> None:
    held = desk.submit("greet", hold=True)
    later = desk.submit("greet", hold=True, delay="1h")
    free = desk.submit("greet")
    assert held.held and later.held and not free.held
    assert started(desk) == [free.id]
    assert desk.run_now(later.id).held is False
    desk.release(held.id)
    assert set(started(desk)) == {held.id, later.id}


@pytest.mark.parametrize("aging", ["", '[desk]\naging = "1m"\n'])
def test_the_last_that_goes_first_goes_before_all_others(tmp_path: Path, aging: str) -> None:
    desk = Desk(make_home(tmp_path, PROCESSORS, aging))
    desk.sync_queues()
    urgent = desk.submit("greet", priority="urgent")
    other = desk.submit("greet", queue="other", priority="urgent")
    first = desk.submit("greet", immediate=True)
    last = desk.submit("greet", queue="other", immediate=True)
    low = desk.submit("greet", priority="low")
    assert (first.priority, last.priority) == (100, 100)
    assert started(desk) == [last.id, first.id, urgent.id, other.id, low.id]


def test_one_that_waits_can_be_put_first_and_back(desk: Desk) -> None:
    urgent, normal, third = desk.submit("greet", priority="urgent"), desk.submit("greet"), desk.submit("greet")
    desk.first(normal.id)
    desk.first(third.id)
    assert desk.set_priority(third.id, "low").priority == 25
    assert started(desk) == [normal.id, urgent.id, third.id]
    with pytest.raises(Refused, match="only a job that waits"):
        desk.first(normal.id)


def test_a_label_is_shown_and_found(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    named = said(home, "submit", "greet", "--label", "nightly  build", "--hold", "--json").json
    said(home, "submit", "greet")
    assert (named["label"], named["held"]) == ("nightly build", True)
    for query in ("label:nightly*", 'label:"Nightly build"'):
        assert [job["id"] for job in said(home, "jobs", "list", query, "--json").json] == [named["id"]]
    assert len(said(home, "jobs", "list", "-label:nightly*", "--json").json) == 1
    assert (
        "nightly build: " in said(home, "jobs", "list").out
        and "nightly build" in said(home, "jobs", "show", named["id"]).out
    )


def test_what_makes_no_sense_is_refused(desk: Desk) -> None:
    with pytest.raises(PayloadError, match="give one of them"):
        desk.submit("greet", immediate=True, priority="low")
    with pytest.raises(PayloadError, match="1 to 200 characters"):
        desk.submit("greet", label=" ")


def test_many_at_once_keep_their_order_whatever_they_say(desk: Desk) -> None:
    ids = desk.submit_batch(
        [
            Submission(type="greet"),
            Submission(type="greet", hold=True),
            Submission(type="greet", label="one"),
            Submission(type="greet", immediate=True),
        ]
    )
    assert started(desk) == [ids[3], ids[0], ids[2]]


def test_words_stay_text_where_text_is_wanted_or_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    words = ["source=/a.jpg", "processingType=validate", "userId=7", "user_id=8", "quality=80", "productId=null"]
    data = said(home, "submit", "file-processing", *words[:3], *words[4:], "--hold", "--json").json["data"]
    assert (data["user_id"], data["quality"], data["product_id"]) == ("7", 80, None)
    assert said(home, "submit", "file-processing", *words[:2], words[3], "--json").json["data"]["user_id"] == "8"
