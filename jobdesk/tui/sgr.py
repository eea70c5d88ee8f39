"""Colours in the logs of programs: of all escape sequences only those that colour text, which say nothing else.

Everything else that is no letter is written out (`^[`, `\\x9b`): no control that a job prints reaches the terminal.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from rich.color import Color, ColorParseError
from rich.style import Style

from jobdesk.tui.format import Span, Spans

_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
MARK = "sgr "
"""How a tone begins that is such a colour: `sgr bold fg=31 bg=#102030`."""
_BASIC = {
    "30": "muted", "31": "bad", "32": "ok", "33": "warn", "34": "title", "35": "accent", "36": "accent", "37": "text",
}  # fmt: skip
"""The usual colours, as the theme has them: legible on its background."""
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}


def coloured(text: str, tone: str = "text") -> Iterator[Spans]:
    """The lines of a text, coloured as its sequences say; `tone` where they say nothing."""
    if text.isprintable():
        yield ((text, tone),)
        return
    state: dict[str, str] = {}
    for line in text.expandtabs(4).splitlines() or [""]:
        spans: list[Span] = []
        for at, part in enumerate(_SEQUENCE.split(line)):
            if at % 2:
                _follow(state, part)
            elif part:
                spans.append((escaped(part), _tone(state) or tone))
        yield tuple(spans) or (("", tone),)


def escaped(text: str) -> str:
    """The text with everything written out that is no letter."""
    return text if text.isprintable() else _CONTROLS.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20 or code == 0x7F:
        return "^" + chr(code ^ 0x40)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _follow(state: dict[str, str], parameters: str) -> None:
    codes = [int(code) if code else 0 for code in re.split("[;:]", parameters)]
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            state.clear()
        elif code in _ON:
            state[_ON[code]] = ""
        elif code in _OFF:
            for name in _OFF[code]:
                state.pop(name, None)
        elif code in (38, 48):
            colour, at = _extended(codes, at)
            state["fg" if code == 38 else "bg"] = colour
        elif code in (39, 49):
            state.pop("fg" if code == 39 else "bg", None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            state["fg"] = str(code)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            state["bg"] = str(code - 10)


def _extended(codes: Sequence[int], at: int) -> tuple[str, int]:
    """A colour of the 256 or one of all, and where the next code stands; "" for one that is none."""
    kind = codes[at] if at < len(codes) else 0
    if kind == 5 and at + 1 < len(codes) and codes[at + 1] < 256:
        return f"@{codes[at + 1]}", at + 2
    if kind == 2 and at + 3 < len(codes) and max(codes[at + 1 : at + 4]) < 256:
        return "#{:02x}{:02x}{:02x}".format(*codes[at + 1 : at + 4]), at + 4
    return "", at + 1


def _tone(state: dict[str, str]) -> str:
    said = [f"{name}={value}" if value else name for name, value in state.items() if value or name not in ("fg", "bg")]
    return MARK + " ".join(said) if said else ""


def style(tone: str, palette: Callable[[str], Style]) -> Style:
    """The style of such a tone; `palette` gives those of the theme's."""
    made = palette("text")
    for part in tone.removeprefix(MARK).split():
        name, equals, value = part.partition("=")
        made += _colour(name, value, palette) if equals else Style(**{name: True})  # type: ignore[arg-type]
    return made


def _colour(name: str, value: str, palette: Callable[[str], Style]) -> Style:
    bright = value[0] == "9"
    try:
        if value[0] == "@":
            colour: Color | None = Color.from_ansi(int(value[1:]))
        elif value[0] == "#":
            colour = Color.parse(value)
        elif value == "90":
            colour = palette("muted").color
        else:
            colour = palette(_BASIC["3" + value[1]]).color
    except ColorParseError:
        return Style()
    return Style(color=colour, bold=bright or None) if name == "fg" else Style(bgcolor=colour)
