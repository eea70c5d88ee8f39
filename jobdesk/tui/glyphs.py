"""The signs of the screen. State is always a glyph and a word, never colour alone; every glyph is one cell wide."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobdesk.core.job import State

TONES: Mapping[State, str] = {
    State.BLOCKED: "muted",
    State.SCHEDULED: "later",
    State.PENDING: "text",
    State.PROCESSING: "run",
    State.RETRYING: "warn",
    State.COMPLETED: "ok",
    State.FAILED: "bad",
    State.CANCELLED: "muted",
    State.EXPIRED: "bad",
}
"""The tone (see `palette`) in which a state is written."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; `ascii` has nothing beyond 7 bits."""

    states: Mapping[State, str]
    working: str
    watching: str
    nobody: str
    paused: str
    marked: str
    cursor: str
    more: str
    dash: str
    dot: str
    new: str
    below: str
    alert: str
    full: str
    empty: str
    parts: str
    """What stands between an empty and a full cell of a bar, rising."""
    spark: str
    """Heights of a chart's column, from the lowest to the full one."""
    branch: str
    last_branch: str
    trunk: str
    folded: str
    unfolded: str
    border: str
    """The Textual border type of panels."""
    keys: Mapping[str, str]
    """How keys are written that are not letters."""


UNICODE = Glyphs(
    states={
        State.BLOCKED: "↳",
        State.SCHEDULED: "◷",
        State.PENDING: "·",
        State.PROCESSING: "▶",
        State.RETRYING: "↻",
        State.COMPLETED: "✓",
        State.FAILED: "✗",
        State.CANCELLED: "⊘",
        State.EXPIRED: "◌",
    },
    working="●",
    watching="◉",
    nobody="○",
    paused="‖",
    marked="◆",
    cursor="▌",
    more="…",
    dash="–",
    dot="·",
    new="▲",
    below="▼",
    alert="▲",
    full="█",
    empty="░",
    parts="",
    spark="▁▂▃▄▅▆▇█",
    branch="├ ",
    last_branch="└ ",
    trunk="│ ",
    folded="▸",
    unfolded="▾",
    border="round",
    keys={"up": "↑", "down": "↓", "left": "←", "right": "→"},
)
ASCII = Glyphs(
    states={
        State.BLOCKED: "%",
        State.SCHEDULED: "@",
        State.PENDING: ".",
        State.PROCESSING: ">",
        State.RETRYING: "~",
        State.COMPLETED: "+",
        State.FAILED: "x",
        State.CANCELLED: "/",
        State.EXPIRED: "!",
    },
    working="*",
    watching="o",
    nobody="-",
    paused="=",
    marked="*",
    cursor=">",
    more="~",
    dash="-",
    dot="-",
    new="^",
    below="v",
    alert="!",
    full="#",
    empty=".",
    parts="",
    spark="_.:-=+*#",
    branch="|-",
    last_branch="`-",
    trunk="| ",
    folded="+",
    unfolded="-",
    border="ascii",
    keys={"up": "up", "down": "down", "left": "left", "right": "right"},
)
