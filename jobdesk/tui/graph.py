"""The steps of a flow as a graph: one line a step, parents above children, the edges as lanes at the left.

A lane runs from a step down to one that waits for it. Lanes that end in the same step join just above it, a step
with several that wait for it opens one for each below. So every edge is drawn, and a long flow stays narrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobdesk.core.durations import short
from jobdesk.core.job import Job, State
from jobdesk.tui.format import Spans, clean, fit_spans, width_of
from jobdesk.tui.glyphs import TONES, Glyphs

WIDEST_NAME = 44
"""Cells of a name at the most, so that the eye finds from it to its state."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What edges are drawn with."""

    down: str
    across: str
    cross: str
    tee: str
    joins: str
    opens: str


ROUND = Signs("│", "─", "┼", "├", "╯", "╮")
PLAIN = Signs("|", "-", "+", "+", "'", ".")


def graph(jobs: Sequence[Job], critical: Sequence[str], width: int, now: float, glyphs: Glyphs) -> list[Spans]:
    """Lines of the graph; those on the critical path (`critical`, ids) are strong.

    Args:
        jobs: all of a flow, parents before children.
    """
    signs = ROUND if glyphs.trunk.startswith("│") else PLAIN
    children = _children(jobs)
    lanes: list[str | None] = []
    """By column, the id of the job that an edge leads down to; None: the column is free."""
    drawn: list[tuple[str, Job | None]] = []
    for job in jobs:
        drawn.extend((line, None) for line in _joined(lanes, job.id, signs))
        at = _column(lanes, job.id)
        line = "".join(_beside(lanes, column, at, signs) for column in range(len(lanes)))
        drawn.append((line, job))
        opened = _opened(lanes, at, children.get(job.id, []), signs)
        drawn.extend((line, None) for line in opened)
        while lanes and lanes[-1] is None:
            lanes.pop()
    room = max((len(line) for line, _ in drawn), default=0)
    return [
        ((line, "faint"),) if job is None else _step(line.ljust(room), job, job.id in set(critical), width, now, glyphs)
        for line, job in drawn
    ]


def _children(jobs: Sequence[Job]) -> Mapping[str, list[str]]:
    known = {job.id for job in jobs}
    found: dict[str, list[str]] = {}
    for job in jobs:
        parents = [id_ for id_ in job.after if id_ in known] or ([job.parent] if job.parent in known else [])
        for parent in dict.fromkeys(parents):
            if parent is not None:
                found.setdefault(parent, []).append(job.id)
    return found


def _column(lanes: list[str | None], id_: str) -> int:
    """Where a job stands: in the lane that leads to it, or in a new one."""
    if id_ in lanes:
        return lanes.index(id_)
    at = lanes.index(None) if None in lanes else len(lanes)
    lanes[at : at + 1] = [id_]
    return at


def _joined(lanes: list[str | None], id_: str, signs: Signs) -> list[str]:
    """The line above a job to which several lanes lead; the first of them is left."""
    ends = [column for column, to in enumerate(lanes) if to == id_]
    if len(ends) < 2:
        return []
    line = ""
    for column, to in enumerate(lanes):
        if column == ends[0]:
            sign = signs.tee
        elif column in ends:
            sign = signs.joins if column == ends[-1] else signs.cross
        elif ends[0] < column < ends[-1]:
            sign = signs.across if to is None else signs.cross
        else:
            sign = " " if to is None else signs.down
        line += sign + (signs.across if ends[0] <= column < ends[-1] else " ")
    for column in ends[1:]:
        lanes[column] = None
    return [line]


def _beside(lanes: list[str | None], column: int, at: int, signs: Signs) -> str:
    """A column of the line of a job: its own is left to its sign."""
    return "\0 " if column == at else (" " if lanes[column] is None else signs.down) + " "


def _opened(lanes: list[str | None], at: int, children: Sequence[str], signs: Signs) -> list[str]:
    """The line below a job for which several wait; its lane leads to the first of them."""
    lanes[at] = children[0] if children else None
    if len(children) < 2:
        return []
    new = []
    for child in children[1:]:
        column = next((free for free in range(at + 1, len(lanes)) if lanes[free] is None), len(lanes))
        lanes[column : column + 1] = [child]
        new.append(column)
    line = ""
    for column, to in enumerate(lanes):
        if column == at:
            sign = signs.tee
        elif column in new:
            sign = signs.opens if column == max(new) else ("┬" if signs is ROUND else "+")
        elif at < column < max(new):
            sign = signs.across if to is None else signs.cross
        else:
            sign = " " if to is None else signs.down
        line += sign + (signs.across if at <= column < max(new) else " ")
    return [line]


def _step(lanes: str, job: Job, critical: bool, width: int, now: float, glyphs: Glyphs) -> Spans:
    before, _, behind = lanes.partition("\0")
    tone = TONES[job.state]
    name = clean(job.step or job.type)
    kind = f"  {clean(job.type)}" if job.step else ""
    left: Spans = (
        (before, "faint"), (glyphs.states[job.state], tone), (behind, "faint"),
        (" " + name, "strong" if critical else "text"), (kind, "muted"),
    )  # fmt: skip
    end = job.finished_at if job.finished_at is not None else now if job.state is State.PROCESSING else None
    took = short(max(0.0, end - job.started_at)) if end is not None and job.started_at is not None else ""
    said = job.state.value
    if job.state is State.PROCESSING and job.progress is not None and job.progress.percent is not None:
        said = f"{job.progress.percent:.0f}%"
    right: Spans = ((f" {said:<10}", tone), (f"{took:>6}", "muted"))
    room = max(8, min(width - width_of(right), len(lanes) + WIDEST_NAME))
    return (*fit_spans(left, room, more=glyphs.more), *right)
