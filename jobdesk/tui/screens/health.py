"""Whether the desk is well: checks, alerts, services and consumers, a page about each, and how it went lately."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult

from jobdesk.core.breaker import BreakerState
from jobdesk.core.durations import short, size
from jobdesk.core.job import State
from jobdesk.desk import Desk
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.desk_health import SILENT_S
from jobdesk.servicing import ServiceState
from jobdesk.tui import course
from jobdesk.tui.alert_page import alert_before, alert_facts
from jobdesk.tui.alert_page import tone as alert_tone
from jobdesk.tui.columns import Column
from jobdesk.tui.course import CHARTS, EVERY_S, Course, drawings
from jobdesk.tui.format import Spans, clean, clock_time, passed, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.job_pages import field, fields, heading
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.screens.browse import Browse, Seen
from jobdesk.tui.selection import Selection
from jobdesk.tui.widgets.charts import Chart
from jobdesk.tui.widgets.listing import Item

_ALERTS = 50
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_BYTES = frozenset({"bytes", "free", "total", "used", "available", "memory", "rss", "rss_bytes"})
_TONES = {
    "healthy": "ok", "closed": "ok", "alive": "ok", "warning": "warn", "half_open": "warn", "pending": "later",
    "error": "bad", "open": "bad",
}  # fmt: skip


_URGENT = {state: at for at, state in enumerate(("error", "open", "active", "half_open", "warning"))}
"""These come first, in this order."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A row: a check, an alert, a service or a consumer."""

    kind: str
    name: str
    state: str
    said: str
    about: Any


