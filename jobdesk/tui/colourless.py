"""NO_COLOR: no colour at all, not even greys. What the eye needs is told by reverse, bold, dim and underline."""

from collections.abc import Callable
from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_FAINT = 0.35
"""Of all brightness between black and white: what stands out less from its ground is dim."""


class WithoutColour(LineFilter):
    """Takes the colours out of all that is drawn.

    Args:
        cursor: the colour under the line of the cursor, now; that line is reversed.
    """

    def __init__(self, cursor: Callable[[], Color | None]) -> None:
        super().__init__()
        self._cursor = cursor

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        cursor = self._cursor()
        under = None if cursor is None else cursor.rich_color
        return [
            Segment(text, None if style is None else plain(style, background, under), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def plain(style: Style, background: Color, cursor: RichColor | None) -> Style:
    """The style without its colours."""
    ground = background if style.bgcolor is None else Color.from_rich_color(style.bgcolor)
    front = None if style.color is None else Color.from_rich_color(style.color)
    on_cursor = cursor is not None and style.bgcolor == cursor
    return Style(
        bold=style.bold,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        dim=style.dim or (front is not None and not on_cursor and abs(front.brightness - ground.brightness) < _FAINT),
        reverse=bool(style.reverse) != on_cursor,
        link=style.link,
        meta=style.meta,
    )
