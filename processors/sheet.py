"""The ground of a contact sheet: cells in rows, each with a picture in its middle and a name below."""

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from . import colours, lettering
from .shapes import Plan, Size, longest, plan, rgb

_LABEL_PX = 22
_FONT_PX = 14


@dataclass(frozen=True, slots=True)
class Ground:
    """How the sheet is laid out, in pixels."""

    columns: int
    cell: int
    gap: int
    colour: str
    labels: bool

    def size(self, count: int) -> Size:
        """Width and height of a sheet of so many pictures."""
        rows = -(-count // self.columns)
        return self.columns * (self.cell + self.gap) + self.gap, rows * (self._row + self.gap) + self.gap

    def empty(self, count: int) -> Image.Image:
        """The sheet before anything lies on it."""
        return Image.new("RGB", self.size(count), rgb(self.colour))

    def place(self, canvas: Image.Image, number: int, image: Image.Image | None, name: str) -> None:
        """Put a picture into its cell; without one the cell is crossed out."""
        left = self.gap + number % self.columns * (self.cell + self.gap)
        top = self.gap + number // self.columns * (self._row + self.gap)
        draw = ImageDraw.Draw(canvas)
        ink = (0, 0, 0) if sum(rgb(self.colour)) > 382 else (255, 255, 255)
        if image is None:
            right, bottom = left + self.cell - 1, top + self.cell - 1
            draw.rectangle((left, top, right, bottom), outline=ink)
            draw.line((left, top, right, bottom), ink)
            draw.line((left, bottom, right, top), ink)
        else:
            flat = colours.flatten(image, rgb(self.colour))
            canvas.paste(flat, (left + (self.cell - flat.width) // 2, top + (self.cell - flat.height) // 2))
        if self.labels:
            font = lettering.font(_FONT_PX)
            words = _cut(name, font, self.cell)
            place = left + (self.cell - font.getlength(words)) / 2
            draw.text((place, top + self.cell + 3), words, ink, font)

    @property
    def _row(self) -> int:
        return self.cell + (_LABEL_PX if self.labels else 0)


def planned(size: Size, cell: int) -> Plan:
    """How a picture fits into a cell."""
    return plan(size, longest(cell))


def within(size: Size, cell: int) -> Size:
    """The size of a picture in a cell."""
    return planned(size, cell).scaled


def _cut(name: str, font: ImageFont.FreeTypeFont, wide: int) -> str:
    """The name, its middle left out where it is too long; its ending tells most."""
    kept = len(name)
    words = name
    while font.getlength(words) > wide and kept > 3:
        kept -= 1
        words = f"{name[: kept // 2]}…{name[len(name) - kept // 2 :]}"
    return words