class HealthReader:
    """Makes the checks every few seconds, for they write to the ledger and ask the machine; what was seen holds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wanted: str | None = None
        self._looked_at = float("-inf")
        self._things: tuple[Thing, ...] = ()
        self._course = Course()

    def read(self) -> Seen:
        now = self._desk.clock.monotonic()
        if now - self._looked_at >= EVERY_S:
            self._looked_at = now
            self._things = tuple(self._look())
            self._course = course.read(self._desk)
        key = self.wanted if self.wanted is not None else (_key(self._things[0]) if self._things else None)
        return Seen(self._things, key, self._course)

    def refresh(self) -> None:
        """Look anew at the next read."""
        self._looked_at = float("-inf")

    def _look(self) -> list[Thing]:
        found = self._desk.health(detailed=True)
        worst: dict[str, Mapping[str, Any]] = {}
        for problem in found["problems"]:
            if problem["status"] == "error" or problem["check"] not in worst:
                worst[problem["check"]] = problem
        things = [
            Thing("check", name, "healthy" if well else worst.get(name, {}).get("status", "warning"),
                  str(worst.get(name, {}).get("message", "")), (found["details"].get(name, {}), found["problems"]))
            for name, well in found["checks"].items()
        ]  # fmt: skip
        alerts = self._desk.alerts(all=True)[:_ALERTS]
        things += [Thing("alert", one.rule, one.state, one.message, one) for one in alerts]
        things += [
            Thing("service", one.name, one.state.value, _service_said(one), one) for one in self._desk.services()
        ]
        for its in self._desk.consumers():
            things.append(Thing("consumer", str(its.pid), "alive", f"{its.workers} workers, {its.kind}", its))
        return sorted(things, key=lambda thing: _URGENT.get(thing.state, len(_URGENT)))


def _service_said(one: ServiceState) -> str:
    if one.waiting:
        return f"{one.waiting:,} jobs wait for it"
    return f"{one.failures} of {one.calls} calls failed lately" if one.calls else ""


class Health(Browse):
    """The seventh screen."""

    LENS = "health"
    TITLE = "Health"
    COLUMNS: ClassVar = (
        Column("state", "state", 13),
        Column("kind", "", 8, rank=2),
        Column("name", "what", 14, rank=1, grow=1, most=24),
        Column("said", "", 14, rank=3, grow=5),
    )

    def make_reader(self) -> HealthReader:
        return HealthReader(self.desk_app.desk)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        for name in CHARTS:
            yield Chart(id=name)

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        super().show(snapshot, now, glyphs, hint)
        if isinstance(self._seen.about, Course):
            for name, drawing in drawings(self._seen.about, snapshot, now).items():
                self.query_one(f"#{name}", Chart).show(drawing)

    def item(self, thing: Thing, now: float, glyphs: Glyphs) -> Item:
        tone = _tone(thing)
        sign = {"ok": glyphs.states[State.COMPLETED], "bad": glyphs.states[State.FAILED], "warn": glyphs.alert}.get(
            tone, glyphs.dot
        )
        return Item(
            _key(thing),
            thing,
            {
                "state": ((f"{sign} {thing.state.replace('_', ' ')}", tone),),
                "kind": ((thing.kind, "muted"),),
                "name": ((clean(thing.name), "text"),),
                "said": ((clean(thing.said), "muted" if tone in ("ok", "faint", "muted") else "text"),),
            },
        )

    def about(self, seen: Seen, width: int, now: float, glyphs: Glyphs) -> tuple[str, list[Spans]]:
        thing = next(thing for thing in seen.things if _key(thing) == seen.key)
        lines: list[Spans] = [((thing.state.replace("_", " "), _tone(thing)),)]
        match thing.kind:
            case "check":
                details, problems = thing.about
                for problem in problems:
                    if problem["check"] == thing.name:
                        tone = "bad" if problem["status"] == "error" else "warn"
                        lines += [((line, tone),) for line in wrap(clean(problem["message"]), width)]
                lines += [(), *_details(details, width)]
            case "alert":
                alike = [one.about for one in seen.things if one.kind == "alert" and one.name == thing.name]
                lines += alert_facts(thing.about, None, width, now)
                lines += alert_before(thing.about, alike, now)
            case "service":
                lines += _service(thing.about, width, now)
            case _:
                lines += _consumer(thing.about, now)
        return clean(thing.name), lines

    def selection_of(self, thing: Thing) -> Selection:
        if thing.kind == "alert":
            return Selection(alert=thing.about.id, rule=thing.about.rule, subject=thing.about.subject)
        return (
            Selection(service=thing.name, running=thing.state == "closed") if thing.kind == "service" else Selection()
        )


def _tone(thing: Thing) -> str:
    return alert_tone(thing.about) if thing.kind == "alert" else _TONES.get(thing.state, "text")


def _key(thing: Thing) -> str:
    return f"{thing.kind} {thing.about.id if thing.kind == 'alert' else thing.name}"


def _details(details: Mapping[str, Any], width: int) -> list[Spans]:
    """Numbers of a check; tables in them one row a line. What it lists stands in the list of the screen already."""
    lines: list[Spans] = []
    for name, value in details.items():
        if name == "list":
            continue
        if isinstance(value, Mapping) and not any(one for key, one in value.items() if key != "status"):
            continue  # a queue in which nothing happens
        if isinstance(value, Mapping) and any(isinstance(one, Mapping) for one in value.values()):
            lines += [(), heading(name)]
            for key, row in value.items():
                lines += _row(str(key), row, width)
        elif isinstance(value, Mapping):
            lines += _row(name, value, width)
        elif isinstance(value, list):
            lines += [line for row in value for line in _row(name, row, width)]
        else:
            lines += fields(clean(name)[:10], _said(name, value), width)
    return lines


def _row(name: str, row: Any, width: int) -> list[Spans]:
    if not isinstance(row, Mapping):
        return list(fields(clean(name)[:10], _said(name, row), width))
    told = {key: value for key, value in row.items() if value not in (None, "", [], {})}
    said = ", ".join(
        f"{_words(key)} {_said(key, value)}" if key != "status" else str(value) for key, value in told.items()
    )
    lines: list[Spans] = [((clean(name), "text"),)]
    return lines + [((f"  {line}", "muted"),) for line in wrap(clean(said), max(10, width - 2))]


def _words(key: str) -> str:
    """completedLastHour as people read it."""
    return _HUMP.sub(" ", key).lower()


def _said(name: str, value: Any) -> str:
    if name in _BYTES and isinstance(value, int | float):
        return size(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _service(one: ServiceState, width: int, now: float) -> list[Spans]:
    lines: list[Spans] = [(), *fields("url", one.url or "none", width), field("kind", one.kind)]
    lines.append(field("calls", f"{one.failures} of {one.calls} failed within {short(one.policy.window_s)}"))
    if one.waiting:
        lines.append(field("waiting", f"{one.waiting:,} jobs", "warn"))
    if one.breaker is not None and one.state is not BreakerState.CLOSED:
        lines.append(
            field("since", f"{clock_time(one.breaker.changed_at, now)}  {passed(one.breaker.changed_at, now)}")
        )
        lines += [(), *(((line, "warn"),) for line in wrap(clean(one.breaker.keeps), width)), ()]
    if one.types:
        lines += fields("needed by", ", ".join(sorted(one.types)), width)
    return lines


def _consumer(one: Consumer, now: float) -> list[Spans]:
    lines: list[Spans] = [(), field("id", one.id), field("kind", one.kind), field("workers", str(one.workers))]
    silent_s = now - one.heartbeat_at
    lines.append(field("since", f"{clock_time(one.started_at, now)}  {passed(one.started_at, now)}"))
    lines.append(field("heartbeat", f"{short(max(0.0, silent_s))} ago", "warn" if silent_s > SILENT_S else "text"))
    if one.queues is not None:
        lines.append(field("queues", ", ".join(one.queues)))
    if one.footprint is not None:
        uses = one.footprint
        lines.append(field("uses", f"{uses.cpu_share * 100:.1f}% of a core, {size(uses.rss_bytes)}"))
    return lines
