"""What kind of picture a file is, by its content and never by its name.

The list of kinds is an allow-list: what is not on it is never handed to a decoder.
"""

import importlib.util
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of picture; `name` is Pillow's word for it."""

    name: str
    mime: str
    extension: str
    also: tuple[str, ...] = ()


JPEG = Format("JPEG", "image/jpeg", ".jpg", (".jpeg", ".jpe", ".jfif"))
PNG = Format("PNG", "image/png", ".png", (".apng",))
GIF = Format("GIF", "image/gif", ".gif")
WEBP = Format("WEBP", "image/webp", ".webp")
TIFF = Format("TIFF", "image/tiff", ".tif", (".tiff",))
BMP = Format("BMP", "image/bmp", ".bmp", (".dib",))
AVIF = Format("AVIF", "image/avif", ".avif", (".avifs",))
HEIC = Format("HEIF", "image/heic", ".heic", (".heif", ".hif"))
ALL = (JPEG, PNG, GIF, WEBP, TIFF, BMP, AVIF, HEIC)
PICTURE_EXTENSIONS = frozenset(suffix for one in ALL for suffix in (one.extension, *one.also))

_DIB_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (rb"%PDF-", "a PDF document"),
    (rb"PK\x03\x04|PK\x05\x06", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"Rar!\x1a\x07", "a RAR archive"),
    (rb"\x7fELF", "a Linux program"),
    (rb"MZ", "a Windows program"),
    (rb"#!", "a script"),
    (rb"%!PS", "a PostScript document"),
    (rb"8BPS", "a Photoshop document"),
    (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (rb"\x00\x00\x01\x00", "an icon"),
    (rb"....ftyp", "a video"),
    (rb"RIFF....(AVI |WAVE)", "a video or sound"),
    (rb"\x1aE\xdf\xa3", "a video"),
    (rb"ID3|OggS|fLaC", "a sound"),
    (rb"(\xef\xbb\xbf)?\s*<svg|(\xef\xbb\xbf)?\s*<\?xml[^>]*>\s*(<!--.*?-->\s*)?<svg", "an SVG drawing"),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)", "an HTML page"),
    (rb"(\xef\xbb\xbf)?\s*<\?xml", "an XML document"),
)


def sniff(content: bytes) -> Format | None:
    """The kind of picture, or None if it is none of ours."""
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    if content.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TIFF
    if content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _DIB_SIZES:
        return BMP
    return _sniff_boxes(content) if content[4:8] == b"ftyp" else None


def named(content: bytes) -> str:
    """What a file that is no picture of ours seems to be, for a person: "a PDF document"."""
    head = content[:1024]
    for pattern, words in _OTHERS:
        if re.match(pattern, head, re.S | re.I):
            return words
    if b"\0" not in head:
        try:
            head[:1000].decode("utf-8", "strict" if len(content) <= 1000 else "ignore")
        except UnicodeDecodeError:
            return "data of an unknown kind"
        return "text" if all(byte >= 32 or byte in b"\t\r\n\f" for byte in head) else "data of an unknown kind"
    return "data of an unknown kind"


def reads_heic() -> bool:
    """Whether the library for HEIC is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def _sniff_boxes(content: bytes) -> Format | None:
    size = int.from_bytes(content[:4], "big")
    brands = {content[at : at + 4] for at in (8, *range(16, min(size, 256), 4))}
    if brands & {b"avif", b"avis"}:
        return AVIF
    return HEIC if content[8:12] in _HEIC_BRANDS or brands & {b"heic", b"heix"} else None
