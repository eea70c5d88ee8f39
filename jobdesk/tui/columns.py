"""Columns that fit: by importance when there is little room, as wide as what they say where there is enough."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rich.cells import cell_len

from jobdesk.tui.format import Spans, fit, fit_spans, width_of

GAP = 2
_LONG = 40
"""Cells that a text without an end of its own may claim from spare columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `width` cells at least; the highest `rank` is dropped first; `grow` shares what is left over.

    One that grows also shrinks to what it says, if that is less, so that no neighbour is cut beside empty cells.
    """

    key: str
    title: str
    width: int
    rank: int = 0
    align: str = "<"
    grow: int = 0
    most: int | None = None
    """Cells at the most, however much room there is."""
    spare: bool = False
    """Given up as soon as a cell of another column would be cut by it."""


Placed = tuple[tuple[Column, int], ...]
"""Columns with the width each of them got."""


def place(columns: Sequence[Column], room: int, said: Mapping[str, int] = MappingProxyType({})) -> Placed:
    """Choose the columns that fit into `room` cells and give each its width.

    Args:
        said: how many cells the longest cell of a column takes, where that is known; the most important get it first.
    """
    least = {column.key: _least(column, said) for column in columns}
    kept = list(columns)
    while len(kept) > 1 and sum(least[column.key] + GAP for column in kept) - GAP > room:
        kept.remove(max(kept, key=lambda column: column.rank))
    for spare in sorted((column for column in kept if column.spare), key=lambda column: -column.rank):
        asked = sum(max(least[one.key], min(said.get(one.key, 0), one.most or _LONG)) + GAP for one in kept) - GAP
        if asked > room and len(kept) > 1:
            kept.remove(spare)
    widths = {column.key: min(least[column.key], room) for column in kept}
    growing = [column for column in kept if column.grow]
    left = max(0, room - sum(widths.values()) - GAP * (len(kept) - 1))
    for column in sorted(growing, key=lambda column: column.rank):
        wanted = min(said.get(column.key, 0), column.most or room) - widths[column.key]
        wanted = max(0, min(wanted, left))
        widths[column.key] += wanted
        left -= wanted
    return tuple((column, widths[column.key]) for column in _stretched(kept, widths, left))


def _stretched(kept: Sequence[Column], widths: dict[str, int], left: int) -> Sequence[Column]:
    """Share what is left over among those that grow."""
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
    return kept


def longest(cells: Iterable[Mapping[str, Spans]], so_far: Mapping[str, int]) -> dict[str, int]:
    """How many cells each column needs for these rows; never less than `so_far`, so that nothing swings to and fro."""
    found = dict(so_far)
    for row_cells in cells:
        for key, spans in row_cells.items():
            width = width_of(spans)
            if width > found.get(key, -1):
                found[key] = width
    return found


def _least(column: Column, said: Mapping[str, int]) -> int:
    if not column.grow or column.key not in said:
        return column.width
    return min(column.width, max(said[column.key], cell_len(column.title), 1))


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
