"""The file of a rendition: its format, how well it is packed, and what of the original it keeps."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from jobdesk import Reject

from . import colours
from .keeping import NOTHING, Kept
from .shapes import OutputFormat, rgb

EXTENSIONS: dict[OutputFormat, str] = {
    "webp": ".webp", "jpeg": ".jpg", "png": ".png", "avif": ".avif", "gif": ".gif", "tiff": ".tif",
}  # fmt: skip
ANIMATED: frozenset[OutputFormat] = frozenset({"webp", "gif", "png", "avif"})
"""Formats that hold more than one frame."""
LONGEST_EDGE: dict[OutputFormat, int] = {"webp": 16_383, "jpeg": 65_500, "gif": 65_535, "avif": 65_535}
"""In pixels, of formats that have a bound."""
LEAST_QUALITY = 10
_TRIES = 7
_XMP_TAG = 700
_WEBP_EFFORT = 2
"""Of 0 to 6; 4 is libwebp's own. 13 photos at 1600 px took 88 ms instead of 168, for 4 % more bytes and 0.2 dB."""


@dataclass(frozen=True, slots=True)
class Output:
    """How a file is written."""

    format: OutputFormat
    quality: int
    ground: str = "#ffffff"
    """What clear parts are laid on where the format has none."""
    progressive: bool = False
    kept: Kept = NOTHING


@dataclass(frozen=True, slots=True)
class Motion:
    """Frames of an animation, all of one size, and how they play."""

    frames: Sequence[Image.Image]
    durations_ms: Sequence[int]
    loop: int
    """How often it plays; 0 for ever."""


def encode(image: Image.Image, output: Output) -> bytes:
    """The file of one picture.

    Raises:
        Reject: `too-large`; the format has no room for it.
    """
    return _saved(_fit_for(image, output), output, {})


def encode_motion(motion: Motion, output: Output) -> bytes:
    """The file of an animation, in a format that holds one.

    Raises:
        Reject: `too-large`; the format has no room for it.
    """
    frames = [_fit_for(frame, output) for frame in motion.frames]
    how: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "loop": motion.loop}
    how["duration"] = list(motion.durations_ms)
    if output.format == "gif":
        how["disposal"] = 2
    return _saved(frames[0], output, how)


def encode_within(image: Image.Image, output: Output, limit_bytes: int) -> tuple[bytes, int]:
    """The file at the best quality at which it is not larger than the limit, and that quality.

    Raises:
        Reject: `too-large`; not even the least quality is small enough, or the format knows no quality.
    """
    best: tuple[bytes, int] | None = None
    low, high = LEAST_QUALITY, output.quality
    content = encode(image, output)
    if len(content) <= limit_bytes:
        return content, output.quality
    if output.format not in ("png", "gif", "tiff"):
        high -= 1
        for _ in range(_TRIES):
            if low > high:
                break
            middle = (low + high) // 2
            content = encode(image, replace(output, quality=middle))
            if len(content) <= limit_bytes:
                best, low = (content, middle), middle + 1
            else:
                high = middle - 1
    if best is None:
        raise Reject(
            f"{image.width}×{image.height} as {output.format} has {len(content):,} bytes, more than the "
            f"{limit_bytes:,} that are wanted: resize it first, or choose another format",
            reason="too-large",
        )
    return best


def _fit_for(image: Image.Image, output: Output) -> Image.Image:
    if output.format == "jpeg":
        return colours.flatten(image, rgb(output.ground))
    if output.format == "gif" and image.mode == "RGBA":  # where a pixel is clear or is not
        image = image.copy()
        image.putalpha(image.getchannel("A").point([0] * 128 + [255] * 128))
    return image


def _saved(image: Image.Image, output: Output, how: Mapping[str, Any]) -> bytes:
    longest = LONGEST_EDGE.get(output.format)
    if longest is not None and max(image.size) > longest:
        raise Reject(
            f"{image.width}×{image.height} pixels do not fit into {output.format}, whose edges have {longest:,} at "
            f"most: resize it first, or choose another format",
            reason="too-large",
        )
    file = io.BytesIO()
    kept = output.kept
    if output.format == "jpeg":
        extra = kept.iptc_segment
        image.save(
            file, "JPEG", quality=output.quality, optimize=True, progressive=output.progressive,
            exif=kept.exif, **({"xmp": kept.xmp} if kept.xmp else {}), **({"extra": extra} if extra else {}),
        )  # fmt: skip
    elif output.format == "webp":
        image.save(file, "WEBP", quality=output.quality, method=_WEBP_EFFORT, exif=kept.exif, xmp=kept.xmp, **how)
    elif output.format == "avif":
        try:
            image.save(file, "AVIF", quality=output.quality, speed=8, exif=kept.exif, xmp=kept.xmp, **how)
        except RuntimeError as error:  # its encoder takes several times the memory of the others
            raise Reject(
                f"{image.width}×{image.height} pixels cannot be written as avif ({error}): resize it first, or choose "
                f"another format",
                reason="too-large",
            ) from None
    elif output.format == "gif":
        image.save(file, "GIF", **how)
    elif output.format == "tiff":
        tags = _tiff_tags(kept)
        nested = ExifTags.IFD.Exif in tags or ExifTags.IFD.GPSInfo in tags  # written beside plain pixels only
        image.save(file, "TIFF", compression="raw" if nested else "tiff_adobe_deflate", exif=tags)
    else:
        words = PngImagePlugin.PngInfo()
        if kept.xmp:
            words.add_itxt("XML:com.adobe.xmp", kept.xmp.decode("utf-8", "replace"))
        image.save(file, "PNG", exif=kept.exif, pnginfo=words, **how)
    return file.getvalue()


def _tiff_tags(kept: Kept) -> Image.Exif:
    tags = Image.Exif()
    if kept.exif:
        tags.load(kept.exif)
    if kept.xmp:
        tags[_XMP_TAG] = kept.xmp
    return tags
