"""A contact sheet of a video: its frames in rows, each with its time."""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

CELL_PX = 320
_GAP_PX = 8
_LABEL_PX = 24


def sheet(frames: Sequence[tuple[float, "Image"]]) -> "Image":
    """The frames on one picture; times are seconds from the start."""
    from PIL import Image, ImageDraw, ImageFont

    columns = ceil(sqrt(len(frames)))
    wide, high = _cell(frames)
    rows = ceil(len(frames) / columns)
    size = (columns * (wide + _GAP_PX) + _GAP_PX, rows * (high + _LABEL_PX + _GAP_PX) + _GAP_PX)
    made = Image.new("RGB", size, "#101014")
    pen, font = ImageDraw.Draw(made), ImageFont.load_default(15)
    for number, (at, frame) in enumerate(frames):
        left = _GAP_PX + number % columns * (wide + _GAP_PX)
        top = _GAP_PX + number // columns * (high + _LABEL_PX + _GAP_PX)
        small = frame.copy()
        small.thumbnail((wide, high))
        made.paste(small, (left + (wide - small.width) // 2, top + (high - small.height) // 2))
        pen.text((left + wide / 2, top + high + _LABEL_PX / 2), clock(at), "#e8e8ec", font, "mm")
    return made


def clock(seconds: float) -> str:
    """`1:02:03.5`, hours only where there are some."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def _cell(frames: Sequence[tuple[float, "Image"]]) -> tuple[int, int]:
    """The cell that the first frame fills."""
    wide, high = frames[0][1].size
    factor = CELL_PX / max(wide, high)
    return max(1, round(wide * factor)), max(1, round(high * factor))
