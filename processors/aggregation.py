"""Numbers about events, worked out by DuckDB in one pass over all files, in little memory.

Names of fields are checked before they get here and quoted; values are bound. Every row is put under a key: its window,
or that it lies outside, or that it cannot be read; so that what is bad is counted in the same pass.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobdesk import Context, Measure, Reject

from .event_files import LINE_BYTES, Group, json_path, line_numbers
from .periods import Grain

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MISSING = 'analytics need a library that is not installed: pip install "jobdesk[analytics]"'
NAMED = 20
"""Bad lines that are named; all are counted."""
_LOOK_EVERY_S = 0.5
_BAD, _OUTSIDE = "bad", "outside"
_SUMMED = "DECIMAL(30, 6)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be worked out: of the events from `start` up to `end`, by window."""

    grain: Grain
    zone: str
    start: datetime
    end: datetime
    time: str
    event: str
    measures: Mapping[str, Measure]


@dataclass(slots=True)
class Bad:
    """A line that could not be read."""

    file: str
    line: int | None
    why: str

    def __str__(self) -> str:
        return f"{self.file}{'' if self.line is None else f', line {self.line:,}'}: {self.why}"


@dataclass(slots=True)
class Counted:
    """What came of it; `windows` by key (see `key_of`): events, and a value by measure (None: nothing to measure)."""

    windows: dict[str, tuple[int, dict[str, float | int | None]]] = field(default_factory=dict)
    outside: int = 0
    bad: int = 0
    named: list[Bad] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None


