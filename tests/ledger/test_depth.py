"""How full queues were, minute by minute."""

from pathlib import Path

import pytest

from jobdesk.ledger import depth
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.depth import KEPT_S, Depths
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit

START = 1_800_000_000.0  # a whole minute


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "jobdesk.db", FakeClock(START))


def test_a_minute_keeps_the_most_that_any_look_saw(ledger: Ledger) -> None:
    looks, other = Depths(ledger), Depths(ledger)
    for _ in range(3):
        submit(ledger, queue="a")
    submit(ledger, queue="b")
    looks.look(START)
    claim(ledger)
    other.look(START + 20)  # another consumer
    looks.look(START + 70)
    first = int(START // 60)
    assert sorted(depth.minutes(ledger, START + 70, 60)) == [
        (first, "a", 3), (first, "b", 1), (first + 1, "a", 2), (first + 1, "b", 1),
    ]  # fmt: skip
    assert depth.minutes(ledger, START + 70, 1) == [(first + 1, "a", 2), (first + 1, "b", 1)]


def test_nothing_is_written_while_nothing_waits_or_changes(ledger: Ledger) -> None:
    looks = Depths(ledger)
    looks.look(START)
    assert depth.minutes(ledger, START, 60) == []
    submit(ledger, queue="a")
    looks.look(START + 10)
    with ledger.write() as tx:
        tx.run("UPDATE depth SET most = 7")
    looks.look(START + 20)
    assert [most for _, _, most in depth.minutes(ledger, START + 20, 60)] == [7]


def test_old_minutes_are_forgotten(ledger: Ledger) -> None:
    submit(ledger, queue="a")
    Depths(ledger).look(START)
    later = START + KEPT_S + 120
    Depths(ledger).look(later)
    assert depth.minutes(ledger, later, 2 * KEPT_S) == [(int(later // 60), "a", 1)]
