"""One job on a screen of its own."""

from textual import on
from textual.app import ComposeResult

from jobdesk.tui.actions import Scene
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.screens.main import Frame, top_parts
from jobdesk.tui.widgets.job_view import JobView
from jobdesk.tui.widgets.key_line import KeyLine
from jobdesk.tui.widgets.top_line import TopLine


class JobScreen(Frame):
    """One job, full screen; esc goes back."""

    LENS = "job"

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self._job_id = job_id

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield JobView(self.LENS, id="job")
        yield KeyLine()

    def on_mount(self) -> None:
        self.job_view.tell(self._job_id)

    def on_unmount(self) -> None:
        self.desk_app.feed.lens(self.LENS, None)

    @property
    def job_view(self) -> JobView:
        return self.query_one(JobView)

    @property
    def scene(self) -> Scene:
        view = self.job_view
        app = self.desk_app
        return Scene(
            view="job",
            selection=app.judged(view.selection),
            read_only=app.host.watch_only,
            page=view.page,
            typing=self.typing,
        )

    def show(self, snapshot: Snapshot) -> None:
        if not self.query(KeyLine):
            return  # it is being closed
        app = self.desk_app
        self.query_one(TopLine).show(app.place, top_parts(snapshot, app.host, app), app.clock_text)
        view = self.job_view
        if self.LENS in snapshot.lenses:
            view.take(snapshot.lenses[self.LENS])
        view.redraw()

    @on(JobView.Told)
    def _told(self) -> None:
        self.scene_changed()

    @on(JobView.Wanted)
    def _wanted(self, event: JobView.Wanted) -> None:
        self.desk_app.open_job(event.job_id)
