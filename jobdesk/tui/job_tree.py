"""The jobs of a flow as a tree."""

from collections.abc import Iterator, Mapping, Sequence

from jobdesk.core.durations import short
from jobdesk.core.job import Job, State
from jobdesk.core.subject import subject
from jobdesk.tui.fold import Entry
from jobdesk.tui.format import Spans, clean, count_of, fit_spans, width_of
from jobdesk.tui.glyphs import TONES, Glyphs
from jobdesk.tui.story import Story

_WIDEST = 72
"""Cells of the tree at the most, so that the eye finds from a name to its state."""
_TIMES_FROM = 56
"""With less room names matter more than how long each ran."""


def flow_page(story: Story, width: int, glyphs: Glyphs) -> list[Entry]:
    """The jobs of its flow as a tree: each below the job that it waited for last, or that added it."""
    jobs = list(story.flow) or [*story.before, story.job, *story.behind]
    done = sum(job.state is State.COMPLETED for job in jobs)
    entries = [Entry("", (((f"{done} of {count_of(len(jobs), 'job')} completed", "muted"),), ()))]
    below = _below(jobs) if story.flow else _family(story)
    for root in below.get("", []):
        entries.extend(_branch(root, below, "", "", story.job.id, width, glyphs))
    return entries


def _family(story: Story) -> Mapping[str, list[Job]]:
    """The same without a flow: what it waits for, itself, and what waits for it."""
    family = {"": list(story.before) or [story.job], story.job.id: list(story.behind)}
    if story.before:
        family[story.before[-1].id] = [story.job]
    return family


def _below(jobs: Sequence[Job]) -> Mapping[str, list[Job]]:
    """Jobs by the id of the one they hang on; "" for roots."""
    known = {job.id for job in jobs}
    below: dict[str, list[Job]] = {}
    for job in jobs:
        waited = [id_ for id_ in job.after if id_ in known]
        parent = waited[-1] if waited else job.parent if job.parent in known else ""
        below.setdefault(parent or "", []).append(job)
    return below


def _branch(
    job: Job, below: Mapping[str, list[Job]], lead: str, rest: str, here: str, width: int, glyphs: Glyphs
) -> Iterator[Entry]:
    """Its line, then those below it; state and time stand in a column of their own at the right."""
    tone, about = TONES[job.state], "" if lead else subject(job.data)
    more = f"  {glyphs.dot} after {len(job.after)} jobs" if len(job.after) > 1 else ""
    left: Spans = (
        (lead, "faint"),
        (f"{glyphs.states[job.state]} ", tone),
        (clean(job.type), "strong" if job.id == here else "text"),
        (f"  {clean(about)}" if about else more, "muted"),
    )
    took = short(job.processing_ms / 1000) if job.processing_ms is not None else ""
    right: Spans = ((f" {job.state.value:<10}", tone), (f"{took:>6}" if width >= _TIMES_FROM else "", "muted"))
    line = (*fit_spans(left, min(_WIDEST, max(8, width - width_of(right))), more=glyphs.more), *right)
    yield Entry(f"{rest}{job.id}", (line,), job=job.id)
    children = below.get(job.id, [])
    for at, child in enumerate(children):
        last = at == len(children) - 1
        yield from _branch(
            child, below, rest + (glyphs.last_branch if last else glyphs.branch),
            rest + (" " * len(glyphs.trunk) if last else glyphs.trunk), here, width, glyphs,
        )  # fmt: skip
