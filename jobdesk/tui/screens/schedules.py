"""The schedules: when each comes next, what its last times came to, and what it makes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobdesk.core.clock import instant
from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import State
from jobdesk.core.redaction import shown
from jobdesk.core.schedule import Missed, Origin, Overlap, Schedule, ScheduleSpec
from jobdesk.desk import Desk
from jobdesk.schedules.builtin import BUILT_IN
from jobdesk.scheduling import in_words, local, preview
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans, ago, clean, fit, number, passed, priority, state, wrap
from jobdesk.tui.glyphs import TONES, Glyphs
from jobdesk.tui.job_cells import ahead
from jobdesk.tui.job_pages import field, fields, heading
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.screens.browse import Browse, Seen
from jobdesk.tui.selection import Selection
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.listing import Item

_TIMES, _RUNS = 5, 12
_MISSED = {
    Missed.SKIP: "times that pass while nobody works are left out",
    Missed.ONCE: "one run stands for all times that pass while nobody works",
    Missed.ALL: "each time that passes while nobody works is made up for",
}
_OVERLAP = {
    Overlap.SKIP: "never two at once: a time is left out while a job of it runs",
    Overlap.ALLOW: "its jobs may run beside each other",
}


@dataclass(frozen=True, slots=True)
class Off:
    """A schedule that comes with jobdesk, and is not on."""

    spec: ScheduleSpec

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True)
class ScheduleStory:
    """What the page of a schedule tells; `times` are its next ones, epoch seconds."""

    schedule: Schedule | Off
    times: tuple[float, ...]
    runs: tuple[Mapping[str, Any], ...]
    words: str | None


class SchedulesReader:
    """Every schedule, those that are on first, and all about the chosen one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wanted: str | None = None

    def read(self) -> Seen:
        on = self._desk.schedules()
        names = {one.name for one in on}
        found: tuple[Schedule | Off, ...] = (*on, *(Off(spec) for name, spec in BUILT_IN.items() if name not in names))
        key = self.wanted if self.wanted is not None else (found[0].name if found else None)
        chosen = next((one for one in found if one.name == key), None)
        if chosen is None:
            return Seen(found)
        if isinstance(chosen, Off):
            coming = preview(chosen.spec, self._desk.clock.now(), _TIMES)
            return Seen(found, key, ScheduleStory(chosen, tuple(coming), (), in_words(chosen.spec)))
        try:
            times = tuple(self._desk.next_times(chosen.name, _TIMES))
        except JobdeskError:  # its timezone is not known here any more; `problem` says so
            times = ()
        runs = tuple(self._desk.schedule_runs(chosen.name, _RUNS))
        return Seen(found, key, ScheduleStory(chosen, times, runs, in_words(chosen.spec)))


class Schedules(Browse):
    """The fifth screen."""

    LENS = "schedules"
    TITLE = "Schedules"
    COLUMNS = (
        Column("name", "schedule", 14, grow=2, most=34),
        Column("type", "makes", 10, rank=6, grow=1, most=30, spare=True),
        Column("next", "next in", 8, rank=1, align=">"),
        Column("last", "last", 12, rank=2),
        Column("ago", "", 5, rank=5, align=">"),
        Column("missed", "missed", 6, rank=3, align=">"),
    )

    def make_reader(self) -> SchedulesReader:
        return SchedulesReader(self.desk_app.desk)

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        super().show(snapshot, now, glyphs, hint)
        if all(isinstance(one, Off) for one in self._seen.things):
            retitle(self.listing, self.TITLE, "none is on: n adds one, p turns one on")

    def item(self, thing: Schedule | Off, now: float, glyphs: Glyphs) -> Item:
        if isinstance(thing, Off):
            return Item(
                thing.name,
                thing,
                {
                    "name": ((clean(thing.name), "muted"),),
                    "type": ((clean(thing.spec.type), "muted"),),
                    "next": (("off", "muted"),),
                    "last": ((glyphs.dash, "faint"),),
                },
            )
        paused = f" {glyphs.paused}" if thing.paused_at is not None else ""
        if thing.paused_at is not None:
            coming: Spans = (("paused", "warn"),)
        elif thing.next_at is None:
            coming = ((glyphs.dash, "faint"),)
        else:
            coming = ((ahead(thing.next_at, now) if thing.next_at > now else "due", "text"),)
        last: Spans = state(State(thing.last_state), glyphs) if thing.last_state else ((glyphs.dash, "faint"),)
        if thing.problem:
            last = (("! problem", "bad"),)
        return Item(
            thing.name,
            thing,
            {
                "name": ((clean(thing.name), "text"), (paused, "warn")),
                "type": ((clean(thing.spec.type), "muted"),),
                "next": coming,
                "last": last,
                "ago": ((ago(thing.last_at, now) if thing.last_at else "", "muted"),),
                "missed": ((number(thing.missed), "warn" if thing.missed else "faint"),),
            },
        )

    def about(self, seen: Seen, width: int, now: float, glyphs: Glyphs) -> tuple[str, list[Spans]]:
        story: ScheduleStory = seen.about
        return clean(story.schedule.name), _page(story, width, now, glyphs)

    def selection_of(self, thing: Schedule | Off) -> Selection:
        if isinstance(thing, Off):
            return Selection(schedule=thing.name, paused=True, off=True)
        return Selection(schedule=thing.name, paused=thing.paused_at is not None)


