"""The first screen: what runs, what waits, what went wrong, at one glance."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from jobdesk.core.alert import Alert
from jobdesk.core.job import Job
from jobdesk.core.subject import subject
from jobdesk.ledger.glance import ErrorGroup
from jobdesk.ledger.reads import Queue
from jobdesk.tui.activity import MINUTES
from jobdesk.tui.columns import Column
from jobdesk.tui.format import number
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.overview_rows import (
    LATELY,
    Glance,
    OverviewReader,
    end_item,
    group_query,
    hour,
    needs_items,
    queue_item,
    run_item,
    span_of,
    telling,
)
from jobdesk.tui.selection import NOTHING, Selection, of_job
from jobdesk.tui.widgets.lines import Lines, retitle
from jobdesk.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_QUEUES = (
    Column("queue", "queue", 21, grow=1, most=48),
    Column("ready", "ready", 5, rank=1, align=">"),
    Column("run", "run", 3, rank=2, align=">"),
    Column("later", "later", 5, rank=4, align=">"),
    Column("dead", "dead", 4, rank=3, align=">", grow=1, most=5),
    Column("p95", "p95", 5, rank=5, align=">"),
    Column("lately", f"last {LATELY}m", LATELY, rank=6),
)
_RUNS = (
    Column("type", "type", 14, grow=1, most=40),
    Column("subject", "about", 12, rank=2, grow=2, most=60),
    Column("bar", "progress", 21, rank=1),
    Column("said", "", 12, rank=5, grow=6),
    Column("took", "ran", 5, rank=3, align=">"),
    Column("left", "left", 10, rank=4, align=">"),
)
_ENDS = (
    Column("sign", "", 1),
    Column("state", "state", 9, rank=6),
    Column("type", "type", 23, rank=1, grow=1, most=40),
    Column("subject", "about", 12, rank=3, grow=8),
    Column("took", "took", 5, rank=4, align=">"),
    Column("ago", "ago", 4, rank=2, align=">"),
)
_NEEDS = (
    Column("count", "", 8, rank=1, grow=1, most=14),
    Column("what", "", 14, rank=5),
    Column("why", "", 14, rank=2, grow=3),
    Column("ago", "", 4, rank=3, align=">"),
)


_ORDERS = {
    False: ("queues", "hour", "running", "finished", "needs"),
    True: ("queues", "running", "hour", "finished", "needs"),
}
"""Order in the grid; True: three columns."""


def more_below(listing: Listing, glyphs: Glyphs) -> str:
    """How many rows there is no room for."""
    hidden = listing.hidden
    return f"{glyphs.below} {number(hidden)} more" if hidden else ""


class Overview(Container):
    """The panes of the first screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "app.focus_next", show=False),
        Binding("left,h", "app.focus_previous", show=False),
    ]
    LENS = "overview"
    _order: tuple[str, ...] = ()
    _rows = ""

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        yield Listing(_QUEUES, titles=True, id="queues")
        yield Lines(id="hour")
        yield Listing(_RUNS, id="running", empty="Nothing runs now.")
        yield Listing(_ENDS, id="finished", empty="Nothing has ended yet.")
        yield Listing(_NEEDS, id="needs", empty="All is well: nothing needs you.")

    def on_mount(self) -> None:
        for id_, title in (
            ("queues", "Queues"), ("hour", "Last hour"), ("running", "Running now"),
            ("finished", "Just finished"), ("needs", "Needs you"),
        ):  # fmt: skip
            self.query_one(f"#{id_}", Widget).border_title = title

    @property
    def read(self) -> Callable[[], Glance]:
        """For the feed."""
        return OverviewReader(self.desk_app.desk).read

    def first_focus(self) -> Widget:
        """Where the cursor is when the screen opens."""
        return self.query_one("#queues", Listing)

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        """Bring every pane in line with the snapshot."""
        shown = telling(snapshot.queues)
        seen = cast(Glance, snapshot.lenses.get(self.LENS) or Glance())
        needs = needs_items(seen, snapshot.queues, now, glyphs)
        busy = max(3, min(10, sum(one.workers for one in snapshot.workers)))
        self._give_rows(len(shown) + 3, busy + 2, max(1, min(5, len(needs))) + 2)
        queues = self.query_one("#queues", Listing)
        queues.when_empty(hint)
        queues.show([queue_item(queue, snapshot.rates, seen.lately.get(queue.name, ()), glyphs) for queue in shown])
        retitle(queues, "Queues", more_below(queues, glyphs))
        panel_hour = self.query_one("#hour", Lines)
        span = span_of(snapshot.rates) if snapshot.rates.minutes else MINUTES
        retitle(panel_hour, "Last hour" if span == MINUTES else f"Last {span} minutes")
        panel_hour.show(hour(snapshot.rates, panel_hour.size.width, panel_hour.size.height, glyphs))
        running = self.query_one("#running", Listing)
        running.show([run_item(job, job.id in snapshot.paused, now, glyphs) for job in seen.running])
        retitle(running, "Running now", more_below(running, glyphs))
        self.query_one("#finished", Listing).show([end_item(job, now, glyphs) for job in seen.finished])
        panel = self.query_one("#needs", Listing)
        panel.show(needs)
        retitle(panel, "Needs you", more_below(panel, glyphs))
        panel.set_class(bool(needs), "-some")

    def on_resize(self) -> None:
        order = _ORDERS[self.screen.has_class("-wide")]
        if self._order is not order:
            self._order = order
            self.sort_children(key=lambda child: order.index(child.id or ""))
        self.call_after_refresh(self.app.call_later, self.desk_app.show_snapshot)

    def _give_rows(self, queues: int, running: int, needs: int) -> None:
        """As many rows to queues as there are, and to what runs as there are workers: nothing jumps when a job ends."""
        tall = self.screen.has_class("-tall")
        first = max(12 if tall else 9, min(queues, self.size.height * 2 // 5))
        if self.screen.has_class("-medium") and self.size.height > 18:
            wanted = f"{first} {running} 1fr"
        elif self.screen.has_class("-narrow") and self.screen.has_class("-tall"):
            wanted = f"10 9 {running} 1fr 1fr"
        elif self.screen.has_class("-narrow") and not self.screen.has_class("-tiny"):
            wanted = f"{max(5, min(queues, 8))} 4 1fr {min(5, needs)}"
        else:
            wanted = ""
        if wanted != self._rows:
            self._rows = wanted
            self.styles.grid_rows = wanted or None

    @property
    def selection(self) -> Selection:
        """What is under the cursor of the pane that has the focus."""
        focused = self.screen.focused
        if not isinstance(focused, Listing) or focused.value is None:
            return NOTHING
        key: Any = focused.value
        if isinstance(key, Queue):
            return Selection(queue=key.name, paused=key.paused_at is not None)
        if isinstance(key, Job):
            return Selection(jobs=(of_job(key, subject(key.data)),), queue=key.queue)
        if isinstance(key, Alert):
            return Selection(alert=key.id, rule=key.rule, subject=key.subject)
        if isinstance(key, ErrorGroup):
            return Selection(query=group_query(key), count=key.count)
        return NOTHING
