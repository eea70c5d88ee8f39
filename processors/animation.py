"""Animations: every frame through the same shape, with its time."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence

from PIL import Image, ImageSequence

from . import colours, formats, resizing
from .darkroom import lay
from .encoding import Motion
from .headers import Header
from .pictures import Picture, refusal
from .shapes import Plan

MOVING = (formats.GIF, formats.WEBP, formats.PNG, formats.AVIF)
MADE_PIXELS = 100_000_000
"""All frames of all renditions together, as they lie in memory."""
DECODED_PIXELS = 1_000_000_000
"""All frames of the file together: what a minute of decoding amounts to."""
_USUAL_MS = 100


def why_not(header: Header, plans: Sequence[Plan]) -> str | None:
    """Why an animation is not kept as such, or None if it is within bounds."""
    if header.width * header.height * header.frames > DECODED_PIXELS:
        return f"{header.frames:,} frames of {header.width}×{header.height} are more than is decoded for an animation"
    if sum(plan.size[0] * plan.size[1] for plan in plans) * header.frames > MADE_PIXELS:
        return f"{header.frames:,} frames are more than is kept in memory at these sizes"
    return None


def is_moving(header: Header) -> bool:
    """Whether the file is an animation; the pages of a TIFF are none."""
    return header.frames > 1 and header.format in MOVING


def render(
    content: bytes,
    picture: Picture,
    plans: Sequence[Plan],
    grounds: Sequence[tuple[int, int, int] | None],
    step: Callable[[int], None],
) -> list[Motion]:
    """One animation a plan; `step` is called with the number of each frame that is done.

    Raises:
        jobdesk.Reject: `corrupt` or `truncated`; a frame cannot be decoded.
    """
    made: list[list[Image.Image]] = [[] for _ in plans]
    durations: list[int] = []
    for number, (frame, shown_ms) in enumerate(_decoded(content, picture), 1):
        durations.append(shown_ms)
        for frames, plan, ground in zip(made, plans, grounds, strict=True):
            frames.append(_frame(frame, picture.icc, plan, ground))
        step(number)
    loop = picture.info.get("loop", 1 if picture.header.format is formats.GIF else 0)
    return [Motion(frames, durations, loop if isinstance(loop, int) else 0) for frames in made]


def _decoded(content: bytes, picture: Picture) -> Iterator[tuple[Image.Image, int]]:
    """Every frame upright and in 8 bit, and how many milliseconds it is shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=[picture.header.format.name]) as file:
                for frame in ImageSequence.Iterator(file):
                    frame.load()
                    whole = colours.eight_bit(frame)
                    if picture.orientation in colours.TURNS:
                        whole = whole.transpose(colours.TURNS[picture.orientation])
                    yield whole, int(frame.info.get("duration") or _USUAL_MS)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever their format makes them stumble over
        raise refusal(error) from None


def _frame(whole: Image.Image, icc: bytes | None, plan: Plan, ground: tuple[int, int, int] | None) -> Image.Image:
    made = whole if plan.whole and whole.size == plan.scaled else resizing.resize(whole, plan.scaled, plan.box)
    made, _ = colours.to_srgb(made, icc)
    made = lay(made, plan.canvas, ground)
    made = made.copy() if made is whole else made
    made.info = {}
    return made