def connected(ctx: Context, memory_bytes: int, zone: str) -> "DuckDBPyConnection":
    """The engine: at home in its own folder, with little memory, without network and extensions.

    Raises:
        Reject: it is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise Reject(MISSING, reason="not-installed") from None
    engine = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_bytes // 1_000_000}MB",
            "threads": "2",
            "temp_directory": str(ctx.workdir / "engine"),
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    engine.execute(f"SET TimeZone = {_text(zone)}")
    engine.execute("SET lock_configuration = true")
    return engine


def counted(
    ctx: Context, groups: Sequence[Group], stands_for: Mapping[Path, Path], asked: Asked, memory_bytes: int
) -> Counted:
    """Work out all measures of all windows.

    Raises:
        Reject: DuckDB is missing, or cannot read a file at all.
    """
    made = Counted()
    if not groups:
        return made
    statement = _Statement(asked)
    with connected(ctx, memory_bytes, asked.zone) as engine:
        import duckdb

        try:
            for row in _run(ctx, engine, statement.text(groups), statement.bound):
                _take(made, statement, row)
            rejected = _rejected(engine)
            made.bad += rejected
            if made.bad:
                made.named = _named(engine, statement, groups, stands_for, asked, made.bad > rejected)
        except (duckdb.Error, OverflowError) as error:
            said = " ".join(str(error).split())[:300]
            raise Reject(f"the events cannot be read: {said}", reason="engine") from None
    return made


class _Statement:
    """The one statement, as it grows: fields by place, values in the order in which they are bound."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.bound: list[Any] = []
        self.fields = [asked.time, asked.event]
        self.columns: list[tuple[str, str]] = []
        """What is selected after the key: measure and part of it."""

    def text(self, groups: Sequence[Group]) -> str:
        parts = []
        for name, one in self._asked.measures.items():
            if one.kind != "ratio":
                parts += self._measured(name, one)
        source = self.source(groups)
        zone = _text(self._asked.zone)
        local = f"(moment AT TIME ZONE {zone})"
        key = {
            "hourly": f"strftime(date_trunc('hour', {local}), '%Y-%m-%dT%H') || '/' || "
            f"CAST(round((epoch({local}) - epoch(moment)) / 60) AS INTEGER)",
            "daily": f"strftime({local}, '%Y-%m-%d')",
            "weekly": f"strftime(date_trunc('week', {local}), '%Y-%m-%d')",
            "monthly": f"strftime({local}, '%Y-%m-01')",
        }[self._asked.grain]
        inside = f"moment >= {_instant(self._asked.start)} AND moment < {_instant(self._asked.end)}"
        return (
            f"WITH event AS ({source}), kept AS (SELECT *, CASE WHEN moment IS NULL THEN '{_BAD}' "
            f"WHEN NOT ({inside}) THEN '{_OUTSIDE}' ELSE {key} END AS part FROM event) "
            f"SELECT part, count(*), min(epoch(moment)), max(epoch(moment)){''.join(', ' + one for one in parts)} "
            "FROM kept GROUP BY part"
        )

    def source(self, groups: Sequence[Group]) -> str:
        """All lines as their fields `v`, the time as `moment`, and the file."""
        time = (
            "CASE WHEN regexp_full_match(v[1], '[0-9]{9,10}([.][0-9]+)?') THEN to_timestamp(CAST(v[1] AS DOUBLE)) "
            "WHEN regexp_full_match(v[1], '[0-9]{12,13}') THEN to_timestamp(CAST(v[1] AS DOUBLE) / 1000) "
            "ELSE TRY_CAST(v[1] AS TIMESTAMPTZ) END"
        )
        union = " UNION ALL ".join(self._read(one) for one in groups)
        return (
            f"SELECT * REPLACE (CASE WHEN isfinite(moment) THEN moment END AS moment) "
            f"FROM (SELECT v, raw, filename, {time} AS moment FROM ({union}))"
        )

    def _read(self, group: Group) -> str:
        files = "[" + ", ".join(_text(_literal(str(file))) for file in group.files) + "]"
        more = f"auto_detect=false, store_rejects=true, filename=true, max_line_size={LINE_BYTES}"
        if group.kind == "ndjson":
            paths = "[" + ", ".join(_text(json_path(one)) for one in self.fields) + "]"
            return (
                f"SELECT CASE WHEN json_valid(line) THEN json_extract_string(line, {paths}) END AS v, line AS raw, "
                f"filename FROM read_csv({files}, delim=chr(1), quote='', escape='', header=false, strict_mode=false, "
                f"columns={{'line': 'VARCHAR'}}, {more}) WHERE line IS NOT NULL AND line <> ''"
            )
        values = ", ".join(_name(one) if one in group.columns else "NULL" for one in self.fields)
        raw = _name(self._asked.time) if self._asked.time in group.columns else "''"
        columns = ", ".join(f"{_text(one)}: 'VARCHAR'" for one in group.columns)
        return (
            f"SELECT CAST([{values}] AS VARCHAR[]) AS v, {raw} AS raw, filename FROM read_csv({files}, "
            f"delim={_text(group.delimiter)}, quote='\"', escape='\"', header=true, columns={{{columns}}}, {more})"
        )

    def _measured(self, name: str, one: Measure) -> list[str]:
        only = ["part <> 'bad'", "part <> 'outside'"]
        bound: list[Any] = []
        if one.event is not None:
            only.append(self._among(2, one.event, bound))
        for key, values in one.where.items():
            only.append(self._among(self._place(key), values, bound))
        where = f" FILTER (WHERE {' AND '.join(only)})"
        if one.kind == "count":
            self.bound += bound
            self.columns.append((name, "count"))
            return [f"count(*){where}"]
        value = f"v[{self._place(one.field or '')}]"
        if one.kind == "unique":
            self.bound += bound
            self.columns.append((name, "count"))
            return [f"count(DISTINCT {value}){where}"]
        self.bound += bound * 2
        self.columns += [(name, "sum"), (name, "numbers")]
        number = f"TRY_CAST({value} AS {_SUMMED})"
        return [f"sum({number}){where}", f"count({number}){where}"]

    def _among(self, place: int, values: Any, bound: list[Any]) -> str:
        each = values if isinstance(values, list) else [values]
        bound += [str(one).lower() if isinstance(one, bool) else str(one) for one in each]
        return f"v[{place}] IN ({', '.join('?' for _ in each) or 'NULL'})"

    def _place(self, name: str) -> int:
        """Counted from 1."""
        if name not in self.fields:
            self.fields.append(name)
        return self.fields.index(name) + 1

    def values(self, row: Sequence[Any]) -> dict[str, float | int | None]:
        """The measures of a row, ratios too."""
        parts = dict(zip(self.columns, row, strict=True))
        made: dict[str, float | int | None] = {}
        for name, one in self._asked.measures.items():
            if one.kind in ("count", "unique"):
                made[name] = int(parts[name, "count"])
            elif one.kind != "ratio":
                total, numbers = parts[name, "sum"] or Decimal(0), parts[name, "numbers"]
                made[name] = _plain(total if one.kind == "sum" else total / numbers if numbers else None)
        return {name: made[name] if name in made else ratio(one, made) for name, one in self._asked.measures.items()}


def ratio(one: Measure, values: Mapping[str, float | int | None]) -> float | None:
    """What a ratio comes to; None if there is nothing to divide by."""
    part, whole = values[one.of or ""], values[one.to or ""]
    if part is None or not whole:
        return None
    return round(part / whole * (100 if one.percent else 1), 6)


