"""What is wrong stands on top of every screen, until it is over or somebody knows."""

from jobdesk.core.alert import Reading, Severity
from jobdesk.desk import Desk
from jobdesk.ledger import alerts
from tests.support.robot import opened
from tests.support.watching import rule


async def test_alerts_stand_in_the_top_line_until_somebody_knows(busy_desk: Desk) -> None:
    async with opened(busy_desk, (120, 40)) as robot:
        await robot.sees("IMAGE_RESIZE")
        assert " alert" not in robot.screen.splitlines()[0]
        readings = [Reading(queue, 5.0, f"5 jobs of queue {queue} wait", queue) for queue in ("a", "b")]
        with busy_desk.ledger.write() as tx:
            alerts.take_down(tx, [rule("queue_depth", severity=Severity.ERROR)], {"r": readings}, 15.0)
        await robot.until(lambda: "2 alerts" in robot.screen.splitlines()[0], "two alerts are on top")
        busy_desk.acknowledge(1)
        await robot.until(lambda: "1 alert " in robot.screen.splitlines()[0], "one is left")
        with busy_desk.ledger.write() as tx:
            alerts.silence(tx, "r", "", tx.now + 60, "ada")
        await robot.until(lambda: " alert" not in robot.screen.splitlines()[0], "none is left")
