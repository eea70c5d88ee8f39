"""What can be said of records with numbers: of several beside one another, and of some over time.

A record is a JSON object. What it is called is its `name`, `businessName`, `title`, `username` … ; when it was, its
`date`, `publishedAt`, `timestamp` … ; every other number is something to compare, also one field down: `stats.likes`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean, median
from typing import Any

from .report_events import words
from .report_model import Chart, Figure, Number, Section, Series, Table

Record = Mapping[str, Any]
_NAMES = ("name", "businessName", "title", "displayName", "username", "businessId", "profileId", "videoId", "id")
_TIMES = ("date", "publishedAt", "postedAt", "takenAt", "timestamp", "createdAt", "created_at", "week", "month")
_MOST_CHARTS = 4
_MOST_COLUMNS = 6
_MOST_ROWS = 200


def called(record: Record, place: int) -> str:
    """What a record is called; its number if it has no name."""
    return next((str(record[key]) for key in _NAMES if record.get(key) not in (None, "")), f"no. {place + 1}")


def numbers(records: Sequence[Record]) -> list[str]:
    """The numbers that records have, those of most records first, then in the order in which they come."""
    found: dict[str, int] = {}
    for record in records:
        for key, _ in _numbers(record):
            found[key] = found.get(key, 0) + 1
    return sorted(found, key=lambda key: -found[key])


def value(record: Record, key: str) -> Number:
    return dict(_numbers(record)).get(key)


def _numbers(record: Record, above: str = "") -> Iterator[tuple[str, float | int]]:
    for key, one in record.items():
        if isinstance(one, Mapping) and not above:
            yield from _numbers(one, f"{key}.")
        elif isinstance(one, int | float) and not isinstance(one, bool) and not _names(key):
            yield above + key, one


def _names(key: str) -> bool:
    return key in _NAMES or key in _TIMES or key.lower().endswith("id")


def title(key: str) -> str:
    """followersCount as Followers count, stats.likes as Likes."""
    spaced = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in key.rpartition(".")[2])
    return words(" ".join(spaced.split()))


def beside(records: Sequence[Record], own: str | None) -> list[Section]:
    """Records compared: one's own beside the others where it is among them, who leads, everything in a table."""
    keys = numbers(records)
    mine = next((one for one in records if own is not None and own in _marks(one)), None)
    others = [one for one in records if one is not mine]
    made: list[Section] = []
    if mine is not None and others:
        figures = []
        for key in keys[:8]:
            theirs = [number for one in others if (number := value(one, key)) is not None]
            figures.append(
                Figure(title(key), value(mine, key), round(fmean(theirs), 2) if theirs else None, "", "more")
            )
        place = called(mine, records.index(mine))
        text = f"{place} beside the average of {len(others):,} others."
        made.append(Section("Own business", text, figures))
    else:
        figures = []
        for key in keys[:8]:
            there = [number for one in records if (number := value(one, key)) is not None]
            figures.append(Figure(f"{title(key)}, median", round(median(there), 2) if there else None))
        made.append(Section("All", f"{len(records):,} compared.", figures))
    names = [called(one, place) for place, one in enumerate(records)]
    ranked = Section("Who leads")
    for key in keys[:_MOST_CHARTS]:
        pairs = [(name, value(one, key)) for name, one in zip(names, records, strict=True)]
        shown = [(name, number) for name, number in pairs if number is not None]
        series = [Series(title(key), [number for _, number in shown])]
        ranked.charts.append(Chart(title(key), "ranking", [name for name, _ in shown], series))
    columns = keys[:_MOST_COLUMNS]
    rows: list[list[str | float | int | None]] = [
        [name, *(value(one, key) for key in columns)] for name, one in zip(names, records, strict=True)
    ]
    if columns:
        rows.sort(key=lambda row: -float(row[1] or 0))
    ranked.tables.append(Table("All in numbers", ["Name", *map(title, columns)], rows[:_MOST_ROWS]))
    made.append(ranked)
    return made


def _marks(record: Record) -> set[str]:
    return {str(record[key]) for key in _NAMES if record.get(key) not in (None, "")}


def moment(record: Record) -> datetime | None:
    """When a record was; None if it does not say so."""
    for key in _TIMES:
        said = record.get(key)
        if isinstance(said, str):
            try:
                found = datetime.fromisoformat(said)
            except ValueError:
                continue
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(said, int | float) and not isinstance(said, bool):
            try:
                return datetime.fromtimestamp(said / 1000 if said > 1e11 else said, UTC)
            except (OverflowError, ValueError, OSError):
                continue
    return None


