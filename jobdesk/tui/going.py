"""Going from screen to screen, opening and coming back."""

from jobdesk.ledger.glance import ErrorGroup
from jobdesk.tui.actions import Scene
from jobdesk.tui.living import DeskApp
from jobdesk.tui.overview_rows import group_query
from jobdesk.tui.screens.jobs import DRAWER_FROM, Jobs
from jobdesk.tui.screens.main import JobScreen, Main


class Going(DeskApp):
    """The part of the app that moves."""

    def go(self, view: str) -> None:
        """Open a screen by its id."""
        while not isinstance(self.screen, Main):
            self.pop_screen()
        self.call_later(self.main.go, view)

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
        self.call_later(opened)

    def open(self, scene: Scene) -> None:
        """Open what is under the cursor."""
        view, focused = self.main.view, self.screen.focused
        if isinstance(view, Jobs):
            self._open_job(view)
            return
        value = getattr(focused, "value", None)
        if value == "rejected":
            self.go("folders")
            return
        if isinstance(value, ErrorGroup):
            self.call_later(self.go_filtered, group_query(value))
        elif scene.view in ("dead", "flows"):
            self.call_later(self.go_filtered, scene.selection.query or "")
        elif scene.selection.schedule is not None:
            self.call_later(self.go_filtered, f"schedule:{scene.selection.schedule}")
        elif isinstance(value, dict) and value.get("job"):
            self.push_screen(JobScreen(value["job"]))
        elif scene.selection.one is not None:
            self.push_screen(JobScreen(scene.selection.one.id))
        elif scene.selection.queue is not None:
            self.call_later(self.go_filtered, f"queue:{scene.selection.queue}")

    def _open_job(self, jobs: Jobs) -> None:
        line = jobs.table.current
        if line is None:
            return
        if self.size.width < DRAWER_FROM:
            self.push_screen(JobScreen(line.id))
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
