"""What every dialog is: a box in the middle, with the screen below seen through."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """Dismisses with an answer."""

    def render(self) -> RenderableType:
        below = super().render()
        if isinstance(below, BackgroundScreen) and self.app.current_theme.ansi:
            return Below(below.screen, below.color)
        return below


class Below(BackgroundScreen):
    """A screen below a dialog where there are sixteen colours, which cannot be mixed: Textual would draw nothing."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterator[Segment]:
        for text, style, control in segments:
            yield Segment(text, None if style is None else _faint(style), control)


@lru_cache(1024)
def _faint(style: Style) -> Style:
    """Legible still, but no more than that. Reversed signs (blocks of a picture) stay reversed."""
    return Style(color="bright_black", bgcolor="default", reverse=style.reverse)
