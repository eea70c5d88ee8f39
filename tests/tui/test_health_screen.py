"""The seventh screen: checks, alerts, services and consumers, and what its keys do."""

import pytest

from jobdesk.core.breaker import BreakerState
from jobdesk.desk import Desk
from jobdesk.monitoring.alerter import Alerter
from jobdesk.tui.widgets.listing import Listing
from tests.support.clock import FakeClock
from tests.support.robot import Robot, opened

SIZES = [(80, 24), (120, 40), (200, 60)]
SETTINGS = """
[services.billing]
url = "http://127.0.0.1:9/v1"
[alerts.rules.any-failed]
query = "state:failed"
above = 0
"""


@pytest.fixture
def alarmed(busy_desk: Desk, clock: FakeClock) -> Desk:
    """A busy desk on which the rules of alerts were looked at."""
    alerter = Alerter(busy_desk.ledger, clock, busy_desk.alert_watch, lambda: None)
    alerter.look(busy_desk.alert_watch(), at_once=True)
    return busy_desk


@pytest.mark.parametrize("size", SIZES)
async def test_it_says_what_is_wrong_first_and_why(alarmed: Desk, size: tuple[int, int]) -> None:
    async with opened(alarmed, size) as robot:
        await robot.press("7")
        await robot.sees("queues", "active", "any-failed", "2 jobs match")


async def go_down_to(robot: Robot, name: str, kind: str | None = None) -> None:
    """Down until this row is chosen."""
    listing = robot.app.main.view.first_focus()
    assert isinstance(listing, Listing)

    def is_there() -> bool:
        return getattr(listing.value, "name", "") == name and kind in (None, getattr(listing.value, "kind", ""))

    for _ in listing.items:
        if is_there():
            break
        await robot.press("down")
    assert is_there(), f"no row is {name}"


async def test_every_check_is_a_row_with_a_page(desk: Desk) -> None:
    async with opened(desk, (200, 60)) as robot:
        await robot.press("7")
        await robot.sees("database", "disk", "memory", "settings", "billing", "Jobs a minute", "How long jobs ran")


async def test_what_a_check_counts_is_told_in_words(alarmed: Desk) -> None:
    async with opened(alarmed, (120, 40)) as robot:
        await robot.press("7")
        await robot.sees("queues")
        await go_down_to(robot, "queues")
        await robot.sees("completed last hour")
        assert "LastHour" not in robot.screen


async def test_the_check_of_alerts_tells_each_once_and_in_words(alarmed: Desk) -> None:
    async with opened(alarmed, (120, 40)) as robot:
        await robot.press("7")
        await robot.sees("any-failed")
        await robot.press("home")
        await robot.sees("alert 1, any-failed")
        assert "raised at" not in robot.screen


async def test_an_alert_is_acknowledged_and_its_rule_silenced(alarmed: Desk) -> None:
    async with opened(alarmed, (120, 40)) as robot:
        await robot.press("7")
        await robot.sees("any-failed")
        await robot.press("home")
        await go_down_to(robot, "any-failed", "alert")
        await robot.sees("threshold")
        await robot.press("A")
        await robot.until(
            lambda: any(one.rule == "any-failed" and one.acked_at for one in alarmed.alerts()), "it is acknowledged"
        )
        await robot.press("L")
        await robot.until(lambda: ("any-failed", "jobs") in alarmed.silences(), "it is silent")


async def test_a_service_is_held_open_and_closed_again(desk: Desk) -> None:
    async with opened(desk, (120, 40)) as robot:
        await robot.press("7")
        await robot.sees("billing")
        await go_down_to(robot, "billing")
        await robot.sees("http://127.0.0.1:9/v1")
        await robot.press("p")
        await robot.until(lambda: desk.service("billing").state is BreakerState.OPEN, "nothing calls it")


async def test_with_ascii_the_charts_too_are_plain(alarmed: Desk) -> None:
    async with opened(alarmed, (160, 50), ascii=True) as robot:
        await robot.press("7")
        await robot.sees("Jobs a minute")
        await robot.until(lambda: robot.screen.strip().isascii(), "nothing beyond seven bits is drawn")


async def test_too_small_for_charts_it_shows_none(alarmed: Desk) -> None:
    async with opened(alarmed, (80, 24)) as robot:
        await robot.press("7")
        await robot.sees("queues")
        assert "Jobs a minute" not in robot.screen
