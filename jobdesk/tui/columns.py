"""Columns that fit: by importance when there is little room, stretched where there is more than enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobdesk.tui.format import Spans, fit, fit_spans

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `width` cells at least; the highest `rank` is dropped first; `grow` shares what is left over."""

    key: str
    title: str
    width: int
    rank: int = 0
    align: str = "<"
    grow: int = 0
    most: int | None = None
    """Cells at the most, however much room there is."""


Placed = tuple[tuple[Column, int], ...]
"""Columns with the width each of them got."""


def place(columns: Sequence[Column], room: int) -> Placed:
    """Choose the columns that fit into `room` cells and give each its width."""
    kept = list(columns)
    while len(kept) > 1 and _needs(kept) > room:
        kept.remove(max(kept, key=lambda column: column.rank))
    left = max(0, room - _needs(kept))
    widths = {column.key: min(column.width, room) for column in kept}
    growing = [column for column in kept if column.grow]
    while left and growing:
        total, before = sum(column.grow for column in growing), left
        for column in growing:
            wanted = max(1, before * column.grow // total)
            if column.most is not None:
                wanted = min(wanted, column.most - widths[column.key])
            wanted = max(0, min(wanted, left))
            widths[column.key] += wanted
            left -= wanted
        growing = [one for one in growing if one.most is None or widths[one.key] < one.most]
        if left == before:
            break
    return tuple((column, widths[column.key]) for column in kept)


def _needs(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def header(placed: Placed, more: str = "…") -> Spans:
    """The line of titles."""
    gap = " " * GAP
    return tuple(
        (("" if at == 0 else gap) + fit(column.title, width, column.align, more), "head")
        for at, (column, width) in enumerate(placed)
    )


def row(placed: Placed, cells: Mapping[str, Spans], more: str = "…") -> Spans:
    """One line of a table; a missing cell is empty."""
    spans: list[tuple[str, str]] = []
    for at, (column, width) in enumerate(placed):
        if at:
            spans.append((" " * GAP, "text"))
        spans.extend(fit_spans(cells.get(column.key, ()), width, column.align, more))
    return tuple(spans)
