"""A picture in a terminal: each cell shows two pixels, as the upper half of a block and its background."""

from contextlib import suppress
from pathlib import Path

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from jobdesk.core.durations import size
from jobdesk.tui.format import clean, wrap
from jobdesk.tui.glyphs import ASCII
from jobdesk.tui.pictures import Small, small
from jobdesk.tui.widgets.lines import Painted, retitle

_SHADES = " .:-=+*#%@"


class Picture(Painted):
    """Shows one file; its border says what it is."""

    def __init__(self, label: str, *, id: str) -> None:
        super().__init__(id=id)
        self._label = label
        self._file: Path | None = None
        self._picture: Small | str = ""
        self._strips: list[Strip] = []

    def show(self, file: Path | None, empty: str) -> None:
        """Show this file, as soon as it is decoded."""
        self._file, self._picture, self._strips = file, empty if file is None else f"decoding{self.glyphs.more}", []
        self._titles()
        self.refresh()
        width, height = self.size.width, self.size.height
        if file is None or not width or not height:
            return

        def decoded(picture: Small | str) -> None:
            if file == self._file:
                self._picture = picture
                self._strips = (
                    _strips(picture, self.glyphs is ASCII or self.app.no_color) if isinstance(picture, Small) else []
                )
                self._titles()
                self.refresh()

        self.desk_app.aside(lambda: small(file, width, height * 2), decoded)

    def _titles(self) -> None:
        retitle(self, *titles(self._label, self._file, self._picture))

    def on_resize(self) -> None:
        if self._file is not None:
            self.show(self._file, "")

    def render_line(self, y: int) -> Strip:
        width, height = self.size.width, self.size.height
        if isinstance(self._picture, str):
            words = wrap(self._picture, max(10, width - 2))
            return self.paint(((" " + words[y], "muted"),) if y < len(words) else (), width)
        row = y - max(0, (height - len(self._strips)) // 2)
        if not 0 <= row < len(self._strips):
            return Strip.blank(width, self.rich_style)
        left = max(0, (width - self._picture.width) // 2)
        pad = Segment(" " * left, self.rich_style)
        return Strip([pad, *self._strips[row]]).adjust_cell_length(width, self.rich_style)


def titles(label: str, file: Path | None, picture: Small | str) -> tuple[str, str]:
    """What the border of a picture says: which file, and how large it is."""
    if file is None:
        return label, ""
    about = ""
    if isinstance(picture, Small):
        with suppress(OSError):  # it may be gone by now
            about = f"{picture.full_width} x {picture.full_height}  {size(file.stat().st_size)}"
    return f"{label}: {clean(file.name)}", about


def _strips(picture: Small, shades: bool) -> list[Strip]:
    """A row of cells for each two rows of pixels."""
    return [_row(picture, y, shades) for y in range(0, picture.height, 2)]


def _row(picture: Small, y: int, shades: bool) -> Strip:
    segments = []
    for x in range(picture.width):
        above = _pixel(picture, x, y)
        below = _pixel(picture, x, min(y + 1, picture.height - 1))
        if shades:
            light = sum(above) + sum(below)
            segments.append(Segment(_SHADES[light * (len(_SHADES) - 1) // (6 * 255)], Style()))
        else:
            style = Style.from_color(Color.from_rgb(*above), Color.from_rgb(*below))
            segments.append(Segment("▀", style))
    return Strip(segments, picture.width)


def _pixel(picture: Small, x: int, y: int) -> tuple[int, int, int]:
    at = (y * picture.width + x) * 3
    red, green, blue = picture.pixels[at : at + 3]
    return red, green, blue