def nothing(measures: Mapping[str, Measure]) -> dict[str, float | int | None]:
    """The measures of a window without events."""
    return {name: 0 if one.kind in ("count", "sum", "unique") else None for name, one in measures.items()}


def key_of(grain: Grain, local: datetime) -> str:
    """How the statement calls a window; `local` is when it begins, in its timezone."""
    if grain != "hourly":
        return f"{local:%Y-%m-%d}"
    offset = local.utcoffset()
    return f"{local:%Y-%m-%dT%H}/{round(offset.total_seconds() / 60) if offset else 0}"


def _take(made: Counted, statement: _Statement, row: Sequence[Any]) -> None:
    part, events, first, last, *numbers = row
    if part == _BAD:
        made.bad += events
        return
    for at in (first, last):
        moment = _from_epoch(at)
        made.first = min(made.first or moment, moment)
        made.last = max(made.last or moment, moment)
    if part == _OUTSIDE:
        made.outside += events
    else:
        made.windows[part] = events, statement.values(numbers)


def _from_epoch(at: float) -> datetime:
    most = 253_402_300_799.0  # the end of the year 9999
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=max(-62_135_596_800.0, min(at, most)))


def _run(ctx: Context, engine: "DuckDBPyConnection", text: str, bound: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement; meanwhile the job says how far it is, and hears a cancel."""
    rows: list[tuple[Any, ...]] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            rows.extend(engine.execute(text, bound).fetchall())
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(_LOOK_EVERY_S)
            ctx.checkpoint()
            done = engine.query_progress()
            if worker.is_alive() and done >= 0:
                ctx.progress(round(done), 100, "reading events")
    except BaseException:
        engine.interrupt()
        worker.join()
        raise
    if failed:
        raise failed[0]
    return rows


def _rejected(engine: "DuckDBPyConnection") -> int:
    (row,) = engine.execute("SELECT count(DISTINCT (scan_id, file_id, line)) FROM reject_errors").fetchall()
    return int(row[0])


def _named(
    engine: "DuckDBPyConnection",
    statement: _Statement,
    groups: Sequence[Group],
    stands_for: Mapping[Path, Path],
    asked: Asked,
    unread: bool,
) -> list[Bad]:
    """The first of the bad lines, with their places as far as they can be told."""
    named: list[Bad] = []
    for path, line, why in engine.execute(
        "SELECT s.file_path, e.line, min(e.error_message) FROM reject_errors e JOIN reject_scans s "
        "ON s.scan_id = e.scan_id AND s.file_id = e.file_id GROUP BY ALL ORDER BY ALL LIMIT ?",
        [NAMED],
    ).fetchall():
        named.append(Bad(_shown(path, stands_for), line, str(why).split("\n")[0].partition(". ")[0]))
    if not unread:
        return named
    rows = engine.execute(
        f"SELECT DISTINCT filename, raw, v IS NULL, v[1] FROM (SELECT * FROM ({statement.source(groups)}) "
        f"WHERE moment IS NULL LIMIT {NAMED})"
    ).fetchall()
    by_file: dict[str, dict[str, str]] = {}
    for path, raw, broken, time in rows:
        why = "no JSON" if broken else f"no {asked.time}" if time is None else f"'{time[:40]}' is no time"
        by_file.setdefault(path, {})[raw or ""] = why
    for path, texts in sorted(by_file.items()):
        file = Path(path)
        group = next(one for one in groups if file in one.files)
        column = group.columns.index(asked.time) if asked.time in group.columns else None
        numbers = dict(line_numbers(file, group, set(texts), column)) if file not in stands_for else {}
        named += [Bad(_shown(path, stands_for), numbers.get(raw), why) for raw, why in texts.items()]
    return sorted(named, key=lambda one: (one.file, one.line or 0))[:NAMED]


def _shown(path: str, stands_for: Mapping[Path, Path]) -> str:
    return stands_for.get(Path(path), Path(path)).name


def _plain(number: Decimal | None) -> float | int | None:
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else round(float(number), 6)


def _instant(at: datetime) -> str:
    return f"make_timestamptz({round(at.timestamp() * 1_000_000)})"


def _text(said: str) -> str:
    return "'" + said.replace("'", "''") + "'"


def _name(said: str) -> str:
    return '"' + said.replace('"', '""') + '"'


def _literal(path: str) -> str:
    """A path in which nothing stands for any name."""
    return re.sub(r"([\[\]*?])", r"[\1]", path)
