"""Aggregates of events: what was viewed, bought and whatever else is measured, in each hour, day, week or month.

Each window is one file, STORAGE/analytics/aggregates/GRAIN/WINDOW.json, and one asset. Working a window out again
replaces both, so that nothing is counted twice, and late events are counted once they are there. Dropped files are
taken in by `analytics-ingest` under their checksum, so the same file twice is one file.
"""

import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter

from jobdesk import Context, Measure, Reject, processor

from . import aggregation, event_files, event_query, periods
from .periods import Grain, Window, Zone
from .safefiles import write_whole

Format = Literal["auto", "ndjson", "csv", "sqlite"]
Sources = Annotated[list[str], BeforeValidator(lambda said: [said] if isinstance(said, str) else said)]
_MEASURES = TypeAdapter(dict[str, Measure])
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
GRAINS: tuple[Grain, ...] = ("hourly", "daily", "weekly", "monthly")


class DateRange(BaseModel):
    """From one time to another: `2026-11-01` (as an end: that day too) or `2026-11-01T14:00:00Z`."""

    model_config = ConfigDict(extra="forbid")

    start: str
    end: str


@processor("analytics-aggregation", queue="analytics-aggregation", priority="low", timeout="2h", retries=2)
def aggregate(
    ctx: Context,
    type: Grain = "daily",
    dateRange: DateRange | None = None,  # noqa: N803  as others call it
    metrics: list[Name] | dict[Name, Measure] | None = None,
    source: Sources | None = None,
    format: Format | None = None,
    timezone: Zone | None = None,
    late: Annotated[int, Field(ge=0, le=1000)] | None = None,
) -> dict[str, Any]:
    """Count events by the hour, day, week or month, and keep the numbers of each window."""
    settings = ctx.settings["analytics"]
    zone = timezone or settings["timezone"]
    measures = _measures(settings, metrics)
    wanted = _windows(type, dateRange, zone, settings["late"] if late is None else late)
    kept, files, done = _worked_out(ctx, wanted, measures, source, format)
    for bad in done.named:
        ctx.log.warning(str(bad))
    if done.bad > len(done.named):
        ctx.log.warning(f"{done.bad:,} lines could not be read; those above are the first")
    events = sum(one["events"] for one in kept)
    ctx.log.info(f"{events:,} events in {len(kept)} windows, of {files:,} files")
    ctx.progress(100, 100, f"{events:,} events")
    return {
        "type": type,
        "timezone": zone,
        "files": files,
        "events": events,
        "outside": done.outside,
        "bad": done.bad,
        "bad_lines": [str(one) for one in done.named],
        "changed": [one["window"] for one in kept if one["changed"]],
        "windows": [_told(one, metrics) for one in kept[-_MOST_TOLD:]],
    }


