"""The first screen: what runs, what waits, what went wrong, at one glance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from jobdesk.core.durations import short
from jobdesk.core.job import DEAD, Job, State
from jobdesk.core.subject import subject
from jobdesk.desk import Desk
from jobdesk.ledger import folders, glance, reads
from jobdesk.ledger.glance import ErrorGroup
from jobdesk.ledger.reads import Queue
from jobdesk.tui.activity import Rates
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans, ago, bar, brief, clean, count_of, number, spark, state, whole
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.selection import NOTHING, Selection, of_job
from jobdesk.tui.widgets.lines import Lines, retitle
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_RUNNING, _FINISHED, _GROUPS = 50, 50, 20
_QUEUES = (
    Column("queue", "queue", 16, grow=1, most=40),
    Column("ready", "ready", 7, rank=1, align=">"),
    Column("run", "run", 4, rank=2, align=">"),
    Column("later", "later", 6, rank=4, align=">"),
    Column("dead", "dead", 6, rank=3, align=">"),
    Column("p95", "p95", 6, rank=5, align=">"),
)
_RUNS = (
    Column("type", "type", 14, grow=2, most=28),
    Column("subject", "about", 12, rank=2, grow=3, most=40),
    Column("bar", "progress", 22, rank=1, grow=2, most=40),
    Column("said", "", 12, rank=5, grow=4),
    Column("took", "ran", 5, rank=3, align=">"),
    Column("left", "left", 10, rank=4, align=">"),
)
_ENDS = (
    Column("state", "state", 11),
    Column("type", "type", 12, rank=1, grow=2, most=26),
    Column("subject", "about", 10, rank=3, grow=3),
    Column("took", "took", 5, rank=4, align=">"),
    Column("ago", "ago", 5, rank=2, align=">"),
)
_NEEDS = (Column("count", "", 12), Column("what", "", 16, grow=1), Column("ago", "", 5, rank=1, align=">"))


_ORDERS = {
    False: ("queues", "hour", "running", "finished", "needs"),
    True: ("queues", "running", "hour", "finished", "needs"),
}
"""Order in the grid; True: three columns."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What this screen reads besides the counts."""

    running: tuple[Job, ...] = ()
    finished: tuple[Job, ...] = ()
    groups: tuple[ErrorGroup, ...] = ()
    rejected: int = 0
    duplicates: int = 0


