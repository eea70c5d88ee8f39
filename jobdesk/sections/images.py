"""`[images]` and `[presets.NAME]`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from jobdesk.sections.fields import Bytes, Section

Pixels = Annotated[int, Field(ge=1, le=16384)]
Quality = Annotated[int, Field(ge=1, le=100)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#ffffff"])]
Format = Literal["webp", "jpeg", "png", "avif", "gif", "tiff"]
PresetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Focus = (
    Literal["center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"]
    | tuple[Fraction, Fraction]
)


class ImageSettings(Section):
    sizes: list[Pixels]
    widths: list[Pixels]
    format: Format
    quality: Quality
    progressive: bool
    background: Colour
    animation: Literal["keep", "first"]
    names: Literal["plain", "content"]
    keep: list[Literal["exif", "gps", "xmp", "iptc", "copyright"]]
    strip_gps: bool
    max_pixels: int = Field(ge=1)
    max_bytes: Bytes
    max_frames: int = Field(ge=1, le=5000)


class PresetSettings(Section):
    width: Pixels
    height: Pixels
    fit: Literal["contain", "cover", "pad", "fill"] = "cover"
    focus: Focus = "center"
    background: Colour | None = None
    upscale: bool = False
    format: Format | None = None
    quality: Quality | None = None

    @model_validator(mode="before")
    @classmethod
    def _list_is_a_point(cls, given: object) -> object:
        """TOML has lists and no tuples."""
        if isinstance(given, dict) and isinstance(given.get("focus"), list):
            return given | {"focus": tuple(given["focus"])}
        return given
