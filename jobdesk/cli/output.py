"""What commands print: tables for people, tab-separated lines for pipes, JSON for programs."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TextIO

from jobdesk.cli.parsing import terminal_width

_TONES = {"bold": "1", "faint": "2", "bad": "31", "ok": "32", "warn": "33", "run": "36", "later": "34"}
_SLIVER = 4
"""Columns of a terminal that a cell keeps when all else failed."""
_STATES = {
    "blocked": ("⧗", "faint"),
    "scheduled": ("◷", "later"),
    "pending": ("·", ""),
    "processing": ("▶", "run"),
    "retrying": ("↻", "warn"),
    "completed": ("✓", "ok"),
    "failed": ("✗", "bad"),
    "cancelled": ("⊘", "faint"),
    "expired": ("◌", "bad"),
}


class Column(NamedTuple):
    """A column of a table.

    Args:
        least: how narrow it may become; 0 means it is never cut.
        drop: columns with the highest are left out first where the terminal is narrow; 0 means never.
        tone: of a cell, by its text.
    """

    title: str
    right: bool = False
    least: int = 0
    drop: int = 0
    tone: Callable[[str], str] | None = None


class Out:
    """Where a command's answer goes. On a pipe there are no headings, colours, cut cells or notes."""

    def __init__(self, json: bool = False, stream: TextIO | None = None, errors: TextIO | None = None) -> None:
        self.json = json
        self.stream = stream or sys.stdout
        self.errors = errors or sys.stderr
        for one in (self.stream, self.errors):
            if (reconfigure := getattr(one, "reconfigure", None)) is not None:
                reconfigure(errors="backslashreplace")  # a file's name need not be text

    @cached_property
    def terminal(self) -> bool:
        """Whether a person reads it."""
        return self.stream.isatty()

    @cached_property
    def colour(self) -> bool:
        return self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @cached_property
    def width(self) -> int:
        return max(20, terminal_width())

    @cached_property
    def _unicode(self) -> bool:
        return "utf" in (self.stream.encoding or "").lower()

    # ── for programs ──

    def document(self, value: Any) -> None:
        """Print one JSON document."""
        import json

        self.stream.write(json.dumps(value, ensure_ascii=False, indent=2 if self.terminal else None) + "\n")

    def record(self, value: Any) -> None:
        """Print one line of NDJSON, at once."""
        import json

        self.stream.write(json.dumps(value, ensure_ascii=False) + "\n")
        self.stream.flush()

    # ── for people ──

    def line(self, text: str = "", *, flush: bool = False) -> None:
        """Print one line; control characters in it are shown, not obeyed."""
        self.stream.write(text + "\n")
        if flush:
            self.stream.flush()

    def say(self, text: str) -> None:
        """Print a sentence that only a person needs: nothing on a pipe or with --json."""
        if self.terminal and not self.json:
            self.line(text)

    def note(self, text: str) -> None:
        """A hint beside the answer, on a terminal only."""
        if self.errors.isatty() and not self.json:
            self.stream.flush()
            self.errors.write(text + "\n")

    def paint(self, text: str, tone: str) -> str:
        """The text in a tone: bold faint bad ok warn run later."""
        code = _TONES.get(tone)
        return f"\x1b[{code}m{text}\x1b[0m" if code and self.colour and text else text

    def state(self, state: str) -> str:
        """A state for a cell: its glyph and word on a terminal, the word alone elsewhere."""
        glyph = _STATES.get(state, ("", ""))[0]
        return f"{glyph} {state}" if glyph and self.terminal and self._unicode else state

    def when(self, instant: float | None, now: float) -> str:
        """An instant: how long ago or ahead on a terminal, ISO 8601 elsewhere."""
        from jobdesk.core.clock import iso
        from jobdesk.core.durations import short

        if instant is None:
            return self.nothing
        if not self.terminal:
            return iso(instant) or ""
        passed = now - instant
        return f"{short(passed)} ago" if passed >= 0 else f"in {short(-passed)}"

    def clock_time(self, instant: float) -> str:
        """An instant as local time of day on a terminal, ISO 8601 elsewhere."""
        from jobdesk.core.clock import SystemClock, iso

        if not self.terminal:
            return iso(instant) or ""
        local = time.localtime(instant)
        return time.strftime("%H:%M:%S" if SystemClock().now() - instant < 43_200 else "%Y-%m-%d %H:%M:%S", local)

    @property
    def nothing(self) -> str:
        """An empty cell."""
        return "–" if self.terminal and self._unicode else ""

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Print rows: aligned and fitted to the terminal, or tab-separated and whole."""
        if not self.terminal:
            for row in rows:
                self.line("\t".join(plain(cell) for cell in row))
            return
        cells = [[plain(cell) for cell in row] for row in rows]
        widths = [
            max([cell_width(column.title), *(cell_width(row[at]) for row in cells)])
            for at, column in enumerate(columns)
        ]
        shown = _fit(columns, widths, self.width)
        self.line(self.paint(self._row(columns, [column.title for column in columns], shown), "faint"))
        for row in cells:
            self.line(self._row(columns, row, shown, tones=True))

    def _row(
        self, columns: Sequence[Column], cells: Sequence[str], shown: Sequence[tuple[int, int]], tones: bool = False
    ) -> str:
        parts = []
        for place, (at, width) in enumerate(shown):
            text = cut(cells[at], width)
            pad = " " * (width - cell_width(text))
            tone = columns[at].tone
            text = self.paint(text, tone(cells[at])) if tones and tone else text
            last = place == len(shown) - 1
            parts.append(pad + text if columns[at].right else text if last else text + pad)
        return "  ".join(parts).rstrip()

    def fields(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Print names and values below one another; empty values are left out."""
        kept = [(name, value) for name, value in pairs if value]
        width = max((len(name) for name, _ in kept), default=0)
        for name, value in kept:
            first, *others = value.splitlines() or [""]
            self.line(f"{self.paint(name.ljust(width), 'faint')}  {plain(first)}")
            for other in others:
                self.line(f"{' ' * width}  {plain(other)}")

    def heading(self, text: str) -> None:
        """Begin a part of a longer answer."""
        self.line()
        self.line(self.paint(text, "bold"))


