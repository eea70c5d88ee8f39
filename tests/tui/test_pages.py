"""The first rows of a list come before it is known how long it is; its pages are the right ones all the same."""

import pytest

from jobdesk.core.query import parse
from jobdesk.ledger.database import Ledger
from jobdesk.tui.pages import PAGE, Pages
from tests.support.clock import FakeClock
from tests.support.factory import submit


@pytest.fixture
def many(ledger: Ledger) -> int:
    """So many mails, each between two other jobs."""
    count = 2 * PAGE + 40
    for number in range(count):
        submit(ledger, type="email", data={"number": str(number)})
        submit(ledger, type="video", data={"number": str(number)})
    return count


def test_rows_first_and_then_how_many(ledger: Ledger, clock: FakeClock, many: int) -> None:
    pages = Pages(ledger, clock, parse("type:email"))
    top = pages.first(PAGE)
    assert len(top.lines) == PAGE and (top.total, top.exact) == (PAGE, False)
    assert pages.length() == (many, True)
    assert [len(pages.page(number)) for number in (0, 2, 1, 3)] == [PAGE, 40, PAGE, 0]
    seen = [line.seq for number in range(3) for line in pages.page(number)]
    assert seen == sorted(set(seen), reverse=True) and len(seen) == many


def test_what_counters_know_is_known_at_once(ledger: Ledger, clock: FakeClock, many: int) -> None:
    top = Pages(ledger, clock, parse("state:pending")).first(PAGE)
    assert (top.total, top.exact) == (2 * many, True)


def test_a_list_of_one_page_is_as_long_as_that(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger, type="email")
    top = Pages(ledger, clock, parse("type:email")).first(PAGE)
    assert (top.total, top.exact) == (1, True)