def over_time(records: Sequence[Record]) -> list[Section]:
    """How the numbers of records go: each by day, its straight line, the later half beside the earlier one.

    Raises:
        ValueError: fewer than two of them say when they were.
    """
    dated = sorted(((at, one) for one in records if (at := moment(one)) is not None), key=lambda pair: pair[0])
    if len(dated) < 2:
        raise ValueError(
            f"a trend needs at least two records with a date ({', '.join(_TIMES[:3])} …): {len(dated)} of "
            f"{len(records)} have one"
        )
    keys = numbers([one for _, one in dated])
    half = len(dated) // 2
    figures, charts_, rows = list[Figure](), list[Chart](), list[list[str | float | int | None]]()
    for key in keys[:8]:
        early, late = (_mean([one for _, one in part], key) for part in (dated[:half], dated[half:]))
        figures.append(Figure(f"{title(key)}, average", late, early, "", "more"))
    for key in keys[:_MOST_CHARTS]:
        days = _by_day(dated, key)
        slope, first = line_through([(at, number) for at, (_, number) in enumerate(days)])
        straight: list[Number] = [round(first + slope * at, 4) for at in range(len(days))]
        series = [Series(title(key), [number for _, number in days]), Series("trend", straight, before=True)]
        charts_.append(Chart(f"{title(key)}, average of a day", "lines", [day for day, _ in days], series))
        rows.append([title(key), days[0][1], days[-1][1], round(slope, 4)])
    text = (
        f"{len(dated):,} records, {dated[0][0]:%d %B %Y} to {dated[-1][0]:%d %B %Y}; the later half beside the earlier."
    )
    best = (
        sorted(
            ((called(one, at), one) for at, (_, one) in enumerate(dated)),
            key=lambda pair: -(value(pair[1], keys[0]) or 0),
        )
        if keys
        else []
    )
    top: list[list[str | float | int | None]] = [
        [name, *(value(one, key) for key in keys[:_MOST_COLUMNS])] for name, one in best[:10]
    ]
    return [
        Section(
            "Trends", text, figures, charts_, [Table("Straight lines", ["", "First day", "Last day", "Each day"], rows)]
        ),
        Section("The best", tables=[Table("", ["Name", *map(title, keys[:_MOST_COLUMNS])], top)]),
    ]


def _mean(records: Sequence[Record], key: str) -> Number:
    there = [number for one in records if (number := value(one, key)) is not None]
    return round(fmean(there), 2) if there else None


def _by_day(dated: Sequence[tuple[datetime, Record]], key: str) -> list[tuple[str, float]]:
    days: dict[str, list[float]] = {}
    for at, one in dated:
        if (number := value(one, key)) is not None:
            days.setdefault(f"{at:%d %b}", []).append(number)
    return [(day, round(fmean(there), 2)) for day, there in days.items()]


def line_through(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and start of the straight line nearest to points (least squares)."""
    if len({x for x, _ in points}) < 2:
        return 0.0, points[0][1] if points else 0.0
    middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / sum((x - middle_x) ** 2 for x, _ in points)
    return slope, middle_y - slope * middle_x


def anything(data: Any, name: str = "Analysis") -> list[Section]:
    """Any JSON as sections: numbers as figures, texts as paragraphs, lists of objects as tables."""
    if not isinstance(data, Mapping):
        data = {name: data}
    own, others = Section(name), list[Section]()
    said: list[str] = []
    for key, one in data.items():
        shown = title(str(key))
        if isinstance(one, bool) or one is None:
            said.append(f"{shown}: {'–' if one is None else 'yes' if one else 'no'}")
        elif isinstance(one, int | float):
            own.figures.append(Figure(shown, one))
        elif isinstance(one, str):
            said.append(one if len(data) == 1 else f"{shown}: {one}")
        elif isinstance(one, Mapping):
            others += anything(one, shown)
        elif one and all(isinstance(row, Mapping) for row in one):
            others.append(Section(shown, tables=[_as_table(one)]))
        else:
            others.append(Section(shown, "\n".join(f"• {_text(row)}" for row in one) or "none"))
    own.text = "\n".join(said)
    return [own, *others] if own.text or own.figures else others or [own]


def _as_table(rows: Sequence[Record]) -> Table:
    columns = list(dict.fromkeys(key for row in rows for key in row))[: _MOST_COLUMNS + 1]
    return Table("", [title(str(key)) for key in columns], [[_cell(row.get(key)) for key in columns] for row in rows])


def _cell(one: Any) -> str | float | int | None:
    if one is None or (isinstance(one, int | float | str) and not isinstance(one, bool)):
        return one
    return _text(one)


def _text(one: Any) -> str:
    if isinstance(one, bool):
        return "yes" if one else "no"
    if isinstance(one, Mapping):
        return ", ".join(f"{key}: {_text(each)}" for key, each in one.items())
    if isinstance(one, list):
        return ", ".join(map(_text, one))
    return str(one)
