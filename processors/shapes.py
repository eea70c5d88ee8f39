"""What shape a rendition has: how a picture of any size is fitted into the size that is wanted.

A picture is scaled as a whole, a part of that may be cut out, and the part may be laid on a canvas:
`scaled`, `box` and `canvas` of a plan, always whole pixels, so that one scaled picture serves many renditions.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Size = tuple[int, int]
Box = tuple[int, int, int, int]
Pixels = Annotated[int, Field(ge=1, le=16384)]
Quality = Annotated[int, Field(ge=1, le=100)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#ffffff"])]
FitMode = Literal["contain", "cover", "pad", "fill"]
OutputFormat = Literal["webp", "jpeg", "png", "avif", "gif", "tiff"]
Corner = Literal["center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"]


def _is_focus(given: Any) -> Any:
    """One sentence of what it may be, where the union of both would say one for each."""
    fits = given in get_args(Corner) if isinstance(given, str) else isinstance(given, list | tuple) and len(given) == 2
    if fits and (isinstance(given, str) or all(isinstance(one, int | float) and 0 <= one <= 1 for one in given)):
        return given
    raise ValueError(f"it should be one of {', '.join(get_args(Corner))}, or a point like [0.5, 0.3]")


Focus = Annotated[Corner | tuple[Fraction, Fraction], BeforeValidator(_is_focus)]
"""What stays in sight when a part is cut out: a side, or a point as fractions of width and height."""


class Shape(BaseModel):
    """One rendition as it is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Pixels | None = None
    height: Pixels | None = None
    fit: FitMode = "contain"
    focus: Focus = "center"
    background: Colour | None = None
    upscale: bool = False
    format: OutputFormat | None = None
    quality: Quality | None = None

    @model_validator(mode="after")
    def _sized(self) -> "Shape":
        if self.width is None and self.height is None:
            raise ValueError("give width, height or both")
        if self.fit != "contain" and (self.width is None or self.height is None):
            raise ValueError(f"{self.fit} needs both width and height")
        return self


class NamedShape(Shape):
    """A rendition with the name that its file gets."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a picture becomes a rendition."""

    scaled: Size
    """The whole picture, upright, at this size."""
    box: Box
    """What of that is seen: left, top, right, bottom."""
    canvas: Size | None = None
    """The size of the ground that the part is laid on, in its middle; None: no ground."""

    @property
    def size(self) -> Size:
        """Width and height of the rendition."""
        return self.canvas or (self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def whole(self) -> bool:
        """Nothing is cut off."""
        return self.box == (0, 0, *self.scaled)


def plan(size: Size, shape: Shape) -> Plan:
    """Fit a picture of a size into a shape; it is never enlarged unless the shape says so."""
    if shape.width is None or shape.height is None or shape.fit in ("contain", "pad"):
        scaled = _inside(size, shape)
        canvas = (shape.width, shape.height) if shape.fit == "pad" and shape.width and shape.height else None
        return Plan(scaled, (0, 0, *scaled), canvas)
    wanted = shape.width, shape.height
    factor = max(wanted[0] / size[0], wanted[1] / size[1])
    if factor > 1 and not shape.upscale:  # as large as it goes, of the shape that was asked for
        wanted = max(1, round(wanted[0] / factor)), max(1, round(wanted[1] / factor))
        factor = 1.0
    if shape.fit == "fill":
        return Plan(wanted, (0, 0, *wanted))
    scaled = max(wanted[0], round(size[0] * factor)), max(wanted[1], round(size[1] * factor))
    left, top = (
        min(room, max(0, round(scaled[axis] * point - wanted[axis] / 2)))
        for axis, (room, point) in enumerate(
            zip((scaled[0] - wanted[0], scaled[1] - wanted[1]), point_of(shape.focus), strict=True)
        )
    )
    return Plan(scaled, (left, top, left + wanted[0], top + wanted[1]))


def longest(edge_px: int) -> Shape:
    """The shape of a thumbnail: neither edge longer than this."""
    return Shape(width=edge_px, height=edge_px)


def point_of(focus: Any) -> tuple[float, float]:
    """A focus as fractions of width and height."""
    if not isinstance(focus, str):
        return float(focus[0]), float(focus[1])
    across = 0.0 if "left" in focus else 1.0 if "right" in focus else 0.5
    down = 0.0 if "top" in focus else 1.0 if "bottom" in focus else 0.5
    return across, down


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _inside(size: Size, shape: Shape) -> Size:
    factors = [edge / own for edge, own in ((shape.width, size[0]), (shape.height, size[1])) if edge is not None]
    factor = min(factors) if shape.upscale else min(1.0, *factors)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
