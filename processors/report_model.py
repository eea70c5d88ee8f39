"""What a report is: figures, charts and tables in sections, of a period and the one before, as plain values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Better = Literal["more", "less", ""]
ChartKind = Literal["bars", "lines", "ranking"]
Number = float | int | None


@dataclass(slots=True)
class Figure:
    """A number with a name, beside what it was in the period before.

    `unit` is "" for a plain number, "%", "ms", "s", "bytes" or a word that comes after it.
    """

    label: str
    value: Number
    before: Number = None
    unit: str = ""
    better: Better = ""


@dataclass(slots=True)
class Series:
    """One row of values of a chart; `before`: of the period before, drawn faintly."""

    name: str
    values: Sequence[Number]
    before: bool = False
    bad: bool = False


@dataclass(slots=True)
class Chart:
    """Values by label. `bars` are stacked, `lines` joined, a `ranking` has one bar a label, the longest first."""

    title: str
    kind: ChartKind
    labels: list[str]
    series: list[Series]
    unit: str = ""


@dataclass(slots=True)
class Table:
    """Rows of text and numbers; `units` by column, as those of figures."""

    title: str
    columns: list[str]
    rows: list[list[str | float | int | None]]
    units: list[str] = field(default_factory=list)

    def unit(self, column: int) -> str:
        return self.units[column] if column < len(self.units) else ""

    def column(self, at: int) -> list[str | Number]:
        return [row[at] for row in self.rows]

    def numeric(self, column: int) -> bool:
        """Whether a column is one of numbers: they stand at its right."""
        values = self.column(column)
        return any(value is not None for value in values) and not any(isinstance(value, str) for value in values)


@dataclass(slots=True)
class Section:
    title: str
    text: str = ""
    figures: list[Figure] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """`period` and `before` are words such as "Week 47, 16 to 22 November 2026"; `made` an instant."""

    name: str
    title: str
    period: str = ""
    before: str = ""
    owner: str = ""
    made: str = ""
    sections: list[Section] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(data: Any) -> Report:
    """A report as it was written by `to_json`.

    Raises:
        ValueError: it is none.
    """
    from pydantic import TypeAdapter

    known = {one.name for one in fields(Report)}
    if not isinstance(data, dict) or "sections" not in data or not data.keys() <= known:
        raise ValueError(f"a report is an object with {', '.join(sorted(known))}")
    return TypeAdapter(Report).validate_python(data)