def _page(story: ScheduleStory, width: int, now: float, glyphs: Glyphs) -> list[Spans]:
    schedule, spec = story.schedule, story.schedule.spec
    lines: list[Spans] = []
    if story.words:
        lines += [((line, "strong"),) for line in wrap(story.words, width)]
    if isinstance(schedule, Off):
        lines += [((line, "warn"),) for line in wrap("Off: it comes with jobdesk, and p turns it on", width)]
    elif schedule.paused_at is not None:
        lines.append(
            ((f"Paused by {clean(schedule.paused_by or 'somebody')}, {passed(schedule.paused_at, now)}", "warn"),)
        )
    if not isinstance(schedule, Off) and schedule.problem:
        lines += [((line, "bad"),) for line in wrap(clean(schedule.problem), width)]
    where = f"  {glyphs.dot}  {spec.timezone}"
    lines += [
        *([()] if lines else []),
        ((f"Next times{', if it were on' if isinstance(schedule, Off) else ''}", "title"), (where, "muted")),
    ]
    for at in story.times:
        lines.append(((fit(local(at, spec), max(10, min(30, width - 9))), "text"), (f"  in {ahead(at, now)}", "muted")))
    if not story.times:
        lines.append((("None comes any more.", "muted"),))
    if not isinstance(schedule, Off):
        lines += [(), heading("Last times")]
        lines += [_run(run, schedule, now, glyphs) for run in story.runs]
        if not story.runs:
            lines.append((("It has not come yet.", "muted"),))
    return [*lines, (), heading("Schedule"), *_facts(schedule, width, glyphs)]


def _facts(schedule: Schedule | Off, width: int, glyphs: Glyphs) -> Iterator[Spans]:
    spec = schedule.spec
    if spec.cron is not None:
        yield field("cron", spec.cron)
    yield from fields("makes", spec.type, width)
    if spec.queue or spec.priority is not None:
        said = [spec.queue or "", f"{priority(spec.priority)} priority" if spec.priority is not None else ""]
        yield from fields("queue", f"  {glyphs.dot}  ".join(part for part in said if part), width)
    if spec.data:
        yield from fields("data", json.dumps(shown(spec.data), ensure_ascii=False), width)
    yield from fields("missed", _MISSED[spec.missed], width)
    yield from fields("overlap", _OVERLAP[spec.overlap], width)
    yield from fields("from", _origin(schedule), width)


def _origin(schedule: Schedule | Off) -> str:
    if isinstance(schedule, Off):
        return "jobdesk"
    who = clean(schedule.user or "somebody")
    return {
        Origin.SETTINGS: "jobdesk.toml", Origin.PLUGIN: "its processor", Origin.ADDED: f"added by {who}",
    }[schedule.origin]  # fmt: skip


def _run(run: Mapping[str, Any], schedule: Schedule, now: float, glyphs: Glyphs) -> Spans:
    at = instant(run["fire_at"]) if isinstance(run["fire_at"], str) else float(run["fire_at"])
    when = fit(local(at, schedule.spec), 28)
    if run.get("state"):
        standing = State(run["state"])
        return ((when, "muted"), (f"  {glyphs.states[standing]} {standing.value}", TONES[standing]))
    return ((when, "muted"), (f"  missed: {run.get('reason') or 'its job is gone'}", "warn"))
