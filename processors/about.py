"""All that a picture says and shows of itself, as one JSON value: the result of METADATA_EXTRACT."""

import hashlib
from typing import Any

from PIL import Image

from . import animation, colours, described, keeping, likeness, metadata
from .headers import Header
from .pictures import Picture


def sums(content: bytes) -> dict[str, str]:
    """Checksums of the file."""
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }


def tell(
    content: bytes, header: Header, picture: Picture, small: Image.Image, checksums: dict[str, str]
) -> dict[str, Any]:
    """Everything about a picture.

    Args:
        content: the file.
        header: what `headers.inspect` found.
        picture: what was decoded, at whatever scale.
        small: some rendition of it, about 256 pixels large.
        checksums: see `sums`.
    """
    width, height = picture.size
    return {
        "width": width,
        "height": height,
        "megapixels": round(width * height / 1e6, 2),
        "format": header.format.name,
        "type": header.format.mime,
        "mode": picture.mode,
        "bits": 8 if picture.mode == "P" else header.depth,
        "bytes": len(content),
        "frames": header.frames,
        "animation": _motion(header, picture),
        "orientation": picture.said,
        "transparent": small.mode == "RGBA" and small.getchannel("A").getextrema() != (255, 255),
        "icc": None if picture.icc is None else colours.profile_name(picture.icc),
        "dpi": _dpi(picture),
        "exif": metadata.describe(picture.exif),
        "xmp": described.from_xmp(keeping.xmp_packet(picture)),
        "iptc": described.from_iptc(keeping.iptc_record(picture)),
        "dominant_colours": colours.dominant(small),
        "phash": likeness.phash(small),
        "checksums": checksums,
    }


def _motion(header: Header, picture: Picture) -> dict[str, Any] | None:
    if not animation.is_moving(header):
        return None
    loop, shown = picture.info.get("loop"), picture.info.get("duration")
    return {
        "frames": header.frames,
        "loop": loop if isinstance(loop, int) else None,
        "first_frame_ms": shown if isinstance(shown, int | float) else None,
    }


def _dpi(picture: Picture) -> list[float] | None:
    found = picture.info.get("dpi")
    if not isinstance(found, tuple) or len(found) != 2:
        return None
    across, down = (metadata.number(one, 2, 100_000) for one in found)  # Pillow says 1 where a TIFF says nothing
    return None if across is None or down is None else [round(across, 2), round(down, 2)]
