"""The dead letters by kind of error: how many, since when, which jobs, and where it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jobdesk.core.job import JobError
from jobdesk.core.query import parse
from jobdesk.desk import Desk
from jobdesk.ledger import dead, glance, reads, search
from jobdesk.ledger.dead import Group
from jobdesk.ledger.search import Line
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans, ago, clean, clock_time, count_of, fit, number, passed, spark, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.job_pages import field, fields, heading, traceback
from jobdesk.tui.screens.browse import Browse, Seen
from jobdesk.tui.selection import Selection
from jobdesk.tui.widgets.listing import Item

_SHOWN = 12
"""Jobs of a group that its page names."""
_SPARK = 48
"""Columns of the chart of when they came."""
_DAY_S, _LATELY = 86400.0, 12
_CHARTED, _COUNTED = 20, 500
"""So many groups get a sparkline, and so many of their newest jobs count in it."""
ALL = "state:failed,expired"


@dataclass(frozen=True, slots=True)
class Row(Group):
    """A group as its row shows it."""

    lately: tuple[int, ...] = ()
    """How many came in each part of the last day, the newest last."""


@dataclass(frozen=True, slots=True)
class GroupStory:
    """What the page of a group tells."""

    newest: tuple[Line, ...]
    error: JobError | None
    """Of the newest."""
    ends: tuple[float, ...]
    """When the newest of them ended, epoch seconds, newest first."""


def query_of(group: Group) -> str:
    """The query that finds the jobs of a group."""
    return f"{ALL} type:{group.type}" if group.fingerprint is None else f"{ALL} fingerprint:{group.fingerprint}"


class DeadReader:
    """Groups are counted anew only when the dead letters changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wanted: str | None = None
        self._dead = (-1, -1)
        self._groups: tuple[Row, ...] = ()

    def read(self) -> Seen:
        ledger = self._desk.ledger
        now = glance.dead_letters(ledger)
        if now != self._dead:
            self._dead, self._groups = now, tuple(self._rows())
        key = self.wanted if self.wanted is not None else (_key(self._groups[0]) if self._groups else None)
        group = next((group for group in self._groups if _key(group) == key), None)
        return Seen(self._groups, None if group is None else key, None if group is None else self._story(group))

    def _rows(self) -> Iterator[Row]:
        now = self._desk.clock.now()
        for at, group in enumerate(dead.groups(self._desk.ledger)):
            ends = dead.ends(self._desk.ledger, group.fingerprint, _COUNTED) if at < _CHARTED else []
            lately = tuple(parts(ends, now - _DAY_S, _DAY_S, _LATELY)) if ends else ()
            yield Row(**asdict(group), lately=lately)

    def _story(self, group: Group) -> GroupStory:
        ledger = self._desk.ledger
        newest = search.lines(ledger, parse(query_of(group)), limit=_SHOWN)
        error = reads.job(ledger, newest[0].id, with_ties=False).error if newest else None
        ends = dead.ends(ledger, group.fingerprint)
        return GroupStory(tuple(newest), error, tuple(ends))


class Dead(Browse):
    """The third screen."""

    LENS = "dead"
    TITLE = "Dead letters"
    EMPTY = "No dead letters: nothing has failed for good, and nothing has expired."
    COLUMNS = (
        Column("count", "jobs", 6, rank=1, align=">"),
        Column("error", "error", 24, grow=3, most=80),
        Column("type", "job type", 12, rank=4, grow=1, most=30),
        Column("lately", "last day", _LATELY, rank=5),
        Column("first", "first", 5, rank=3, align=">"),
        Column("last", "last", 5, rank=2, align=">"),
    )

    def make_reader(self) -> DeadReader:
        return DeadReader(self.desk_app.desk)

    def item(self, thing: Row, now: float, glyphs: Glyphs) -> Item:
        return Item(
            _key(thing),
            thing,
            {
                "count": ((number(thing.count), "bad"),),
                "error": ((clean(f"{thing.error or 'Error'}: {thing.message or ''}"), "text"),),
                "type": ((clean(thing.type), "muted"),),
                "lately": ((spark(thing.lately, glyphs)[0], "bad"),),
                "first": ((ago(thing.first_at, now), "muted"),),
                "last": ((ago(thing.last_at, now), "muted"),),
            },
        )

    def about(self, seen: Seen, width: int, now: float, glyphs: Glyphs) -> tuple[str, list[Spans]]:
        group = next(group for group in seen.things if _key(group) == seen.key)
        return clean(group.error or "Error"), _page(group, seen.about, width, now, glyphs)

    def selection_of(self, thing: Any) -> Selection:
        return Selection(query=query_of(thing), count=thing.count)


def _key(group: Group) -> str:
    return group.fingerprint or f"-{group.type}"


def _page(group: Group, story: GroupStory, width: int, now: float, glyphs: Glyphs) -> list[Spans]:
    lines: list[Spans] = [((line, "bad"),) for line in wrap(clean(group.message or ""), width)[:6]]
    lines += [(), field("jobs", f"{number(group.count)} of {clean(group.type)}")]
    lines.append(field("first", f"{clock_time(group.first_at, now)}  {glyphs.dot}  {passed(group.first_at, now)}"))
    lines.append(field("last", f"{clock_time(group.last_at, now)}  {glyphs.dot}  {passed(group.last_at, now)}"))
    lines += fields("kind", group.fingerprint or "without a fingerprint", width, "muted")
    lines += [(), heading("Newest")]
    for line in story.newest:
        about = clean(line.subject or line.id)
        room = max(8, width - 8)
        lines.append(
            ((fit(about, room, more=glyphs.more) + "  ", "text"), (f"{ago(line.finished_at, now):>5}", "muted"))
        )
    if group.count > len(story.newest):
        lines.append(((f"and {count_of(group.count - len(story.newest), 'more', 'more')}: enter lists all", "muted"),))
    lines += _chart(story.ends, width, now, glyphs)
    if story.error is not None and story.error.traceback:
        lines += [(), heading("Where it comes from"), *traceback(story.error, width)]
    return lines


def parts(ends: Sequence[float], start: float, span_s: float, columns: int) -> list[int]:
    """How many of these instants lie in each part of a span; those before it in none, those after it in the last."""
    counts = [0] * columns
    for at in ends:
        if at >= start:
            counts[min(columns - 1, int((at - start) / span_s * columns))] += 1
    return counts


def _chart(ends: tuple[float, ...], width: int, now: float, glyphs: Glyphs) -> list[Spans]:
    """When they came, from the oldest that was read to now."""
    if len(ends) < 2:
        return []
    columns = min(_SPARK, width)
    start = ends[-1]
    counts = parts(ends, start, max(60.0, now - start), columns)
    left, right = ago(start, now), "now"
    axis = left + " " * max(1, columns - len(left) - len(right)) + right
    rows = [((line, "bad"),) for line in spark(counts, glyphs, rows=2)]
    return [(), heading("When they came"), *rows, ((axis, "muted"),)]
