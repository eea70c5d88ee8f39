"""The one statement that counts events, as text for DuckDB with its values, and what its rows come to.

Names of fields are checked before they get here and quoted; values are bound.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from jobdesk import Measure

from .event_files import LINE_BYTES, Group, json_path
from .periods import Grain

BAD, OUTSIDE = "bad", "outside"
"""Keys of what cannot be read, and of what lies in no window that was asked for."""
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


class Statement:
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
        zone = text_of(self._asked.zone)
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
            f"WITH event AS ({source}), kept AS (SELECT *, CASE WHEN moment IS NULL THEN '{BAD}' "
            f"WHEN NOT ({inside}) THEN '{OUTSIDE}' ELSE {key} END AS part FROM event) "
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
        files = "[" + ", ".join(text_of(_literal(str(file))) for file in group.files) + "]"
        more = f"auto_detect=false, store_rejects=true, filename=true, max_line_size={LINE_BYTES}"
        if group.kind == "ndjson":
            paths = "[" + ", ".join(text_of(json_path(one)) for one in self.fields) + "]"
            return (
                f"SELECT CASE WHEN json_valid(line) THEN json_extract_string(line, {paths}) END AS v, line AS raw, "
                f"filename FROM read_csv({files}, delim=chr(1), quote='', escape='', header=false, strict_mode=false, "
                f"columns={{'line': 'VARCHAR'}}, {more}) WHERE line IS NOT NULL AND line <> ''"
            )
        values = ", ".join(_name(one) if one in group.columns else "NULL" for one in self.fields)
        raw = _name(self._asked.time) if self._asked.time in group.columns else "''"
        columns = ", ".join(f"{text_of(one)}: 'VARCHAR'" for one in group.columns)
        return (
            f"SELECT CAST([{values}] AS VARCHAR[]) AS v, {raw} AS raw, filename FROM read_csv({files}, "
            f"delim={text_of(group.delimiter)}, quote='\"', escape='\"', header=true, columns={{{columns}}}, {more})"
        )

    def _measured(self, name: str, one: Measure) -> list[str]:
        only = [f"part NOT IN ('{BAD}', '{OUTSIDE}')"]
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


def _plain(number: Decimal | None) -> float | int | None:
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else round(float(number), 6)


def _instant(at: datetime) -> str:
    return f"make_timestamptz({round(at.timestamp() * 1_000_000)})"


def text_of(said: str) -> str:
    return "'" + said.replace("'", "''") + "'"


def _name(said: str) -> str:
    return '"' + said.replace('"', '""') + '"'


def _literal(path: str) -> str:
    """A path in which nothing stands for any name."""
    return re.sub(r"([\[\]*?])", r"[\1]", path)