def state_tone(cell: str) -> str:
    """The tone of a cell made by `Out.state`."""
    return _STATES.get(cell.rpartition(" ")[2], ("", ""))[1]


def plain(text: str) -> str:
    """Text without anything that a terminal would obey; line ends and tabs become visible too."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _visible(letter) for letter in text)


def coloured(text: str) -> str:
    """Like `plain`, but what colours the text stays."""
    import re

    return "".join(part if at % 2 else plain(part) for at, part in enumerate(re.split(r"(\x1b\[[0-9;:]*m)", text)))


def _visible(letter: str) -> str:
    if letter in "\n\r\t":
        return " "
    return letter.encode("unicode_escape").decode("ascii")


def cell_width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, with an ellipsis where it was cut."""
    if cell_width(text) <= width:
        return text
    kept, room = [], width - 1
    for letter in text:
        room -= cell_width(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def _fit(columns: Sequence[Column], widths: list[int], room: int) -> list[tuple[int, int]]:
    """Which columns are shown how wide: long ones are narrowed first, then the least important left out."""
    shown = list(range(len(columns)))
    while True:
        wide = {at: widths[at] for at in shown}
        droppable = [at for at in shown if columns[at].drop]
        if _narrowed(wide, {at: columns[at].least for at in shown}, room):
            return list(wide.items())
        if not droppable:
            _narrowed(wide, {at: min(columns[at].least, _SLIVER) for at in shown}, room)
            return list(wide.items())
        shown.remove(max(droppable, key=lambda at: columns[at].drop))


def _narrowed(wide: dict[int, int], least: dict[int, int], room: int) -> bool:
    """Take width from the widest columns that may be cut; whether all fit then."""
    over = sum(wide.values()) + 2 * (len(wide) - 1) - room
    while over > 0:
        soft = [at for at in wide if least[at] and wide[at] > least[at]]
        if not soft:
            return False
        wide[max(soft, key=lambda at: wide[at])] -= 1
        over -= 1
    return True


def forget_streams() -> None:
    """Nobody reads any more: let the interpreter's last flush go nowhere instead of failing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
