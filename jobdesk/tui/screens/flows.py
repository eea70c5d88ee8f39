"""The flows: how far each is, and its steps as a graph."""

from typing import Any

from jobdesk.core.durations import short
from jobdesk.core.errors import NotFound
from jobdesk.core.flow import Flow, FlowState
from jobdesk.core.job import Job
from jobdesk.desk import Desk
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans, ago, bar, clean, clock_time, count_of, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.graph import graph
from jobdesk.tui.job_pages import field, fields, heading
from jobdesk.tui.screens.browse import Browse, Seen
from jobdesk.tui.selection import Selection
from jobdesk.tui.widgets.listing import Item

_NEWEST = 200
_MOST_STEPS = 300
"""Steps of one flow that its graph draws; more are a matter for the list of jobs."""
_STANDING = {
    FlowState.RUNNING: ("▶", ">", "run"), FlowState.COMPLETED: ("✓", "+", "ok"),
    FlowState.FAILED: ("✗", "x", "bad"), FlowState.CANCELLED: ("⊘", "/", "muted"),
}  # fmt: skip


class FlowsReader:
    """The newest flows, and the whole of the chosen one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wanted: str | None = None

    def read(self) -> Seen:
        found = tuple(self._desk.flows(_NEWEST))
        key = self.wanted if self.wanted is not None else (found[0].id if found else None)
        if key is None:
            return Seen(found)
        try:
            return Seen(found, key, self._desk.flow(key))
        except NotFound:  # pruned meanwhile
            return Seen(found)


class Flows(Browse):
    """The fourth screen."""

    LENS = "flows"
    TITLE = "Flows, newest first"
    EMPTY = "No flow yet: write one as [[flows]] in jobdesk.toml, or drop a photo: its steps are a flow."
    COLUMNS = (
        Column("state", "state", 11),
        Column("name", "flow", 14, rank=1, grow=2, most=44),
        Column("about", "about", 12, rank=2, grow=2, most=40),
        Column("bar", "", 8, rank=6, spare=True),
        Column("steps", "steps", 5, rank=3, align=">"),
        Column("took", "took", 5, rank=5, align=">", spare=True),
        Column("ago", "begun", 5, rank=4, align=">"),
    )

    def make_reader(self) -> FlowsReader:
        return FlowsReader(self.desk_app.desk)

    def item(self, thing: Flow, now: float, glyphs: Glyphs) -> Item:
        sign, plain, tone = _STANDING[thing.state]
        done = thing.done / thing.total if thing.total else 0.0
        end = thing.finished_at if thing.finished_at is not None else now
        return Item(
            thing.id,
            thing,
            {
                "state": ((f"{sign if glyphs.dash != '-' else plain} {thing.state.value}", tone),),
                "name": ((clean(thing.name), "text"),),
                "about": ((clean(thing.about), "muted"),),
                "bar": bar(done, 8, glyphs, tone) if thing.state is not FlowState.COMPLETED else (),
                "steps": ((f"{thing.done}/{thing.total}", "muted"),),
                "took": ((short(max(0.0, end - thing.created_at)), "muted"),),
                "ago": ((ago(thing.created_at, now), "muted"),),
            },
        )

    def about(self, seen: Seen, width: int, now: float, glyphs: Glyphs) -> tuple[str, list[Spans]]:
        flow: Flow = seen.about
        return clean(flow.name), _page(flow, width, now, glyphs)

    def selection_of(self, thing: Any) -> Selection:
        return Selection(query=f"flow:{thing.id}", count=thing.total, flow=thing.id, running=thing.finished_at is None)


def _page(flow: Flow, width: int, now: float, glyphs: Glyphs) -> list[Spans]:
    sign, plain, tone = _STANDING[flow.state]
    end = flow.finished_at if flow.finished_at is not None else now
    lines: list[Spans] = [
        (
            (f"{sign if glyphs.dash != '-' else plain} {flow.state.value}", tone),
            (f"  {flow.done} of {count_of(flow.total, 'step')}", "text"),
            (f"   {short(max(0.0, end - flow.created_at))}", "muted"),
        ),
        (),
    ]
    lines += graph(flow.jobs[:_MOST_STEPS], flow.critical_path, width, now, glyphs)
    if flow.total > _MOST_STEPS:
        lines.append(((f"and {count_of(flow.total - _MOST_STEPS, 'more step')}: enter lists all", "muted"),))
    for job in _telling(flow.jobs):
        lines += [(), heading(clean(job.step or job.type))]
        assert job.error is not None
        lines += [((line, "bad"),) for line in wrap(clean(f"{job.error.type}: {job.error.message}"), width)[:4]]
    lines += [(), heading("Flow"), field("id", flow.id), field("begun", clock_time(flow.created_at, now))]
    if flow.about:
        lines += fields("about", clean(flow.about), width)
    if len(flow.critical_path) > 1:
        steps = {job.id: clean(job.step or job.type) for job in flow.jobs}
        lines += fields("longest", " > ".join(steps[id_] for id_ in flow.critical_path if id_ in steps), width)
    return lines


def _telling(jobs: Any) -> list[Job]:
    """The steps whose errors say why a flow stands where it does; not those that only followed a failed one."""
    return [job for job in jobs if job.error is not None and job.error.type != "ParentFailed"][:3]
