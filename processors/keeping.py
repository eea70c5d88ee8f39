"""What a rendition keeps of what the original says of itself: nothing, or the parts that were chosen.

Whatever is kept was taken apart and written anew; the place where a photo was taken goes only where that was said.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from PIL import ExifTags, Image

from .pictures import Picture

Part = Literal["exif", "gps", "xmp", "iptc", "copyright"]
LIMIT_BYTES = 60_000
"""A part larger than this is left out: a JPEG segment holds 65,533 bytes."""
_TAG = ExifTags.Base
_INNER, _GPS = 0x8769, 0x8825
_COPYRIGHT = (_TAG.Artist, _TAG.Copyright)
_DROPPED = frozenset({_TAG.Orientation, _TAG.MakerNote, _TAG.ExifOffset, _TAG.GPSInfo, 700, 33723, 34377, 34675})
"""The picture is upright now, and blocks of a maker's own are neither understood nor checked."""
_CHANGED = frozenset({_TAG.ExifImageWidth, _TAG.ExifImageHeight, _TAG.ExifInteroperabilityOffset, 0x9214, 0xA214})
"""True of the original only: its size, where in it the subject is, and which colours it has."""
_SRGB = 1
_OF_PIXELS = frozenset(
    {*range(254, 267), 273, *range(277, 282), 284, *range(288, 294), 297, 301, *range(317, 350), *range(512, 533),
     *range(50706, 51200)}
)  # fmt: skip
"""How a TIFF holds its pixels: of another picture they are false, and make a TIFF that cannot be read."""
_XMP_PLACE = re.compile(
    rb"\s[\w.-]+:GPS\w*\s*=\s*(\"[^\"]*\"|'[^']*')|<([\w.-]+:GPS\w*)\b[^>]*?(/>|>.*?</\2\s*>)", re.S
)
_XMP_NAMES = rb"[\w.-]+:(?:Orientation|Pixel[XY]Dimension|ImageWidth|ImageLength|ColorSpace|ICCProfile)"
_XMP_OF_PIXELS = re.compile(
    rb"\s%b\s*=\s*(\"[^\"]*\"|'[^']*')|<(%b)\b[^>]*?>.*?</\2\s*>" % (_XMP_NAMES, _XMP_NAMES), re.S
)
_IPTC_RESOURCE = 0x0404


@dataclass(frozen=True, slots=True)
class Kept:
    """What goes into a rendition beside its pixels, each as its format wants it; empty: nothing."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""

    @property
    def iptc_segment(self) -> bytes:
        """The IPTC record as a JPEG segment."""
        if not self.iptc:
            return b""
        odd = b"\0" * (len(self.iptc) % 2)
        size = len(self.iptc).to_bytes(4, "big")
        body = b"Photoshop 3.0\x008BIM" + _IPTC_RESOURCE.to_bytes(2, "big") + b"\0\0" + size + self.iptc + odd
        return b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body


NOTHING = Kept()


def chosen(picture: Picture, parts: Collection[Part]) -> Kept:
    """The chosen parts of a picture, as far as the file has them and they can be read."""
    if not parts:
        return Kept()
    made = {"exif": _exif(picture, parts), "xmp": b"", "iptc": b""}
    if "xmp" in parts:
        made["xmp"] = _xmp(picture, with_place="gps" in parts)
    if "iptc" in parts:
        made["iptc"] = iptc_record(picture)
    for name, content in made.items():
        if len(content) > LIMIT_BYTES:
            picture.doubts.append(f"its {name} has {len(content):,} bytes and was left out")
            made[name] = b""
    return Kept(**made)


def iptc_record(picture: Picture) -> bytes:
    """The IPTC record of a JPEG, or nothing."""
    resources = picture.info.get("photoshop")
    record = resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    return record if isinstance(record, bytes) else b""


def xmp_packet(picture: Picture) -> bytes:
    """The XMP packet of a picture, or nothing."""
    found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    return found.encode("utf-8", "replace") if isinstance(found, str) else bytes(found)


def _exif(picture: Picture, parts: Collection[Part]) -> bytes:
    kept = Image.Exif()
    try:
        if "exif" in parts:
            dropped = _DROPPED | _OF_PIXELS
            kept.update({tag: value for tag, value in picture.exif.items() if tag not in dropped})
            inner = picture.exif.get_ifd(_INNER)
            kept.get_ifd(_INNER).update({tag: one for tag, one in inner.items() if tag not in _DROPPED | _CHANGED})
            if _TAG.ColorSpace in inner:
                kept.get_ifd(_INNER)[_TAG.ColorSpace] = _SRGB
        elif "copyright" in parts:
            kept.update({tag: picture.exif[tag] for tag in _COPYRIGHT if tag in picture.exif})
        if "gps" in parts and (place := dict(picture.exif.get_ifd(_GPS))):
            kept.get_ifd(_GPS).update(place)
        return kept.tobytes() if len(kept) or kept.get_ifd(_INNER) or kept.get_ifd(_GPS) else b""
    except Exception as error:  # a stranger's EXIF makes Pillow raise a dozen classes
        picture.doubts.append(f"its EXIF data cannot be kept ({type(error).__name__})")
        return b""


def _xmp(picture: Picture, *, with_place: bool) -> bytes:
    packet = xmp_packet(picture)
    if len(packet) > LIMIT_BYTES:  # before the patterns below go through it: they may take long over a hostile one
        return packet
    packet = _XMP_OF_PIXELS.sub(b"", packet)
    if with_place:
        return packet
    packet = _XMP_PLACE.sub(b"", packet)
    if b"GPS" in packet.replace(b"\0", b"") or b"Location" in packet.replace(b"\0", b""):
        picture.doubts.append("its XMP says in its own way where it was taken and was left out")
        return b""
    return packet
