"""Of several slow reads beside the screen only the latest is made to its end and told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Queue
from threading import Event
from typing import Any

import pytest

from jobdesk.core.errors import LedgerError
from jobdesk.desk import Desk
from jobdesk.tui.latest import Latest

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


class Beside:
    """One thread that reads, and what it has told since."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)
        self.told: Queue[object] = Queue()

    def __call__(self, work: Callable[[], Any], deliver: Callable[[Any], None]) -> None:
        def guarded() -> None:
            try:
                deliver(work())
            except LedgerError as error:
                self.told.put(str(error))

        self.pool.submit(guarded)


@pytest.fixture
def beside(desk: Desk) -> Beside:
    return Beside()


def test_a_read_that_nobody_waits_for_is_ended_and_not_told(desk: Desk, beside: Beside) -> None:
    latest, begun, over = Latest(desk.ledger), Event(), Event()

    def endless() -> object:
        begun.set()
        try:
            return desk.ledger.rows(ENDLESS)
        finally:
            over.set()

    latest.read(beside, endless, beside.told.put)
    assert begun.wait(60)
    while not over.wait(0.01):  # its statement may not have begun yet
        latest.stop()
    latest.read(beside, lambda: "second", beside.told.put)
    assert beside.told.get(timeout=60) == "second"
    beside.pool.shutdown()
    assert beside.told.empty()


def test_those_that_have_not_begun_are_left_out(desk: Desk, beside: Beside) -> None:
    latest, gate, read = Latest(desk.ledger), Event(), list[int]()
    beside.pool.submit(gate.wait, 60)

    def noted(number: int) -> int:
        read.append(number)
        return number

    for number in range(5):
        latest.read(beside, partial(noted, number), beside.told.put)
    gate.set()
    beside.pool.shutdown()
    assert read == [4]
    assert [beside.told.get(), beside.told.empty()] == [4, True]


def test_an_error_of_the_latest_is_told(desk: Desk, beside: Beside) -> None:
    Latest(desk.ledger).read(beside, lambda: desk.ledger.rows("SELECT x FROM nowhere"), beside.told.put)
    assert "nowhere" in str(beside.told.get(timeout=60))
    beside.pool.shutdown()
