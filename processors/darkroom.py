"""Many renditions from one decoded picture: each from the smallest that is there and large enough.

What is made at full frame is kept and serves those after it, so ask for the largest first. Everything that
comes out is upright, in sRGB, 8 bit (mode L, RGB or RGBA), and carries nothing of the original but its pixels.
"""

from dataclasses import dataclass

from PIL import Image

from . import colours, resizing
from .pictures import Picture
from .shapes import Plan, Size

_AHEAD = 1.1
"""A rendition is made from another only if that is so much larger, or of the very size: less would blur."""
_COARSE = 2.0
"""The decoded picture is averaged down to so many times the largest rendition before anything else is done."""


@dataclass(slots=True)
class _Stage:
    image: Image.Image
    in_srgb: bool
    given: bool = False
    """Somebody has it already, and may be saving it in another thread: Pillow notes how on the image itself."""


class Darkroom:
    """The renditions of one picture."""

    def __init__(self, picture: Picture, largest: Size) -> None:
        """`largest` bounds what will be asked for: the whole upright picture at its largest scale."""
        self._picture = picture
        turned = picture.orientation >= 5
        image = colours.eight_bit(picture.image)
        image = _coarse(image, largest[::-1] if turned else largest)
        if picture.orientation in colours.TURNS:
            image = image.transpose(colours.TURNS[picture.orientation])
        image.info = {}
        picture.image = image  # the decoded one may be much larger: let it go
        self._stages = [_Stage(image, in_srgb=False)]

    def make(self, plan: Plan) -> Image.Image:
        """One rendition, without its ground: see `lay`. No two calls give the same image."""
        stage = self._source(plan)
        if stage.image.size == plan.scaled:
            made = stage.image if plan.whole else stage.image.crop(plan.box)
        else:
            made = resizing.resize(stage.image, plan.scaled, plan.box)
        if not stage.in_srgb:
            made, doubt = colours.to_srgb(made, self._picture.icc)
            if doubt and doubt not in self._picture.doubts:
                self._picture.doubts.append(doubt)
        if made is stage.image:
            made = made.copy() if stage.given else made
            stage.in_srgb = stage.given = True
        elif plan.whole:
            self._stages.append(_Stage(made, in_srgb=True, given=True))
        made.info = {}
        return made

    def whole(self) -> Image.Image:
        """The picture at the size that it was decoded to."""
        size = self._stages[0].image.size
        return self.make(Plan(size, (0, 0, *size)))

    def _source(self, plan: Plan) -> _Stage:
        fit = [
            stage
            for stage in self._stages
            if stage.image.size == plan.scaled
            or all(own >= _AHEAD * wanted for own, wanted in zip(stage.image.size, plan.scaled, strict=True))
        ]
        return min(fit, key=lambda stage: (stage.image.width, not stage.in_srgb), default=self._stages[0])


def lay(image: Image.Image, canvas: Size | None, ground: tuple[int, int, int] | None) -> Image.Image:
    """The picture in the middle of a canvas; without a colour the ground is clear."""
    if canvas is None or canvas == image.size:
        return image if ground is None else colours.flatten(image, ground)
    at = (canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2
    laid = Image.new("RGBA", canvas, (0, 0, 0, 0)) if ground is None else Image.new("RGB", canvas, ground)
    shown = image.convert("RGBA") if ground is None or image.mode == "RGBA" else image
    laid.paste(shown, at, shown if ground is not None and shown.mode == "RGBA" else None)
    return laid


def _coarse(image: Image.Image, largest: Size) -> Image.Image:
    factor = int(min(image.width / largest[0], image.height / largest[1]) / _COARSE)
    return image.reduce(factor) if factor > 1 else image
