"""What the timeline of a job calls what happened to it."""

from jobdesk.desk import Desk
from tests.support.robot import opened


async def test_what_was_undone_is_not_called_a_failure(desk: Desk) -> None:
    job = desk.submit("command", {"argv": ["true"]}, delay="1h")
    desk.cancel(job.id)
    desk.undo(own=True)
    async with opened(desk) as robot:
        await robot.jobs()
        await robot.press("enter")
        await robot.sees("Timeline", "cancelled", "waits again", "undone by")
        assert "will retry" not in robot.screen
