"""Numbers about events, worked out by DuckDB in one pass over all files, in little memory.

Every row is put under a key: its window, or that it lies outside, or that it cannot be read; so what is bad is counted
in the same pass.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobdesk import Context, Reject

from .event_files import Group, line_numbers
from .event_query import BAD, OUTSIDE, Asked, Statement, text_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MISSING = 'analytics need a library that is not installed: pip install "jobdesk[analytics]"'
NAMED = 20
"""Bad lines that are named; all are counted."""
_LOOK_EVERY_S = 0.5


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
    engine.execute(f"SET TimeZone = {text_of(zone)}")
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
    statement = Statement(asked)
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


def _take(made: Counted, statement: Statement, row: Sequence[Any]) -> None:
    part, events, first, last, *numbers = row
    if part == BAD:
        made.bad += events
        return
    for at in (first, last):
        moment = _from_epoch(at)
        made.first = min(made.first or moment, moment)
        made.last = max(made.last or moment, moment)
    if part == OUTSIDE:
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
    statement: Statement,
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