class OverviewReader:
    """Reads a Glance on the database thread; error groups only when the dead letters changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._dead = (-1, -1)
        self._groups: tuple[ErrorGroup, ...] = ()

    def read(self) -> Glance:
        ledger = self._desk.ledger
        dead = glance.dead_letters(ledger)
        if dead != self._dead:
            self._dead, self._groups = dead, tuple(glance.error_groups(ledger, _GROUPS))
        return Glance(
            running=tuple(reads.processing(ledger, _RUNNING)),
            finished=tuple(reads.finished(ledger, _FINISHED)),
            groups=self._groups,
            rejected=sum(int(one["rejected"]) for one in folders.statuses(ledger).values()),
        )


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

    def first_focus(self) -> Widget:
        """Where the cursor is when the screen opens."""
        return self.query_one("#queues", Listing)

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        """Bring every pane in line with the snapshot."""
        rows = max(3, min(10, sum(one.workers for one in snapshot.workers))) + 2
        self._give_running(rows)
        seen = cast(Glance, snapshot.lenses.get(self.LENS) or Glance())
        queues = self.query_one("#queues", Listing)
        queues._empty = hint
        queues.show([_queue_item(queue, snapshot.rates, glyphs) for queue in _telling(snapshot.queues)])
        hour = self.query_one("#hour", Lines)
        hour.show(_hour(snapshot.rates, hour.size.width, hour.size.height, glyphs))
        running = self.query_one("#running", Listing)
        running.show([_run_item(job, now, glyphs) for job in seen.running])
        retitle(running, "Running now", number(snapshot.busy) if snapshot.busy > running.size.height else "")
        self.query_one("#finished", Listing).show([_end_item(job, now, glyphs) for job in seen.finished])
        needs = _needs(seen, snapshot.queues, now, glyphs)
        panel = self.query_one("#needs", Listing)
        panel.show(needs)
        panel.set_class(bool(needs), "-some")

    def on_resize(self) -> None:
        order = _ORDERS[self.screen.has_class("-wide")]
        if self._order is not order:
            self._order = order
            self.sort_children(key=lambda child: order.index(child.id or ""))
        self.call_after_refresh(self.app.call_later, self.desk_app.show_snapshot)

    def _give_running(self, rows: int) -> None:
        """As many rows to what runs as there are workers, so that nothing jumps when a job ends."""
        if self.screen.has_class("-medium") and self.screen.has_class("-tall"):
            wanted = f"12 {rows} 1fr"
        elif self.screen.has_class("-narrow") and self.screen.has_class("-tall"):
            wanted = f"10 9 {rows} 1fr 1fr"
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
        if isinstance(key, ErrorGroup):
            return Selection(query=group_query(key), count=key.count)
        return NOTHING


def group_query(group: ErrorGroup) -> str:
    """The query that finds the jobs of a group."""
    if group.fingerprint is None:
        return f"state:failed,expired type:{group.job_type}"
    return f"state:failed,expired fingerprint:{group.fingerprint}"


def _telling(queues: tuple[Queue, ...]) -> list[Queue]:
    """Queues that hold anything or are paused; the fullest first, by orders of magnitude, so that they seldom move."""
    some = [queue for queue in queues if queue.paused_at is not None or any(queue.counts.values())]
    return sorted(some, key=lambda queue: (-_magnitude(queue), queue.name))


def _magnitude(queue: Queue) -> int:
    waiting = queue.counts[State.PENDING] + queue.later
    return len(str(waiting)) if waiting >= 10 else 0


def _count(value: int, tone: str, glyphs: Glyphs) -> Spans:
    return ((brief(value), tone),) if value else (("0", "faint"),)


def _queue_item(queue: Queue, rates: Rates, glyphs: Glyphs) -> Item:
    paused = f" {glyphs.paused} paused" if queue.paused_at is not None else ""
    p95 = dict(rates.queue_p95_s).get(queue.name)
    return Item(
        queue.name,
        queue,
        {
            "queue": ((clean(queue.name), "text"), (paused, "warn")),
            "ready": _count(queue.counts[State.PENDING], "text", glyphs),
            "run": _count(queue.counts[State.PROCESSING], "run", glyphs),
            "later": _count(queue.later, "later", glyphs),
            "dead": _count(queue.dead, "bad", glyphs),
            "p95": ((short(p95) if p95 is not None else glyphs.dash, "muted" if p95 is not None else "faint"),),
        },
    )


def _hour(rates: Rates, width: int, height: int, glyphs: Glyphs) -> list[Spans]:
    """The chart of the last hour and its numbers, in the room there is."""
    if width < 20 or not rates.minutes:
        return []
    numbers: list[Spans] = [
        (
            (f"{glyphs.full} ", "chart"), (f"{number(rates.completed)} completed", "text"), ("   ", "text"),
            (f"{glyphs.full} ", "bad" if rates.failed else "faint"), (f"{number(rates.failed)} failed", "text"),
        ),
        (
            ("waits  ", "muted"), (f"half under {short(rates.waited_p50_s)}, ", "text"),
            (f"95% under {short(rates.waited_p95_s)}", "text"),
        ),
        (
            ("takes  ", "muted"), (f"half under {short(rates.took_p50_s)}, ", "text"),
            (f"95% under {short(rates.took_p95_s)}", "text"),
        ),
    ]  # fmt: skip
    if not rates.completed + rates.failed:
        return [(("No job has ended in the last hour.", "muted"),)]
    rows = max(1, min(8, height - len(numbers) - 2))
    failed_row = bool(rates.failed) and height > len(numbers) + 2
    per = max(1, min(3, (width - 2) // len(rates.minutes)))
    minutes = rates.minutes[-((width - 2) // per) :]
    chart = [
        (("".join(letter * per for letter in line), "chart"),)
        for line in spark([done for done, _ in minutes], glyphs, rows=rows)
    ]
    lines: list[Spans] = [*chart]
    if failed_row:
        lines.append((("".join(c * per for c in spark([bad for _, bad in minutes], glyphs)[0]), "bad"),))
    span = f"{len(minutes)} minutes ago"
    axis = span + " " * max(1, len(minutes) * per - len(span) - 3) + "now"
    lines.append(((axis, "muted"),))
    return (lines + numbers)[: max(1, height)] if height >= 6 else numbers[:height]


def _run_item(job: Job, now: float, glyphs: Glyphs) -> Item:
    done, started = job.progress, job.started_at or now
    passed = max(0.0, now - started)
    share = done.percent / 100 if done is not None and done.percent is not None else None
    left = passed / share * (1 - share) if share is not None and share >= 0.05 and share < 1 and passed >= 2 else None
    stopping = job.cancel_requested_at is not None
    return Item(
        job.id,
        job,
        {
            "type": ((f"{glyphs.states[State.PROCESSING]} ", "run"), (clean(job.type), "text")),
            "subject": ((subject(job.data), "muted"),),
            "bar": (*bar(share, 16, glyphs), (f" {share * 100:>3.0f}%", "text")) if share is not None else (),
            "said": (("stopping", "warn"),) if stopping else ((clean(done.message or "") if done else "", "muted"),),
            "took": ((whole(passed), "muted"),),
            "left": ((f"~{whole(left)} left" if left is not None else "", "muted"),),
        },
    )


def _end_item(job: Job, now: float, glyphs: Glyphs) -> Item:
    took = job.processing_ms
    about: Spans = ((subject(job.data), "muted"),)
    if job.state in DEAD and job.error is not None:
        about = (
            (
                clean(f"{job.error.type}: {job.error.message}" if job.state is State.FAILED else job.error.message),
                "bad",
            ),
        )
    return Item(
        job.id,
        job,
        {
            "state": state(job.state, glyphs),
            "type": ((clean(job.type), "text"),),
            "subject": about,
            "took": ((short(took / 1000) if took is not None and job.started_at else glyphs.dash, "muted"),),
            "ago": ((ago(job.finished_at, now), "muted"),),
        },
    )


def _needs(seen: Glance, queues: tuple[Queue, ...], now: float, glyphs: Glyphs) -> list[Item]:
    items = []
    for group in seen.groups:
        count: Spans = (
            (f"{glyphs.states[State.FAILED]} {brief(group.count)} {'job' if group.count == 1 else 'jobs'}", "bad"),
        )
        what: Spans = (
            (f"{clean(group.job_type)}: ", "text"),
            (
                clean(f"{group.error_type}: {group.message}" if group.error_type != "Expired" else group.message),
                "muted",
            ),
        )
        items.append(
            Item(
                group.fingerprint or group.error_type,
                group,
                {"count": count, "what": what, "ago": ((ago(group.last_at, now), "muted"),)},
            )
        )
    for queue in queues:
        waiting = queue.counts[State.PENDING]
        if queue.paused_at is not None and waiting:
            what = ((f"{clean(queue.name)} is paused", "text"),)
            count = ((f"{glyphs.paused} {brief(waiting)} wait", "warn"),)
            items.append(
                Item(
                    "queue " + queue.name,
                    queue,
                    {"count": count, "what": what, "ago": ((ago(queue.paused_at, now), "muted"),)},
                )
            )
    if seen.rejected:
        what = (("rejected from a drop folder", "warn"), (", see 3 Folders", "muted"))
        count = ((f"{glyphs.alert} {count_of(seen.rejected, 'file')}", "warn"),)
        items.append(Item("rejected", "rejected", {"count": count, "what": what}))
    return items
