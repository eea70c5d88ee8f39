"""Small pictures for tests, good ones and such as a stranger might send."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def plain(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **save: Any) -> bytes:
    """A picture with four differently coloured quarters; the upper left one is red."""
    image = quarters(size).convert(mode)
    return saved(image, kind, **save)


def quarters(size: tuple[int, int]) -> Image.Image:
    """Red, green / blue, white."""
    image = Image.new("RGB", size, (255, 255, 255))
    wide, high = size[0] // 2, size[1] // 2
    image.paste((230, 20, 20), (0, 0, wide, high))
    image.paste((20, 200, 20), (wide, 0, size[0], high))
    image.paste((20, 20, 230), (0, high, wide, size[1]))
    return image


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    """The channels of a pixel; the picture has several."""
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return found


def near(found: object, wanted: tuple[int, ...], by: int = 12) -> bool:
    """Whether a pixel is about this colour; how clear it is counts where `wanted` says it."""
    assert isinstance(found, tuple)
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=False))


def frames(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **save)
    return output.getvalue()


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG with any claims: `rows` are compressed as they are."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """A baseline JPEG that says it is another size than it is."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def many_scans(count: int) -> bytes:
    """A JPEG whose last scan is repeated, as scan bombs do."""
    jpeg = plain(progressive=True)
    at = jpeg.rindex(b"\xff\xda")
    return jpeg[:at] + jpeg[at:-2] * count + b"\xff\xd9"
