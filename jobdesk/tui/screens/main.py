"""The frame: top line, tabs, the open screen, the line of keys."""

from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from jobdesk.tui.actions import Scene
from jobdesk.tui.format import Span, brief, number
from jobdesk.tui.host import Host, who_works
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.screens.overview import Overview
from jobdesk.tui.selection import Selection
from jobdesk.tui.widgets.key_line import KeyLine
from jobdesk.tui.widgets.listing import Listing
from jobdesk.tui.widgets.top_line import TabLine, TopLine

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp
    from jobdesk.tui.screens.dead import Dead
    from jobdesk.tui.screens.flows import Flows
    from jobdesk.tui.screens.folders import Folders
    from jobdesk.tui.screens.health import Health
    from jobdesk.tui.screens.jobs import Jobs
    from jobdesk.tui.screens.schedules import Schedules
    from jobdesk.tui.widgets.job_view import JobView

    View: TypeAlias = Overview | Jobs | Dead | Flows | Schedules | Folders | Health

DRAWER_FROM = 120
"""Columns from which an opened job stands beside the table."""
TABS = (
    ("overview", "Overview"), ("jobs", "Jobs"), ("dead", "Dead letters"), ("flows", "Flows"),
    ("schedules", "Schedules"), ("folders", "Folders"), ("health", "Health"),
)  # fmt: skip


class Frame(Screen[None]):
    """What every full screen has: a line on top and a line of keys."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (15, "-short"), (34, "-tall")]

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As that of `Screen`, but a focus that moves repaints the two widgets, not everything."""

    def fit(self, size: Size) -> None:
        """Take the classes of this size, which Textual gives it after it has laid everything out for no size."""
        for length, steps in ((size.width, self.HORIZONTAL_BREAKPOINTS), (size.height, self.VERTICAL_BREAKPOINTS)):
            self.add_class(max(step for step in steps if step[0] <= length)[1])

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    @property
    def scene(self) -> Scene:
        """Where an action would happen now."""
        raise NotImplementedError

    @property
    def typing(self) -> str:
        """The field that keys go to."""
        return "" if not isinstance(self.focused, Input) else "find" if self.focused.id == "find" else "filter"

    def show(self, snapshot: Snapshot) -> None:
        """Bring everything in line with the snapshot."""
        raise NotImplementedError

    def scene_changed(self) -> None:
        """Write the line of keys anew."""
        for keys in self.query(KeyLine):
            keys.show(self.scene)

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.desk_app.show_snapshot()

    def watch_focused(self) -> None:
        if self.is_mounted:
            self.scene_changed()


