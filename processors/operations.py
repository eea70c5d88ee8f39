"""The steps of `image_process`: each takes a picture and gives a picture, or changes how its file is written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from PIL import Image, ImageFilter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jobdesk import Reject

from . import colours, resizing, watermark
from .darkroom import lay
from .keeping import Part
from .shapes import Colour, Corner, Fraction, OutputFormat, Quality, Shape, plan, rgb


@dataclass(frozen=True, slots=True)
class State:
    """What lies between two steps: pixels, and how they will be written."""

    image: Image.Image
    format: OutputFormat
    quality: int
    max_bytes: int | None
    progressive: bool
    keep: frozenset[Part]


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Resize(Shape):
    """To a width, a height or both; see the fit modes."""

    type: Literal["resize"]

    def apply(self, state: State) -> State:
        planned = plan(state.image.size, self)
        image = state.image
        if image.size != planned.scaled:
            image = resizing.resize(image, planned.scaled, planned.box)
        elif not planned.whole:
            image = image.crop(planned.box)
        image = lay(image, planned.canvas, None if self.background is None else rgb(self.background))
        return replace(state, image=image, format=self.format or state.format, quality=self.quality or state.quality)


class Crop(Step):
    """Cut a part out, in pixels from the upper left."""

    type: Literal["crop"]
    left: int = Field(default=0, ge=0)
    top: int = Field(default=0, ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)

    def apply(self, state: State) -> State:
        wide, high = state.image.size
        if self.left >= wide or self.top >= high:
            raise Reject(f"crop starts at {self.left},{self.top}, outside of {wide}×{high} pixels")
        right, bottom = min(wide, self.left + self.width), min(high, self.top + self.height)
        return replace(state, image=state.image.crop((self.left, self.top, right, bottom)))


class Rotate(Step):
    """Turn clockwise, or mirror; corners that come free get the background, or are clear."""

    type: Literal["rotate"]
    degrees: float = Field(default=0, ge=-360, le=360)
    flip: Literal["horizontal", "vertical"] | None = None
    background: Colour | None = None

    def apply(self, state: State) -> State:
        image, turn = state.image, self.degrees % 360
        quarter = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
        if turn in quarter:
            image = image.transpose(quarter[int(turn)])
        elif turn:
            turned = image.convert("RGBA").rotate(-turn, Image.Resampling.BICUBIC, expand=True)
            image = turned if self.background is None else colours.flatten(turned, rgb(self.background))
        if self.flip is not None:
            sideways = self.flip == "horizontal"
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT if sideways else Image.Transpose.FLIP_TOP_BOTTOM)
        return replace(state, image=image)


class Optimize(Step):
    """How small the file is to be: a quality, or the best quality within so many KB (1,024 bytes)."""

    type: Literal["optimize"]
    quality: Quality | None = None
    max_kb: float | None = Field(default=None, gt=0)
    progressive: bool = True

    def apply(self, state: State) -> State:
        limit = state.max_bytes if self.max_kb is None else int(self.max_kb * 1024)
        return replace(state, quality=self.quality or state.quality, max_bytes=limit, progressive=self.progressive)


class Format(Step):
    """Which format the file has."""

    type: Literal["format"]
    format: OutputFormat

    def apply(self, state: State) -> State:
        return replace(state, format=self.format)


class Watermark(Step):
    """A text or a picture laid over."""

    type: Literal["watermark"]
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    image: Path | None = None
    position: Corner = "bottom-right"
    opacity: Fraction = 0.5
    scale: Annotated[float, Field(gt=0, le=1)] = 0.2
    margin: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    colour: Colour = "#ffffff"

    @model_validator(mode="after")
    def _one_of_both(self) -> "Watermark":
        if (self.text is None) == (self.image is None):
            raise ValueError("give either text or image")
        return self

    def mark(self, overlay: Image.Image | None, state: State) -> State:
        """Lay it over; `overlay` is the picture that `image` names."""
        if overlay is None:
            overlay = watermark.written(self.text or "", state.image.size, self.scale, rgb(self.colour))
        made = watermark.lay_over(state.image, overlay, self.position, self.opacity, self.scale, self.margin)
        return replace(state, image=made)


class Strip(Step):
    """Keep nothing of what the original says of itself but the parts named."""

    type: Literal["strip"]
    keep: list[Part] = []

    def apply(self, state: State) -> State:
        return replace(state, keep=frozenset(self.keep))


class Sharpen(Step):
    """An unsharp mask; `amount` in percent, `radius` in pixels."""

    type: Literal["sharpen"]
    amount: int = Field(default=80, ge=1, le=500)
    radius: float = Field(default=1.0, gt=0, le=50)
    threshold: int = Field(default=2, ge=0, le=255)

    def apply(self, state: State) -> State:
        mask = ImageFilter.UnsharpMask(self.radius, self.amount, self.threshold)
        if state.image.mode != "RGBA":
            return replace(state, image=state.image.filter(mask))
        sharp = state.image.convert("RGB").filter(mask)  # the edge of what is clear is no edge to sharpen
        sharp.putalpha(state.image.getchannel("A"))
        return replace(state, image=sharp)


class Grayscale(Step):
    """Without colours."""

    type: Literal["grayscale", "greyscale"]

    def apply(self, state: State) -> State:
        grey = state.image.convert("LA").convert("RGBA") if state.image.mode == "RGBA" else state.image.convert("L")
        return replace(state, image=grey)


Operation = Annotated[
    Resize | Crop | Rotate | Optimize | Format | Watermark | Strip | Sharpen | Grayscale, Field(discriminator="type")
]
