"""Going from screen to screen, opening and coming back."""

from typing import TYPE_CHECKING

from jobdesk.ledger.glance import ErrorGroup
from jobdesk.tui.actions import Scene
from jobdesk.tui.overview_rows import group_query
from jobdesk.tui.screens.main import DRAWER_FROM, Main
from jobdesk.tui.watching import Watching

if TYPE_CHECKING:
    from jobdesk.tui.screens.jobs import Jobs


class Going(Watching):
    """The part of the app that moves."""

    def go(self, view: str) -> None:
        """Open a screen by its id."""
        while not isinstance(self.screen, Main):
            self.pop_screen()
        self.open_with(lambda: self.main.go(view))

    def open_job(self, id_: str) -> None:
        """Show a job on a screen of its own."""
        from jobdesk.tui.screens.job import JobScreen

        self.push_screen(JobScreen(id_))

    async def go_filtered(self, query: str) -> None:
        """Open the list of jobs with this filter."""
        await self.main.go("jobs")
        self.main.jobs.filter(query)
        self.main.jobs.table.focus()

    def open_filter(self) -> None:
        """Put the cursor into the filter of the list of jobs."""

        async def opened() -> None:
            await self.main.go("jobs")
            self.main.jobs.open_filter()

        while not isinstance(self.screen, Main):
            self.pop_screen()
        self.open_with(opened)

    def open(self, scene: Scene) -> None:
        """Open what is under the cursor."""
        jobs, focused = self.main.open_jobs, self.screen.focused
        if jobs is not None:
            self._open_line(jobs)
            return
        value = getattr(focused, "value", None)
        if value == "rejected":
            self.go("folders")
            return
        if scene.selection.alert is not None:
            self.show_alerts(scene.selection.alert)
        elif isinstance(value, ErrorGroup):
            self.open_with(lambda: self.go_filtered(group_query(value)))
        elif scene.view in ("dead", "flows"):
            self.open_with(lambda: self.go_filtered(scene.selection.query or ""))
        elif scene.selection.schedule is not None:
            self.open_with(lambda: self.go_filtered(f"schedule:{scene.selection.schedule}"))
        elif isinstance(value, dict) and value.get("job"):
            self.open_job(value["job"])
        elif scene.selection.one is not None:
            self.open_job(scene.selection.one.id)
        elif scene.selection.queue is not None:
            self.open_with(lambda: self.go_filtered(f"queue:{scene.selection.queue}"))

    def _open_line(self, jobs: "Jobs") -> None:
        line = jobs.table.current
        if line is None:
            return
        if self.size.width < DRAWER_FROM:
            self.open_job(line.id)
        elif jobs.drawer_open:
            jobs.drawer.focus_page()
        else:
            jobs.open_drawer(line.id)

    def back(self, scene: Scene) -> None:
        """One step back: a job's screen, a range, the drawer, the marks, the filter."""
        if scene.view == "job":
            self.pop_screen()
            self.show_snapshot()
            return
        jobs = self.main.jobs
        table = jobs.table
        if table.marks.range_from is not None:
            table.marks.range_from = None
            table.refresh()
        elif jobs.drawer_open:
            jobs.close_drawer()
        elif table.marks.any:
            table.do_clear()
        else:
            jobs.filter("")
        self.scene_changed()

    def table(self, what: str) -> None:
        """Marking and following, in the list of jobs."""
        table = self.main.jobs.table
        {"mark": table.do_mark, "follow": table.do_follow, "range": table.do_range, "all": table.do_all,
         "clear": table.do_clear, "reverse": table.do_reverse}[what]()  # fmt: skip
