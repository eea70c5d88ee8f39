"""Painted rows, kept by what they say and not by where they stand: a row that has only moved is not made anew."""

from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.geometry import Size, Spacing
from textual.strip import Strip

_KEPT = 512


class RowCache(StylesCache):
    """What Textual keeps of a widget's lines, and besides it each row with its frame, for as long as the look stays.

    Textual knows lines by their number, so that scrolling by one row makes all of them anew, with all that is worked
    out of a strip later: how it is divided, filtered and written. A widget that gives the same strip for the same row
    gets the same line here.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, tuple[Strip, Strip]] = {}
        """By the identity of what a widget gave: that, kept so that it stays the only one, and the line made of it."""
        self._look: tuple[object, ...] = ()

    def render(
        self, styles: Any, size: Size, base_background: Color, background: Color, *more: Any, **named: Any
    ) -> list[Strip]:
        look = (
            size.width, styles.gutter, styles.border, styles.tint, base_background, background,
            named["content_size"].width, named["opacity"], named["ansi_theme"], named["native_ansi"],
        )  # fmt: skip
        if look != self._look or len(self._rows) > _KEPT:
            self._look = look
            self._rows.clear()
        return super().render(styles, size, base_background, background, *more, **named)

    def render_line(self, styles: Any, y: int, size: Size, content_size: Size, padding: Spacing, *more: Any) -> Strip:
        base_background, background, content, *rest = more
        within = y - styles.gutter.top
        if not 0 <= within < content_size.height:
            return super().render_line(styles, y, size, content_size, padding, *more)
        given = content(within)
        kept = self._rows.get(id(given))
        if kept is None:
            colours = base_background, background
            kept = given, super().render_line(styles, y, size, content_size, padding, *colours, lambda _: given, *rest)
            self._rows[id(given)] = kept
        return kept[1]
