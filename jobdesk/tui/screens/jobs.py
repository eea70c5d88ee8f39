"""The list of jobs: filter on top, table, and the open job in a drawer where there is room for one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input

from jobdesk.core.errors import QueryError
from jobdesk.core.query import Query, parse
from jobdesk.ledger.sorting import Order
from jobdesk.tui.format import number
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.selection import NOTHING, Selection, of_line
from jobdesk.tui.widgets.filter_bar import FilterBar
from jobdesk.tui.widgets.job_table import JobTable
from jobdesk.tui.widgets.job_view import JobView
from jobdesk.tui.widgets.lines import retitle

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_TYPING_S = 0.02
"""How long a pause in typing is before the list is read anew."""


class Jobs(Container):
    """The second screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "turn(1)", show=False),
        Binding("left,h", "turn(-1)", show=False),
    ]
    LENS, DRAWER_LENS = "table", "drawer"

    _typing: Timer | None = None
    _telling = False
    _noted: Order | None = None
    """The order that the app was told of, which remembers it."""

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="list"):
                yield FilterBar()
                yield JobTable(id="table")
            yield JobView(self.DRAWER_LENS, id="drawer")

    def on_mount(self) -> None:
        self.query_one(JobTable).show(Query())

    @property
    def table(self) -> JobTable:
        return self.query_one(JobTable)

    @property
    def drawer(self) -> JobView:
        return self.query_one("#drawer", JobView)

    @property
    def drawer_open(self) -> bool:
        return self.has_class("-drawer")

    @property
    def read(self) -> Callable[[], object]:
        """For the feed."""
        return self.table.look

    def first_focus(self) -> JobTable:
        return self.table

    # ── filtering ──

    def open_filter(self) -> None:
        """Put the cursor into the filter."""
        self.query_one(FilterBar).open()

    def filter(self, text: str) -> None:
        """Show what matches; a query that cannot be read leaves the list as it is and says why."""
        bar = self.query_one(FilterBar)
        bar.set(text)
        self._apply(text)
        self.desk_app.viewed()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_S, lambda: self._apply(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._typing is not None:
            self._typing.stop()
        self._apply(event.value)
        self.query_one(FilterBar).close_empty()
        self.table.focus()
        self.desk_app.viewed()

    @on(FilterBar.Left)
    def _left(self) -> None:
        self.table.focus()

    def _apply(self, text: str) -> None:
        bar = self.query_one(FilterBar)
        try:
            query = parse(text)
        except QueryError as error:
            before = bar.wrong(error)
            if before is None:
                return
            try:
                query = parse(before)
            except QueryError:
                return
        else:
            bar.right()
        if query != self.table.query_asked:
            self.table.show(query)

    # ── what it shows ──

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        """Bring table and drawer in line with the snapshot."""
        self.table.take(snapshot.lenses.get(self.LENS))
        if self.drawer_open and self.DRAWER_LENS in snapshot.lenses:
            self.drawer.take(snapshot.lenses[self.DRAWER_LENS])
            self.drawer.redraw()
        self._titles(glyphs, hint)

    def _titles(self, glyphs: Glyphs, hint: str) -> None:
        table, bar = self.table, self.query_one(FilterBar)
        count = number(table.total) if table.exact else f"at least {number(table.total)}"
        bar.counted(f"{count} job{'' if table.total == 1 else 's'}" if table.loaded else "")
        said = []
        if table.marks.everything:
            said.append(f"{glyphs.marked} all that match are marked")
        elif table.marks.range_from is not None:
            said.append(f"{glyphs.marked} range: v or space marks it")
        elif len(table.marks):
            said.append(f"{glyphs.marked} {number(len(table.marks))} marked")
        if table.sorting:
            said.append(f"sorting{glyphs.more}")
        elif table.order is not None:
            said.append(f"by {table.order.key} {glyphs.below if table.order.descending else glyphs.new}")
        if table.following:
            said.append("following")
        elif table.newer > 0:
            said.append(f"{glyphs.new} {number(table.newer)} new {glyphs.dot} f")
        elif table.newer < 0:
            said.append(f"{glyphs.new} changed {glyphs.dot} f")
        retitle(table, f"Jobs {glyphs.dot} {count}" if table.loaded else "Jobs", f"  {glyphs.dot}  ".join(said))
        table.when_empty(hint if not table.query_asked else "No job matches this filter. Press esc to clear it.")

    @on(JobTable.Changed)
    def _changed(self) -> None:
        line = self.table.current
        if self.drawer_open and line is not None:
            self.drawer.tell(line.id)
        if not self.table.marks.any and not self.table.total:
            self.close_drawer()
        if not self._telling:  # once, however many keys came at once
            self._telling = True
            self.app.call_later(self._tell)

    def _tell(self) -> None:
        self._telling = False
        if self.table.order != self._noted:
            self._noted = self.table.order
            self.desk_app.viewed()
        self._titles(self.desk_app.glyphs, self.desk_app.hint)
        self.desk_app.scene_changed()

    def open_drawer(self, job_id: str) -> None:
        """Show the job beside the table."""
        self.add_class("-drawer")
        self.divide(self.desk_app.remembered.split)
        self.drawer.tell(job_id)

    def divide(self, percent: int) -> None:
        """Give the open job so much of the width."""
        self.drawer.styles.width = f"{percent}%"

    def action_turn(self, by: int) -> None:
        """Another page of the open job, while the cursor stays in the table."""
        if self.drawer_open:
            self.drawer.action_turn(by)

    def close_drawer(self) -> None:
        """Give the table the whole width again."""
        if self.drawer_open:
            self.drawer.stop()
            self.remove_class("-drawer")
            self.table.focus()

    @property
    def selection(self) -> Selection:
        """The marked jobs, else the one under the cursor (or in the drawer, if that has the focus)."""
        if self.drawer_open and self.screen.focused is not None and self.drawer in self.screen.focused.ancestors:
            return self.drawer.selection
        table = self.table
        if table.marks.everything:
            return Selection(query=str(table.query_asked), count=table.matching, exact=table.exact, marked=True)
        if len(table.marks):
            return Selection(jobs=tuple(of_line(line) for line in table.marks.lines), marked=True)
        line = table.current
        return NOTHING if line is None else Selection(jobs=(of_line(line),), queue=line.queue)
