"""How things are written on screen. Pure functions from values to text or spans; no widget is needed to test them."""

import re
import time
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from jobdesk.core.durations import short
from jobdesk.core.job import PRIORITIES, State
from jobdesk.core.text import without_colours
from jobdesk.tui.glyphs import TONES, Glyphs

Span = tuple[str, str]
"""A piece of text and its tone, a name in the palette."""
Spans = tuple[Span, ...]
"""One line, or one cell of a table. Equal lines look equal, which is how the screen knows what to repaint."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def clean(text: str) -> str:
    """Text that may be drawn: what a job wrote can hold escape sequences, which must never reach the terminal."""
    return _CONTROLS.sub(" ", without_colours(text)) if not text.isprintable() else text


def fit(text: str, width: int, align: str = "<", more: str = "…") -> str:
    """Exactly `width` cells: padded, or shortened with a sign that it was."""
    length = cell_len(text)
    if length > width:
        return fit(_shorten(text, max(0, width - cell_len(more))) + more, width) if width > 0 else ""
    pad = " " * (width - length)
    return pad + text if align == ">" else text + pad


def _shorten(text: str, room: int) -> str:
    """At most `room` cells of text, whole words if not much is lost by it."""
    cut = set_cell_size(text, room)
    at = cut.rfind(" ")
    return (
        cut[:at] if at > 0 and cell_len(cut[at:]) <= max(2, room // 3) and text[len(cut) : len(cut) + 1] != " " else cut
    )


def fit_path(text: str, width: int, more: str = "…") -> str:
    """A path of at most `width` cells: its end says most, so its beginning is cut."""
    if cell_len(text) <= width:
        return text
    return more + text[-(width - cell_len(more)) :] if width > cell_len(more) else text[:width]


def width_of(spans: Spans) -> int:
    """How many cells a line takes."""
    return sum(cell_len(text) for text, _ in spans)


def fit_spans(spans: Spans, width: int, align: str = "<", more: str = "…") -> Spans:
    """Like `fit`, for several tones."""
    length = width_of(spans)
    if length <= width:
        pad: Span = (" " * (width - length), "text")
        return (pad, *spans) if align == ">" else (*spans, pad)
    room, kept = max(0, width - cell_len(more)), []
    for text, tone in spans:
        if room <= 0:
            break
        part = text if cell_len(text) <= room else _shorten(text, room)
        kept.append((part, tone))
        room = room - cell_len(part) if part == text else 0
    if width <= 0:
        return ()
    kept.append((more, "muted"))
    return (*kept, (" " * (width - width_of(tuple(kept))), "text"))


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width` cells, between words or parts of a path; its own line ends hold."""
    lines: list[str] = []
    for raw in text.expandtabs(4).splitlines() or [""]:
        rest = clean(raw)
        if cell_len(rest) <= width:
            lines.append(rest)
            continue
        indent = rest[: len(rest) - len(rest.lstrip())][: width // 2]
        while cell_len(rest) > width:
            cut = _cut(rest, width)
            at = max(rest.rfind(" ", len(indent) + 1, cut + 1), _part_of_path(rest, len(indent), cut))
            at = at if at > width // 3 else cut
            lines.append(rest[:at].rstrip())
            rest = indent + rest[at:].lstrip()
        if rest.strip():
            lines.append(rest)
    return lines


def _part_of_path(text: str, start: int, end: int) -> int:
    """After the last slash in text[start:end] that ends a part; the one that a path begins with is no such."""
    at = text.rfind("/", start + 1, end)
    while at > 0 and text[at - 1] in " '\"(":
        at = text.rfind("/", start + 1, at)
    return at + 1


def _cut(text: str, width: int) -> int:
    """How many characters fit into `width` cells; at least one."""
    room = width
    for at, character in enumerate(text):
        room -= cell_len(character)
        if room < 0:
            return max(1, at)
    return len(text)


def number(count: int) -> str:
    """1,204; from ten million on 12.5M."""
    return f"{count:,}" if count < 10_000_000 else f"{count / 1e6:.1f}M"


def brief(count: int, cells: int = 5) -> str:
    """A number in at most so many cells, five or four: 1,204 or 1.2k, 19.9k or 20k, 124k, 1.2M."""
    whole, tenths = (10_000, 99.95) if cells > 4 else (1_000, 9.95)
    if count < whole:
        return f"{count:,}"
    unit, sign = (1e3, "k") if count < 999_500 else (1e6, "M")
    return f"{count / unit:.{1 if count / unit < tenths else 0}f}{sign}"


def count_of(count: int, one: str, many: str | None = None) -> str:
    """`1 job`, `1,204 jobs`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def ago(then: float | None, now: float) -> str:
    """How long ago, rounded so that it seldom changes: now, 7s, 40s, 3m, 2h05, 9d."""
    if then is None:
        return ""
    passed = now - then
    if passed < 1:
        return "now"
    if passed < 10:
        return f"{int(passed)}s"
    if passed < 60:
        return f"{int(passed // 10) * 10}s"
    return f"{int(passed // 60)}m" if passed < 3600 else short(passed)


def passed(then: float, now: float) -> str:
    """The same in a sentence: just now, 7s ago."""
    said = ago(then, now)
    return "just now" if said == "now" else f"{said} ago"


def whole(span_s: float) -> str:
    """A duration in whole seconds, so that it changes once a second at most."""
    return "0s" if span_s < 1 else short(float(int(span_s))).replace(".0", "")


def clock_time(at: float | None, now: float | None = None) -> str:
    """14:03:22, with the day before it if that is not the day of `now`."""
    if at is None:
        return ""
    local = time.localtime(at)
    if now is not None and time.localtime(now)[:3] != local[:3]:
        return time.strftime("%d %b %H:%M:%S", local)
    return time.strftime("%H:%M:%S", local)


def bar(share: float, width: int, glyphs: Glyphs, tone: str = "run") -> Spans:
    """A bar of `width` cells, filled from the left by `share` (0 to 1)."""
    filled = round(max(0.0, min(1.0, share)) * width)
    return ((glyphs.full * filled, tone), (glyphs.empty * (width - filled), "faint"))


def spark(values: Sequence[float], glyphs: Glyphs, top: float | None = None, rows: int = 1) -> list[str]:
    """Columns as lines of text, the highest line first; a value above 0 always shows."""
    highest = top or max(values, default=0) or 1
    steps = len(glyphs.spark)
    lines = []
    for row in reversed(range(rows)):
        line = ""
        for value in values:
            height = value / highest * rows * steps
            inside = min(steps, int(height - row * steps + 0.5))
            if row == 0 and value > 0:
                inside = max(1, inside)
            line += glyphs.spark[inside - 1] if inside > 0 else " "
        lines.append(line)
    return lines


def state(value: State, glyphs: Glyphs) -> Spans:
    """Glyph and word."""
    return ((f"{glyphs.states[value]} {value.value}", TONES[value]),)


def priority(rank: int) -> str:
    """Its word where it has one, else the number."""
    return next((word for word, value in PRIORITIES.items() if value == rank), str(rank))


def home_path(path: str, user_home: str) -> str:
    """A path with the user's home folder written ~."""
    return "~" + path[len(user_home) :] if user_home and (path + "/").startswith(user_home.rstrip("/") + "/") else path
