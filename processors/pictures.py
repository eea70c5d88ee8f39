"""Decoding a picture once, within bounds.

What is decoded are the very bytes that were checked, by the one decoder that their content calls for.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from jobdesk import Reject

from . import formats, vips
from .headers import Header
from .shapes import Size

Fit = Callable[[Size], Size]
PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""Imported so that Pillow need not import all of its forty plugins at the first picture."""

_ORIENTATION = 0x0112
_SMALL_PX = 512
_SMALL_GAP = 1.25
"""Up to this edge the decoder leaves so much more detail than is wanted: there it costs next to nothing."""


@dataclass(slots=True)
class Picture:
    """A decoded picture: its pixels as stored (perhaps at a fraction of the size), and what the file says of it."""

    image: Image.Image
    header: Header
    mode: str
    """Pillow's mode of the file, before anything was converted."""
    orientation: int
    """How the pixels lie, 1 to 8 as in EXIF."""
    said: int
    """The orientation that the file says; a TIFF or HEIC is upright once it is decoded, and its EXIF says so."""
    icc: bytes | None
    exif: Image.Exif
    stored: Size
    """Width and height as stored, before any rotation."""
    info: dict[str, Any]
    """What else Pillow read: xmp, photoshop, duration, loop."""
    doubts: list[str] = field(default_factory=list)
    """What could not be read, for the log; none of it keeps the pixels from being right."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture when held upright."""
        return self.stored if self.orientation < 5 else self.stored[::-1]


def decode(content: bytes, header: Header, largest: Fit | None = None, page: int = 0, max_pixels: int = 0) -> Picture:
    """Decode a picture that was inspected.

    Args:
        content: the file that `header` was read from.
        header: what `headers.inspect` found.
        largest: the largest size that is wanted, from the size of the upright picture; the decoder may
            leave out detail beyond that.
        page: of a TIFF with several, counted from 0.
        max_pixels: of such a page; the header tells of the first only.

    Raises:
        Reject: `corrupt` or `truncated`; whatever the decoder says ends the job, since a second try would
            hand out half a picture.
    """
    doubts: list[str] = []
    try:
        with _no_more_than(header.width * header.height):
            if header.format is formats.HEIC:
                _register_heic()
            image: Image.Image = Image.open(io.BytesIO(content), formats=[header.format.name])
            if page:
                image.seek(page)
                _bound(image, page, max_pixels)
            mode, size = image.mode, image.size
            if largest is not None and header.format is formats.JPEG:
                turned = _turned(image, header)
                wide, high = largest(size[::-1] if turned else size)
                if max(wide, high) <= _SMALL_PX:
                    wide, high = round(_SMALL_GAP * wide), round(_SMALL_GAP * high)
                image.draft(None, (high, wide) if turned else (wide, high))
            if header.format is formats.PNG and largest is not None and not page:
                turned = _turned(image, header)
                wide, high = largest(size[::-1] if turned else size)
                image = vips.unpacked(content, image, (high, wide) if turned else (wide, high)) or image
            said = _orientation(_exif(image, [])) if header.format is formats.TIFF else 1
            if header.format is formats.HEIC:
                said = image.info.get("original_orientation") or 1
            image.load()
            if header.format is formats.PNG:
                _mend_clear(image, header.depth)
            exif = _exif(image, doubts)
    except (MemoryError, Reject):
        raise
    except UnidentifiedImageError:
        raise _unknown(header) from None
    except Exception as error:  # decoders raise whatever their format makes them stumble over
        raise refusal(error) from None
    icc = image.info.get("icc_profile")
    return Picture(
        image=image,
        header=header,
        mode=mode,
        orientation=_orientation(exif),
        said=said if said > 1 else _orientation(exif),
        icc=icc if isinstance(icc, bytes) and icc else None,
        exif=exif,
        stored=size,
        info={str(key): value for key, value in image.info.items()},
        doubts=doubts,
    )


def upright(content: bytes, header: Header) -> Size:
    """Width and height of a picture that was inspected when it is held upright; nothing of it is decoded."""
    size = header.width, header.height
    try:
        with _no_more_than(size[0] * size[1]):
            if header.format is formats.HEIC:
                _register_heic()
            image = Image.open(io.BytesIO(content), formats=[header.format.name])
            if header.format is formats.HEIC:
                return image.size
            return size[::-1] if _turned(image, header) else size
    except MemoryError:
        raise
    except Exception:  # what cannot be read turns nothing; whether the pixels can is found out later
        return size


@contextmanager
def _no_more_than(pixels: int) -> Iterator[None]:
    """Whatever claims more pixels than the header did is an error, not a warning."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _bound(image: Image.Image, page: int, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise Reject(
            f"page {page + 1} claims {image.width}×{image.height} pixels, more than the {max_pixels:,} allowed "
            f"(images.max_pixels)",
            reason="too-many-pixels",
        )


def _mend_clear(image: Image.Image, depth: int) -> None:
    """Pillow brings the pixels of a PNG to 8 bits, but not the colour that counts as clear."""
    clear = image.info.get("transparency")
    if image.mode == "L" and depth in (2, 4) and isinstance(clear, int):
        image.info["transparency"] = clear * (255 // (2**depth - 1))
    elif image.mode == "RGB" and depth == 16 and isinstance(clear, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in clear)


def _orientation(exif: Image.Exif) -> int:
    tag = exif.get(_ORIENTATION, 1)
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def _turned(image: Image.Image, header: Header) -> bool:
    """Whether an opened picture lies on its side; its pixels are not read for that."""
    exif = Image.Image.getexif(image) if header.format is formats.PNG else _exif(image, [])  # a PNG's own reads them
    return _orientation(exif) >= 5


def _exif(image: Image.Image, doubts: list[str]) -> Image.Exif:
    try:
        return image.getexif()
    except Exception as error:  # hostile EXIF must not cost a good picture
        doubts.append(f"the EXIF data cannot be read ({type(error).__name__}): orientation and camera are unknown")
        return Image.Exif()


def refusal(error: Exception) -> Reject:
    """What an error of a decoder means."""
    text = str(error) or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return Reject(f"the picture is cut short: {text}", reason="truncated")
    return Reject(f"the picture is damaged: {text}", reason="corrupt")


def _unknown(header: Header) -> Reject:
    if header.format is formats.TIFF:  # its pages were found, so it is whole
        text = "the TIFF has pixels of a kind that is not taken: save it as grey, RGB or CMYK of 8 or 16 bits"
        return Reject(text, reason="unsupported-type")
    return Reject("the picture is damaged: its decoder does not take it for one", reason="corrupt")


@cache
def _register_heic() -> None:
    import pillow_heif

    register: Any = pillow_heif.register_heif_opener
    register()
