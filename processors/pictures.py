"""Decoding a picture once, within bounds, and making renditions from it.

What is decoded are the very bytes that were checked, by the one decoder that their content calls
for. Every output is upright, in sRGB, 8 bit, and carries nothing of the original but its pixels.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from jobdesk import Reject

from . import colours, formats
from .headers import Header

OutputFormat = Literal["webp", "jpeg", "png"]
Fit = Callable[[tuple[int, int]], tuple[int, int]]
EXTENSIONS: dict[OutputFormat, str] = {"webp": ".webp", "jpeg": ".jpg", "png": ".png"}
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
_GPS = 0x8825
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(slots=True)
class Picture:
    """A decoded picture: its pixels as stored (perhaps at a fraction of the size), and what the file says of it."""

    image: Image.Image
    header: Header
    mode: str
    """Pillow's mode of the file, before anything was converted."""
    orientation: int
    """The EXIF orientation, 1 to 8."""
    icc: bytes | None
    exif: Image.Exif
    doubts: list[str] = field(default_factory=list)
    """What could not be read, for the log; none of it keeps the pixels from being right."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture when held upright."""
        size = self.header.width, self.header.height
        return size if self.orientation < 5 else size[::-1]


def decode(content: bytes, header: Header, largest: Fit | None = None, gap: float = 1.0) -> Picture:
    """Decode a picture that was inspected.

    Args:
        content: the file that `header` was read from.
        header: what `headers.inspect` found.
        largest: the largest size that is wanted, from the size of the upright picture; the decoder may
            leave out detail beyond `gap` times that.
        gap: 1 is quickest, 2 cannot be told from a full decoding.

    Raises:
        Reject: `corrupt` or `truncated`; whatever the decoder says ends the job, since a second try would
            hand out half a picture.
    """
    Image.MAX_IMAGE_PIXELS = header.width * header.height
    doubts: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if header.format is formats.HEIC:
                _register_heic()
            image = Image.open(io.BytesIO(content), formats=[header.format.name])
            mode = image.mode
            if largest is not None and header.format is formats.JPEG:
                turned = _orientation(_exif(image, [])) >= 5  # with JPEG this reads no pixels
                size = header.width, header.height
                wide, high = (round(edge * gap) for edge in largest(size[::-1] if turned else size))
                image.draft(None, (high, wide) if turned else (wide, high))
            image.load()
            exif = _exif(image, doubts)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever their format makes them stumble over
        raise _refusal(error) from None
    icc = image.info.get("icc_profile")
    return Picture(
        image=image,
        header=header,
        mode=mode,
        orientation=_orientation(exif),
        icc=icc if isinstance(icc, bytes) and icc else None,
        exif=exif,
        doubts=doubts,
    )


def upright(picture: Picture, size: tuple[int, int]) -> Image.Image:
    """The picture at a size, held upright, in sRGB (mode L, RGB or RGBA)."""
    image = shrink(colours.eight_bit(picture.image), size if picture.orientation < 5 else size[::-1])
    if picture.orientation in _TURNS:
        image = image.transpose(_TURNS[picture.orientation])
    image, doubt = colours.to_srgb(image, picture.icc)
    if doubt:
        picture.doubts.append(doubt)
    image.info = {}
    return image


def shrink(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A smaller version; the same picture if it is that size already."""
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def fit_longest(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """The size with the longest edge at most `longest_px`; never larger than it is."""
    factor = min(1.0, longest_px / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def fit_width(size: tuple[int, int], width_px: int) -> tuple[int, int]:
    """The size with a width of at most `width_px`; never larger than it is."""
    factor = min(1.0, width_px / size[0])
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def encode(image: Image.Image, kind: OutputFormat, quality: int, exif: bytes = b"") -> bytes:
    """The file of a rendition; what is transparent becomes white where the format cannot hold it."""
    output = io.BytesIO()
    if kind == "jpeg":
        flat = colours.flatten(image)
        flat.save(output, "JPEG", quality=quality, optimize=True, progressive=True, exif=exif)
    elif kind == "webp":
        image.save(output, "WEBP", quality=quality, method=4, exif=exif)
    else:
        image.save(output, "PNG", exif=exif)
    return output.getvalue()


def place_only(picture: Picture) -> bytes:
    """EXIF data with nothing but the place where the photo was taken; empty if the file does not say."""
    try:
        place = dict(picture.exif.get_ifd(_GPS))
        if not place:
            return b""
        kept = Image.Exif()
        kept.get_ifd(_GPS).update(place)
        return kept.tobytes()
    except Exception as error:
        picture.doubts.append(f"the GPS data cannot be read ({type(error).__name__})")
        return b""


def _orientation(exif: Image.Exif) -> int:
    tag = exif.get(_ORIENTATION, 1)
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def _exif(image: Image.Image, doubts: list[str]) -> Image.Exif:
    try:
        return image.getexif()
    except Exception as error:  # hostile EXIF must not cost a good picture
        doubts.append(f"the EXIF data cannot be read ({type(error).__name__}): orientation and camera are unknown")
        return Image.Exif()


def _refusal(error: Exception) -> Reject:
    text = str(error) or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return Reject(f"the picture is cut short: {text}", reason="truncated")
    return Reject(f"the picture is damaged: {text}", reason="corrupt")


def _register_heic() -> None:
    import pillow_heif  # type: ignore[import-not-found,unused-ignore]

    register: Any = pillow_heif.register_heif_opener
    register()