@processor("analytics-ingest", queue="analytics-aggregation", priority="low", timeout="1h", retries=2)
def ingest(
    ctx: Context,
    source: Path,
    types: Annotated[list[Grain], Field(min_length=1)] = ["hourly", "daily"],  # noqa: B006  pydantic copies it
    format: Format | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Take in a file of events, once, and count anew the windows that it has events of."""
    settings = ctx.settings["analytics"]
    wanted = format or settings["format"]
    try:
        kind = event_files.kind_of(source, wanted)
        size, sha256 = _measure(source)
    except OSError as error:
        raise Reject(f"{source} cannot be read ({error.strerror})", reason="source") from None
    called = (name or source.name).lower()
    packed = ".gz" if called.endswith(".gz") else ""
    tab = called.removesuffix(".gz").endswith(".tsv")
    target = _events(ctx) / f"{sha256}{'.tsv' if tab else f'.{kind}'}{packed}"
    known = target.exists()
    if not known:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{ctx.job}.part")
        shutil.copyfile(source, part)
        part.rename(target)
    done = _looked_through(ctx, target, kind, settings)
    for bad in done.named:
        ctx.log.warning(f"{name or source.name}{str(bad).removeprefix(target.name)}")
    if done.first is None or done.last is None:
        raise Reject(f"{name or source.name} holds no event that can be read: {done.bad:,} bad lines", reason="empty")
    span = {"start": periods.iso(done.first), "end": periods.iso(done.last)}
    for grain in types:
        inclusive = {"start": span["start"], "end": periods.iso(done.last + timedelta(milliseconds=1))}
        ctx.submit("analytics-aggregation", {"type": grain, "dateRange": inclusive})
    ctx.log.info(f"{name or source.name}: {done.outside:,} events from {span['start']} to {span['end']}")
    return {"sha256": sha256, "bytes": size, "known": known, "events": done.outside, "bad": done.bad, **span}


_TOLD = ("window", "start", "end", "events", "metrics", "revision", "complete", "path")
_MOST_TOLD = 100


def _told(kept: Mapping[str, Any], metrics: list[str] | dict[str, Measure] | None) -> dict[str, Any]:
    """What the job's result says of a window: of the metrics those that were asked for."""
    values = {name: value for name, value in kept["metrics"].items() if not metrics or name in metrics}
    return {key: kept[key] for key in _TOLD} | {"metrics": values}


def folder(ctx: Context) -> Path:
    """Where aggregates are kept, by grain."""
    return Path(ctx.settings["storage"]["path"]) / "analytics" / "aggregates"


def read(ctx: Context, window: Window) -> dict[str, Any] | None:
    """What is kept of a window; None if it was never worked out."""
    try:
        found = json.loads(_file(ctx, window).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def worked_out(ctx: Context, windows: list[Window]) -> list[dict[str, Any] | None]:
    """What is kept of windows of one grain, in order; those that were not over when they were counted are counted anew.

    None for each if there are neither files of events nor earlier numbers.
    """
    kept = [read(ctx, one) for one in windows]
    lack = [one for one, record in zip(windows, kept, strict=True) if record is None or not record["complete"]]
    settings = ctx.settings["analytics"]
    if lack and (_taken_in(ctx) or event_files.found(settings["sources"], ctx.home)):
        span = list(periods.windows(lack[0].start, lack[-1].end, lack[0].grain, lack[0].zone))
        _worked_out(ctx, span, _measures(settings, None), None, None)
        kept = [read(ctx, one) for one in windows]
    return kept


def _worked_out(
    ctx: Context, windows: list[Window], measures: dict[str, Measure], source: list[str] | None, format: Format | None
) -> tuple[list[dict[str, Any]], int, aggregation.Counted]:
    """Count windows and keep them: what is kept now, of how many files, and what the engine said."""
    settings = ctx.settings["analytics"]
    with _alone(ctx):
        files = event_files.found(source or settings["sources"], ctx.home)
        if source is None:
            files += _taken_in(ctx)
        done = _counted(ctx, files, format or settings["format"], measures, windows, settings)
        return [_keep(ctx, window, measures, done) for window in windows], len(files), done


def _measures(settings: Mapping[str, Any], wanted: list[str] | dict[str, Measure] | None) -> dict[str, Measure]:
    """Those of the settings and of the payload; all are worked out, so that a file says no less than before."""
    known = _MEASURES.validate_python(settings["metrics"])
    there = known | (wanted if isinstance(wanted, dict) else {})
    for name in wanted or ():
        if name not in there:
            raise Reject(f"there is no metric {name}: [analytics.metrics] has {', '.join(known)}", reason="metric")
    for name, one in there.items():
        for other in (one.of, one.to):
            if other is not None and (other not in there or there[other].kind == "ratio"):
                raise Reject(f"{name} divides {other}, which is no metric that can be divided", reason="metric")
    return there


def _windows(grain: Grain, span: DateRange | None, zone: str, late: int) -> list[Window]:
    """Those of the range; without one the last that is over, and so many before it."""
    if span is None:
        last = periods.containing(datetime.now(UTC), grain, zone).before()
        wanted = [last]
        for _ in range(late):
            wanted.append(wanted[-1].before())
        return wanted[::-1]
    try:
        start, end = periods.instant(span.start, zone), periods.instant(span.end, zone, end=True)
    except ValueError as error:
        raise Reject(f"dateRange: {error}", reason="range") from None
    if end <= start:
        raise Reject(f"dateRange: {span.end} is not after {span.start}", reason="range")
    made: list[Window] = []
    for one in periods.windows(start, end, grain, zone):
        made.append(one)
        if len(made) > periods.MOST_WINDOWS:
            raise Reject(f"dateRange: more than {periods.MOST_WINDOWS:,} windows: ask for fewer", reason="range")
    return made


def _counted(
    ctx: Context,
    files: list[Path],
    wanted: str,
    measures: Mapping[str, Measure],
    windows: list[Window],
    settings: Mapping[str, Any],
) -> aggregation.Counted:
    first = windows[0]
    asked = event_query.Asked(
        grain=first.grain,
        zone=first.zone,
        start=first.start,
        end=windows[-1].end,
        time=settings["time"],
        event=settings["event"],
        measures=measures,
    )
    columns = [asked.time, asked.event, *(one.field for one in measures.values() if one.field)]
    columns += [key for one in measures.values() for key in one.where]
    groups, stands_for = event_files.groups(ctx, files, wanted, settings["table"], list(dict.fromkeys(columns)))
    return aggregation.counted(ctx, groups, stands_for, asked, int(settings["memory_limit"]))


def _looked_through(
    ctx: Context, file: Path, kind: event_files.Kind, settings: Mapping[str, Any]
) -> aggregation.Counted:
    """How many events a file has, from when to when: all of them lie outside an empty span."""
    nowhere = periods.containing(datetime(1970, 1, 1, tzinfo=UTC), "daily", settings["timezone"])
    empty = Window("daily", nowhere.start, nowhere.start, nowhere.zone)
    return _counted(ctx, [file], kind, {}, [empty], settings)


def _keep(ctx: Context, window: Window, measures: Mapping[str, Measure], done: aggregation.Counted) -> dict[str, Any]:
    """Write the numbers of a window; untouched where they are what they were."""
    key = event_query.key_of(window.grain, window.start.astimezone(ZoneInfo(window.zone)))
    events, values = done.windows.get(key, (0, event_query.nothing(measures)))
    old = read(ctx, window)
    now = datetime.now(UTC)
    numbers: dict[str, Any] = {"events": events, "metrics": values, "complete": window.end <= now}
    same = old is not None and {name: old.get(name) for name in numbers} == numbers
    if same and old is not None:
        return old | {"changed": False}
    record = periods.as_json(window) | numbers
    record |= {
        "units": {name: "%" for name, one in measures.items() if one.percent},
        "revision": 1 if old is None else int(old.get("revision", 0)) + 1,
        "computed_at": periods.iso(now),
        "path": str(_file(ctx, window)),
    }
    content = (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode()
    write_whole(_file(ctx, window), content)
    ctx.asset(
        {
            "id": f"aggregate_{window.grain}_{window.name}_{window.zone}".replace("/", "-"),
            "name": f"{window.grain} {window.name}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "type": "application/json",
            **{key: record[key] for key in ("path", "granularity", "timezone", "start", "end", "revision")},
            "events": events,
            "metrics": values,
        }
    )
    return record | {"changed": True}


def _file(ctx: Context, window: Window) -> Path:
    zone = "" if window.zone == ctx.settings["analytics"]["timezone"] else "-" + window.zone.replace("/", "-")
    return folder(ctx) / window.grain / f"{window.name}{zone}.json"


def _events(ctx: Context) -> Path:
    return Path(ctx.settings["storage"]["path"]) / "analytics" / "events"


def _taken_in(ctx: Context) -> list[Path]:
    found = _events(ctx)
    return sorted(one for one in found.iterdir() if not one.name.startswith(".")) if found.is_dir() else []


def _measure(file: Path) -> tuple[int, str]:
    with file.open("rb") as stream:
        return file.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _alone(ctx: Context) -> Iterator[None]:
    """One after the other: whoever writes a window last has read all that was there before."""
    lock = folder(ctx).parent / ".lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                ctx.checkpoint()
                time.sleep(0.2)
        yield
