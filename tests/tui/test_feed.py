"""The thread that reads for the screen: what nobody waits for any more holds up nothing."""

import threading
from collections.abc import Iterator

import pytest
from textual.message import Message

from jobdesk.desk import Desk
from jobdesk.tui.feed import Feed
from jobdesk.tui.messages import Answered, Trouble
from tests.support.home import until

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def posted() -> list[Message]:
    return []


@pytest.fixture
def feed(desk: Desk, posted: list[Message]) -> Iterator[Feed]:
    feed = Feed(desk, posted.append)
    feed.start()
    yield feed
    feed.stop()


def answers(posted: list[Message]) -> list[object]:
    return [one.answer for one in posted if isinstance(one, Answered)]


def test_a_read_that_nobody_waits_for_makes_way(desk: Desk, feed: Feed, posted: list[Message]) -> None:
    begun, wanted = threading.Event(), [True]

    def endless() -> object:
        begun.set()
        return desk.ledger.row(ENDLESS)

    feed.ask(endless, lambda _: None, lambda: wanted[0])
    assert begun.wait(60)
    feed.hurry()
    feed.ask(lambda: "next", lambda _: None)
    assert not answers(posted), "somebody waits for it still"
    wanted[0] = False

    def made_way() -> bool:
        feed.hurry()  # again, for it may just be about to begin
        return answers(posted) == ["next"]

    until(made_way)
    assert not [one for one in posted if isinstance(one, Trouble)]


def test_a_look_that_makes_way_is_repeated(desk: Desk, feed: Feed, posted: list[Message]) -> None:
    looks: list[int] = []

    def look() -> object:
        looks.append(len(looks))
        return desk.ledger.row(ENDLESS) if len(looks) == 1 else looks[-1]

    feed.lens("endless", look)
    until(lambda: looks)

    def repeated() -> bool:
        feed.hurry()
        return len(looks) > 1

    until(repeated)
    assert not [one for one in posted if isinstance(one, Trouble)]


def test_a_read_that_fails_says_so(desk: Desk, feed: Feed, posted: list[Message]) -> None:
    feed.ask(lambda: desk.ledger.row("SELECT * FROM nothing_of_that_name"), lambda _: None)
    until(lambda: [one for one in posted if isinstance(one, Trouble)])
