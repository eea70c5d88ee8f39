"""Drives the terminal app as a person would: presses keys, waits until the screen says something, reads it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from jobdesk.desk import Desk
from jobdesk.tui.app import JobdeskApp
from jobdesk.tui.widgets.job_table import JobTable

PATIENCE = 300
"""Pauses until a robot gives up; each lets the app handle what is due, and a little time pass."""


class Robot:
    """One open app. `watch_only` apps never start a consumer, so that what is on screen is what the test stored."""

    def __init__(self, app: JobdeskApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type into the field that has the focus."""
        await self.pilot.press(*text)

    @property
    def screen(self) -> str:
        """What a person sees, line by line, without trailing blanks."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def keys(self) -> str:
        """The line of keys."""
        return self.screen.splitlines()[-1]

    @property
    def table(self) -> JobTable:
        return self.app.main.jobs.table

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds; the failure shows the screen."""
        for _ in range(PATIENCE):
            await self.pilot.pause(0.01)
            if holds():
                return
        raise AssertionError(f"it never came to this: {what}\n{self.screen}")

    async def sees(self, *words: str) -> None:
        """Wait until all of these stand on the screen."""
        await self.until(lambda: all(word in self.screen for word in words), f"the screen shows {words}")

    async def sees_no(self, word: str) -> None:
        await self.until(lambda: word not in self.screen, f"the screen shows no {word!r}")

    async def jobs(self) -> None:
        """Go to the list of jobs, and wait until it is read."""
        await self.press("2")
        await self.until(lambda: self.app.main.open_view == "jobs" and self.table.loaded, "the list of jobs is read")

    async def filter(self, query: str) -> None:
        """Filter the list of jobs, and put the cursor back into it."""
        await self.press("slash")
        await self.until(
            lambda: self.app.main.open_view == "jobs" and self.app.focused is not None, "the filter is open"
        )
        await self.type(query)
        await self.until(lambda: str(self.table.query_asked) == query and self.table.loaded, f"the list shows {query}")
        await self.press("enter")


@asynccontextmanager
async def opened(
    desk: Desk, size: tuple[int, int] = (120, 40), *, read_only: bool = False, works: bool = False, ascii: bool = False
) -> AsyncIterator[Robot]:
    """An app on a desk; with `works` it hosts a consumer as it does for people."""
    app = JobdeskApp(desk, read_only=read_only, ascii=ascii)
    app.patience_s = 60.0  # however slow this machine is
    if not works:
        app.host.eager = False
    app.snapshot = app.feed.read(rates=False)
    async with app.run_test(size=size, notifications=True) as pilot:
        robot = Robot(app, pilot)
        await robot.until(lambda: " help" in robot.keys, "it is open")
        yield robot
        app.exit()
