"""Which jobs of a table are marked: some, a range that is being drawn, or all that match."""

from jobdesk.ledger.search import Line

LONGEST_RANGE = 10_000
"""Jobs one range may mark; more is a matter for `*`."""


class Marks:
    """Marks by seq. `everything` stands for the query of the table, not for a list."""

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}
        self.everything = False
        self.range_from: int | None = None
        """Where a range began, as a place in the table."""

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def any(self) -> bool:
        """Whether there is anything to clear."""
        return bool(self._lines) or self.everything or self.range_from is not None

    @property
    def lines(self) -> tuple[Line, ...]:
        """The marked jobs, newest first."""
        return tuple(self._lines[seq] for seq in sorted(self._lines, reverse=True))

    def has(self, line: Line, at: int, cursor: int) -> bool:
        """Whether the job at this place is marked, or would be if the range ended at the cursor."""
        if self.everything or line.seq in self._lines:
            return True
        return self.range_from is not None and min(self.range_from, cursor) <= at <= max(self.range_from, cursor)

    def toggle(self, line: Line) -> None:
        """Mark it, or no longer."""
        if self._lines.pop(line.seq, None) is None:
            self._lines[line.seq] = line

    def add(self, line: Line) -> None:
        self._lines[line.seq] = line

    def update(self, line: Line) -> None:
        """The job has changed; a mark goes with it."""
        if line.seq in self._lines:
            self._lines[line.seq] = line

    def take_range(self, cursor: int) -> tuple[int, int]:
        """End the range at the cursor; first and last place of it."""
        start = cursor if self.range_from is None else self.range_from
        self.range_from = None
        first, last = min(start, cursor), max(start, cursor)
        return first, min(last, first + LONGEST_RANGE - 1)

    def clear(self) -> None:
        self._lines.clear()
        self.everything = False
        self.range_from = None
