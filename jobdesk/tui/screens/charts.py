"""The charts of the last hour, all four, as large as there is room."""

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Vertical

from jobdesk.tui import course
from jobdesk.tui.course import CHARTS, EVERY_S, Course, drawings
from jobdesk.tui.drawings import MINUTES
from jobdesk.tui.overview_rows import span_of
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.charts import Chart
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import retitle

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


class Charts(Dialog[None]):
    """Drawn anew every few seconds; esc closes."""

    BINDINGS = [Binding("escape,q,d", "close", show=False)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (15, "-short")]

    _course = Course()

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            with Grid():
                for name in CHARTS:
                    yield Chart(id=name)
            yield Foot()

    def on_mount(self) -> None:
        self.query_one(Foot).show([("escape", "close")])
        self._read()
        self.set_interval(EVERY_S, self._read)

    def _read(self) -> None:
        app = self.desk_app
        app.feed.ask(lambda: course.read(app.desk), self._know)

    def _know(self, known: Course) -> None:
        self._course = known
        if self.is_attached:
            self._show()

    def _show(self) -> None:
        app = self.desk_app
        span = span_of(app.snapshot.rates)
        retitle(self.query_one(".dialog"), "The last hour" if span == MINUTES else f"The last {span} minutes")
        for name, drawing in drawings(self._course, app.snapshot, app.clock.now()).items():
            self.query_one(f"#{name}", Chart).show(drawing)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def action_close(self) -> None:
        self.dismiss(None)
