"""Marks laid over a picture."""

from PIL import Image, ImageDraw

from . import lettering, resizing
from .shapes import Size, point_of

_LEAST_PX = 8


def written(words: str, size: Size, scale: float, colour: tuple[int, int, int]) -> Image.Image:
    """A text as wide as `scale` of the picture's width, on a clear ground, with a faint shadow to be seen on any."""
    wide = max(_LEAST_PX, round(size[0] * scale))
    words = " ".join(words.split())
    probe = lettering.font(100)
    height = max(_LEAST_PX, round(100 * wide / max(1.0, probe.getlength(words))))
    font = lettering.font(min(height, max(_LEAST_PX, size[1] // 3)))
    left, top, right, bottom = font.getbbox(words)
    shift = max(1, round((bottom - top) / 24))
    made = Image.new("RGBA", (max(1, round(right - left)) + shift, max(1, round(bottom - top)) + shift), (*colour, 0))
    draw = ImageDraw.Draw(made)
    draw.text((shift - left, shift - top), words, (0, 0, 0, 128), font)
    draw.text((-left, -top), words, (*colour, 255), font)
    return made


def lay_over(
    image: Image.Image, mark: Image.Image, position: str, opacity: float, scale: float, margin: float
) -> Image.Image:
    """The picture with the mark on it; its mode stays, but that grey becomes colour.

    Args:
        scale: the mark's width as a fraction of the picture's.
        margin: its distance from the edges as a fraction of the shorter edge.
    """
    mark = mark.convert("RGBA")
    factor = min(image.width * scale / mark.width, image.height / mark.height)
    size = max(1, round(mark.width * factor)), max(1, round(mark.height * factor))
    mark = resizing.resize(mark, size) if size != mark.size else mark
    mark.putalpha(mark.getchannel("A").point(lambda value: round(value * opacity)))
    rim = round(min(image.size) * margin)
    across, down = point_of(position)
    room = image.width - mark.width - 2 * rim, image.height - mark.height - 2 * rim
    at = max(0, rim + round(room[0] * across)), max(0, rim + round(room[1] * down))
    made = image.convert("RGBA")
    made.alpha_composite(mark, at)
    return made if image.mode == "RGBA" else made.convert("RGB")
