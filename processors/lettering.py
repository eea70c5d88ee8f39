"""The letters that are drawn into pictures: Latin, Greek and Cyrillic ones, where Pillow's own font has only ASCII."""

from functools import lru_cache
from importlib.resources import files

from PIL import ImageFont


@lru_cache(maxsize=4)
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """The font at a size, which is the height of a line."""
    return ImageFont.truetype(str(files("jobdesk_assets") / "fonts" / "Roboto-Regular.ttf"), size_px)
