"""`[images]`."""

from typing import Annotated, Literal

from pydantic import Field

from jobdesk.sections.fields import Bytes, Section


class ImageSettings(Section):
    sizes: list[Annotated[int, Field(ge=1, le=16384)]]
    widths: list[Annotated[int, Field(ge=1, le=16384)]]
    format: Literal["webp", "jpeg", "png"]
    quality: int = Field(ge=1, le=100)
    max_pixels: int = Field(ge=1)
    max_bytes: Bytes
    strip_gps: bool
