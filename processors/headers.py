"""Measuring a picture without decoding it, and refusing what must not be decoded.

What a decoder would only find out by burning minutes or gigabytes is refused here: pictures that
claim more pixels than allowed, than their data can hold, or thousands of scans.
"""

import struct
from typing import NoReturn

from jobdesk import Reject

from . import formats
from .formats import Format
from .walkers import MAX_FRAMES, WALKERS, Header, Short, TooLarge, Wrong

__all__ = ["Header", "inspect"]

MAX_HEIC_PIXELS = 50_000_000
"""HEIC takes several times the memory of the others: 540 MB at 33 megapixels."""


MEMORY = "1.5GB"
"""Of a process that works on pictures: 100 megapixels with alpha take one, and one led astray gets no more."""
PLAIN_BYTES, PLAINEST = 150_000_000, 400
"""What unfolds to more than so many bytes, and so many times its size, is a bomb: one colour, next to nothing else."""


def inspect(content: bytes, name: str, max_pixels: int, max_frames: int = MAX_FRAMES) -> Header:
    """Find out what picture this is and refuse what must not be decoded.

    Args:
        content: the whole file.
        name: the file's name as people know it, for messages.
        max_pixels: a picture that claims more is refused.
        max_frames: one that has more too.

    Raises:
        Reject: empty, unsupported-type, type-mismatch, truncated, corrupt, too-many-pixels, too-many-frames, too-large.
    """
    kind = formats.sniff(content)
    if kind is None:
        _refuse_type(content, name)
    if kind is formats.HEIC:
        if not formats.reads_heic():
            raise Reject(
                f"{name} is HEIC, which needs an extra: pip install 'jobdesk[heic]', then retry",
                reason="unsupported-type",
            )
        max_pixels = min(max_pixels, MAX_HEIC_PIXELS)
    try:
        header = WALKERS[kind.name](content)
    except (Short, IndexError, OverflowError, struct.error):
        raise Reject(f"{name} is cut short: the end of the {_word(kind)} is missing", reason="truncated") from None
    except Wrong as error:
        raise Reject(f"{name} is damaged: {error}", reason="corrupt") from None
    except TooLarge as error:
        raise Reject(f"{name} {error}", reason="too-large") from None
    if header.width < 1 or header.height < 1:
        raise Reject(f"{name} is damaged: it claims {header.width}×{header.height} pixels", reason="corrupt")
    if header.width * header.height > max_pixels:
        raise Reject(
            f"{name} claims {header.width}×{header.height} pixels, more than the {max_pixels:,} allowed "
            f"(images.max_pixels)",
            reason="too-many-pixels",
        )
    if header.starved:
        raise Reject(
            f"{name} is cut short: it cannot hold the {header.width}×{header.height} pixels it claims",
            reason="truncated",
        )
    if header.unpacked_bytes > max(PLAIN_BYTES, PLAINEST * header.packed_bytes):
        raise Reject(
            f"{name} would unfold to {header.unpacked_bytes / 1e6:,.0f} MB, more than {PLAINEST} times what it has: "
            f"make it smaller if it is so plain a picture",
            reason="too-many-pixels",
        )
    if header.frames > max_frames:
        raise Reject(
            f"{name} has {header.frames:,} frames, more than the {max_frames:,} allowed (images.max_frames)",
            reason="too-many-frames",
        )
    return header


def _refuse_type(content: bytes, name: str) -> NoReturn:
    found = formats.named(content)
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix in formats.PICTURE_EXTENSIONS:
        raise Reject(f"{name} is named like a picture but holds {found}", reason="type-mismatch")
    raise Reject(
        f"{name} holds {found}, not a picture: JPEG, PNG, GIF, WebP, TIFF, BMP, AVIF and HEIC are taken",
        reason="unsupported-type",
    )


def _word(kind: Format) -> str:
    return {"WEBP": "WebP", "HEIF": "HEIC"}.get(kind.name, kind.name)