class Main(Frame):
    """The screens that the tabs show; each is imported and made when it is first opened, so that the app opens fast."""

    open_view = "overview"

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield TabLine(TABS)
        with Container(id="views"):
            yield self._make("overview")
        yield KeyLine()

    def on_mount(self) -> None:
        self.show(self.desk_app.snapshot)  # before the first frame, so that there are rows in it
        self.view.first_focus().focus()

    def __init__(self) -> None:
        super().__init__()
        self._views: dict[str, View] = {}

    def _make(self, name: str) -> "View":
        module = import_module(f"jobdesk.tui.screens.{name}")
        self._views[name] = getattr(module, name.capitalize())(id=name)
        return self._views[name]

    @property
    def view(self) -> "View":
        """The open screen."""
        return self._views[self.open_view]

    @property
    def jobs(self) -> "Jobs":
        """The list of jobs, which has been opened before."""
        return cast("Jobs", self._views["jobs"])

    @property
    def made_jobs(self) -> "Jobs | None":
        """The list of jobs, if it has been opened before."""
        return self.jobs if "jobs" in self._views else None

    @property
    def open_jobs(self) -> "Jobs | None":
        """The list of jobs, if that is the open screen."""
        return self.jobs if self.open_view == "jobs" else None

    async def go(self, view: str) -> None:
        """Open a screen by its id."""
        if view != self.open_view:
            self.view.display = False
            if view not in self._views:
                await self.query_one("#views").mount(self._make(view))
            self.open_view = view
            self.view.display = True
            self.desk_app.look_through(self.view.LENS, self.view.read)
        if self.focused is None or self.view not in self.focused.ancestors:
            self.view.first_focus().focus()
        self.desk_app.show_snapshot()
        self.scene_changed()
        self.desk_app.viewed()

    def knows(self, view: str) -> bool:
        """Whether there is such a screen."""
        return any(view == id_ for id_, _ in TABS)

    @property
    def scene(self) -> Scene:
        jobs = self.open_jobs
        table = None if jobs is None else jobs.table
        selection = self.view.selection
        if selection.queue is not None:
            paused = {queue.name for queue in self.desk_app.snapshot.queues if queue.paused_at is not None}
            if (selection.queue in paused) != selection.paused:
                selection = Selection(
                    selection.jobs, selection.query, selection.count, selection.exact, selection.queue,
                    selection.queue in paused, selection.marked,
                )  # fmt: skip
        return Scene(
            view=self.open_view,
            selection=self.desk_app.judged(selection),
            read_only=self.desk_app.host.watch_only,
            typing=self.typing,
            marking=table is not None and table.marks.any,
            drawer=jobs is not None and jobs.drawer_open,
            page=jobs.drawer.page if jobs is not None and jobs.drawer_open and jobs.drawer.has_page_focus else "",
            filtered=table is not None and bool(table.query_asked),
        )

    def show(self, snapshot: Snapshot) -> None:
        app = self.desk_app
        now = app.desk.clock.now()
        self.query_one(TopLine).show(app.place, top_parts(snapshot, app.host, app), app.clock_text)
        counts: dict[str, Span] = {}
        total = sum(sum(queue.counts.values()) for queue in snapshot.queues)
        if total:
            counts["jobs"] = (brief(total), "muted")
        dead = sum(queue.dead for queue in snapshot.queues)
        if dead:
            counts["dead"] = (brief(dead), "bad")
        self.query_one(TabLine).show(self.open_view, counts)
        self.view.show(snapshot, now, app.glyphs, app.hint)
        self.scene_changed()

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.scene_changed()

    @on(Listing.Opened)
    def _opened(self) -> None:
        self.app.call_later(self.desk_app.do, "open")

    def on_job_table_opened(self) -> None:
        self.app.call_later(self.desk_app.do, "open")

    def on_job_view_told(self) -> None:
        self.scene_changed()

    def on_job_view_wanted(self, event: "JobView.Wanted") -> None:
        self.desk_app.open_job(event.job_id)

    def on_resize(self) -> None:
        if self.size.width < DRAWER_FROM and self.made_jobs is not None:
            self.made_jobs.close_drawer()


def top_parts(snapshot: Snapshot, host: Host, app: "JobdeskApp") -> tuple[tuple[int, Span], ...]:
    """Who works, how busy, how fast, what fails; with the rank by which they give way."""
    glyphs = app.glyphs
    kind, words = who_works(snapshot.workers, host)
    sign, tone = {
        "here": (glyphs.working, "ok"), "other": (glyphs.watching, "title"),
        "starting": (glyphs.nobody, "muted"), "nobody": (glyphs.nobody, "warn"),
    }[kind]  # fmt: skip
    if host.watch_only:
        words = f"read-only, {words.removeprefix('watching ')}"  # one part: it is the last to give way
    parts: list[tuple[int, Span]] = [(0, (f"{sign} {words}", tone))]
    total = sum(one.workers for one in snapshot.workers)
    if total:
        parts.append((1, (f"{snapshot.busy}/{total} busy", "text" if snapshot.busy else "muted")))
    rates = snapshot.rates
    if rates.last_minute:
        parts.append((3, (f"{number(rates.last_minute)}/min", "text")))
    if rates.failed_share is not None and rates.failed:
        share = rates.failed_share * 100
        parts.append(
            (4, (f"{share:.1f}% failed" if share < 10 else f"{share:.0f}% failed", "bad" if share >= 5 else "muted"))
        )
    alerts, error = snapshot.alerts
    if alerts:
        said = f"{glyphs.alert} {alerts} alert{'s' * (alerts > 1)}"
        parts.append((1, (said, "bad" if error else "warn")))
    paused = sum(queue.paused_at is not None for queue in snapshot.queues)
    if paused:
        parts.append((2, (f"{glyphs.paused} {paused} paused", "warn")))
    return tuple(parts)
