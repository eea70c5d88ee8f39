"""Lines of a job's log as they are drawn: the time, the level, and what was said, with what is looked for lit up."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from jobdesk.core.durations import short
from jobdesk.core.events import Event
from jobdesk.tui.format import Span, Spans, clock_time, fit, width_of
from jobdesk.tui.sgr import coloured

TIMES = ("absolute", "relative", "none")
"""How the time of a line is told; relative: since the first attempt began."""
LEVELS = {"debug": "faint", "info": "muted", "warning": "warn", "error": "bad", "critical": "bad"}


@dataclass(frozen=True, slots=True)
class LogLook:
    """How a log is drawn. `left`: cells that are scrolled away, where lines are not wrapped."""

    width: int
    wrapped: bool = True
    times: str = "absolute"
    since: float = 0.0
    left: int = 0
    wanted: re.Pattern[str] | None = None
    at: int = 0
    """Id of the line with the match that one stands on."""


def rows(event: Event, look: LogLook) -> list[Spans]:
    """The rows of one line of a log."""
    level = str(event.data.get("level", "info")).lower()
    head = f"{_time(event.at, look)}{fit(level, 7, '<', '')} "
    tone, blank = LEVELS.get(level, "muted"), ((" " * len(head), "text"),)
    room = max(8, look.width - len(head))
    made: list[Spans] = []
    for said in coloured(str(event.data.get("message", "")), "bad" if tone == "bad" else "text"):
        line = lit(said, look.wanted, "found-here" if event.id == look.at else "found")
        parts = split(line, room) if look.wrapped else [cut(line, look.left, room)]
        made.extend((*(((head, tone),) if not made else blank), *part) for part in parts)
    return made


def widest(event: Event, look: LogLook) -> int:
    """Cells that the line would need, without its head."""
    return max(width_of(line) for line in coloured(str(event.data.get("message", ""))))


def _time(at: float, look: LogLook) -> str:
    if look.times == "none":
        return ""
    if look.times == "absolute":
        return clock_time(at) + " "
    return f"{'+' + short(max(0.0, at - look.since)):>8} "


def lit(line: Spans, wanted: re.Pattern[str] | None, tone: str) -> Spans:
    """The line with what matches in another tone."""
    if wanted is None:
        return line
    text = "".join(part for part, _ in line)
    marked: list[tuple[int, int]] = [found.span() for found in wanted.finditer(text) if found.end() > found.start()]
    if not marked:
        return line
    made: list[Span] = []
    at = 0
    for part, usual in line:
        end, pieces = at + len(part), [at]
        pieces += [edge for span in marked for edge in span if at < edge < end]
        for start, stop in zip(pieces, [*pieces[1:], end], strict=True):
            inside = any(first <= start < last for first, last in marked)
            made.append((part[start - at : stop - at], tone if inside else usual))
        at = end
    return tuple(made)


def split(line: Spans, width: int) -> list[Spans]:
    """The line in rows of at most `width` cells, between words where there are any."""
    if width_of(line) <= width:
        return [line]
    text = "".join(part for part, _ in line)
    return [_piece(line, start, stop) for start, stop in _breaks(text, width)]


def _breaks(text: str, width: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        room, stop = width, start
        while stop < len(text) and (room := room - cell_len(text[stop])) >= 0:
            stop += 1
        stop = max(stop, start + 1)
        if stop < len(text):
            space = text.rfind(" ", start, stop + 1)
            stop = space if space > start + width // 3 else stop
        yield start, stop
        start = stop + (text[stop : stop + 1] == " ")


def _piece(line: Spans, start: int, stop: int) -> Spans:
    made: list[Span] = []
    at = 0
    for part, tone in line:
        piece = part[max(0, start - at) : max(0, stop - at)]
        if piece:
            made.append((piece, tone))
        at += len(part)
    return tuple(made)


def cut(line: Spans, left: int, width: int) -> Spans:
    """The cells of a line from `left` on; what is wide and only half there is a blank."""
    if left == 0:
        return line
    made: list[Span] = []
    at = 0
    for part, tone in line:
        kept = ""
        for letter in part:
            cells = cell_len(letter)
            if at >= left:
                kept += letter
            elif at + cells > left:
                kept += " " * (at + cells - left)
            at += cells
            if at >= left + width + 1:
                break
        if kept:
            made.append((kept, tone))
    return tuple(made)
