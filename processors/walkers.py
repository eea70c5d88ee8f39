"""Going once through the markers, chunks or blocks of a picture's file, format by format.

A walker finds out size, frames and whether all is there, and decodes nothing.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from . import formats, tiff
from .formats import Format

MAX_SCANS = 64
MAX_FRAMES = 5_000
MAX_METADATA_BYTES = 16_000_000
_DEFLATE_RATIO = 1_032
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_METADATA = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"})
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True, slots=True)
class Header:
    """A picture as its header describes it; width and height as stored, before any rotation."""

    format: Format
    width: int
    height: int
    frames: int = 1
    starved: bool = False
    """The file is too short to hold what it claims, however well it were packed."""
    unpacked_bytes: int = 0
    """What a decoder unpacks of the first frame before a pixel is there."""
    packed_bytes: int = 0
    """What that is packed into."""
    depth: int = 8
    """Bits of a channel."""


class Short(Exception):
    """The file ends too early."""


class Wrong(Exception):
    """The file breaks its format."""


class TooLarge(Exception):
    """A part of the file is beyond bounds."""


def _jpeg(data: bytes) -> Header:
    at, scans, metadata, least_bits, coefficients = 2, 0, 0, 0, 0
    width = height = 0
    entropy_bits = 0
    while True:
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            raise Short
        marker, at = data[found.start() + 1], found.end()
        if marker == 0xD9:
            break
        if marker in (0x01, 0xD8):
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2:
            raise Wrong(f"a segment of {length} bytes")
        if at + length > len(data):
            raise Short
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, parts = struct.unpack_from(">HHB", data, at + 3)
            factors = [(data[at + 9 + 3 * part] >> 4, data[at + 9 + 3 * part] & 15) for part in range(parts)]
            if not factors or any(not (1 <= h <= 4 and 1 <= v <= 4) for h, v in factors):
                raise Wrong("its components make no sense")
            # Huffman coding spends a bit on every block at least; arithmetic coding (above C8) need not.
            columns = -(-width // (8 * max(h for h, _ in factors)))
            rows = -(-height // (8 * max(v for _, v in factors)))
            blocks = columns * rows * sum(h * v for h, v in factors)
            least_bits = blocks if marker < 0xC8 else 0
            coefficients = 128 * blocks if marker in _PROGRESSIVE else 0  # all of them are held until the last scan
        elif marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise Wrong(f"it has more than {MAX_SCANS} scans, as no camera or program makes")
            entropy_end = _JPEG_MARKER.search(data, at + length)
            if entropy_end is None:
                raise Short
            entropy_bits += 8 * (entropy_end.start() - at - length)
        elif marker >= 0xE0:
            metadata += length
            if metadata > MAX_METADATA_BYTES:
                raise TooLarge(f"carries more than {MAX_METADATA_BYTES:,} bytes of metadata")
        at += length
    if not scans or not width:
        raise Wrong("it has no picture data")
    starved = entropy_bits < least_bits
    return Header(
        formats.JPEG, width, height, starved=starved, unpacked_bytes=coefficients, packed_bytes=entropy_bits // 8
    )


def _png(data: bytes) -> Header:
    at, frames, metadata, compressed = 8, 1, 0, 0
    if data[12:16] != b"IHDR":
        raise Wrong("it does not start with its header") if len(data) >= 16 else Short
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        if not kind.isalpha():
            raise Wrong("a chunk has no name")
        if at + 12 + length > len(data):
            raise Short
        if kind == b"IEND":
            break
        if kind == b"IDAT":
            compressed += length
        elif kind == b"acTL":
            frames = max(1, int.from_bytes(data[at + 8 : at + 12], "big"))
        elif kind in _PNG_METADATA:
            metadata += length
            if metadata > MAX_METADATA_BYTES:
                raise TooLarge(f"carries more than {MAX_METADATA_BYTES:,} bytes of metadata")
        at += 12 + length
    if not compressed:
        raise Wrong("it has no picture data")
    raw = width * height * depth * _PNG_CHANNELS.get(colour, 1) // 8
    starved = raw > compressed * _DEFLATE_RATIO + 1_000
    return Header(
        formats.PNG, width, height, frames, starved=starved, unpacked_bytes=raw, packed_bytes=compressed // frames,
        depth=depth,
    )  # fmt: skip


def _gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    frames = 0
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0x2C:
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            at += 10 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0) + 1
        elif data[at] == 0x21:
            at += 2
        else:
            raise Wrong("a block of an unknown kind")
        while data[at]:  # sub-blocks, each led by its length; IndexError at the end of the file means cut short
            at += data[at] + 1
        at += 1
    if not frames:
        raise Short if at >= len(data) else Wrong("it has no picture data")
    return _coloured(formats.GIF, width, height, data, frames)


def _webp(data: bytes) -> Header:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data) + 1:  # some writers count the padding of an odd last chunk that they leave out
        raise Short
    width = height = frames = 0
    at = 12
    while at + 8 <= min(end, len(data)):
        kind, length = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if body + length > len(data):
            raise Short
        if kind == b"VP8X":
            width, height = (1 + int.from_bytes(data[body + skip : body + skip + 3], "little") for skip in (4, 7))
        elif kind == b"VP8 " and data[body + 3 : body + 6] == b"\x9d\x01\x2a":
            wide, high = struct.unpack_from("<HH", data, body + 6)
            width, height, frames = max(width, wide & 0x3FFF), max(height, high & 0x3FFF), frames + 1
        elif kind == b"VP8L" and data[body] == 0x2F:
            bits = int.from_bytes(data[body + 1 : body + 5], "little")
            width, height = max(width, 1 + (bits & 0x3FFF)), max(height, 1 + (bits >> 14 & 0x3FFF))
            frames += 1
        elif kind == b"ANMF":
            frames += 1
        at = body + length + (length & 1)
    if not frames:
        raise Wrong("it has no picture data")
    return _coloured(formats.WEBP, width, height, data, frames)


def _tiff(data: bytes) -> Header:
    try:
        found = tiff.pages(data, MAX_FRAMES + 1)
    except tiff.Broken as error:
        raise Wrong(str(error)) from None
    first = found[0]
    return Header(
        formats.TIFF, first.width, first.height, len(found), starved=first.data_end > len(data),
        unpacked_bytes=first.width * first.height * first.bits // 8, packed_bytes=first.data_bytes, depth=first.depth,
    )  # fmt: skip


def _bmp(data: bytes) -> Header:
    offset, header_size = struct.unpack_from("<I4xI", data, 10)[0], int.from_bytes(data[14:18], "little")
    if header_size == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    height = abs(height)
    raw = offset + (width * depth + 31) // 32 * 4 * height
    return Header(formats.BMP, width, height, starved=compression in (0, 3) and raw > len(data))


def _boxes(kind: Format) -> Callable[[bytes], Header]:
    def walk(data: bytes) -> Header:
        at, width, height, frames, depth = 0, 0, 0, 1, 8
        moves = data[8:12] == b"avis"
        while at + 8 <= len(data):
            length, name = struct.unpack_from(">I4s", data, at)
            if length == 1:
                length = int.from_bytes(data[at + 8 : at + 16], "big")
            if length == 0:
                length = len(data) - at
            if length < 8:
                raise Wrong("a box of no length")
            if at + length > len(data):
                raise Short
            if name == b"meta":
                for found in re.finditer(rb"ispe", data[at : at + length]):
                    wide, high = struct.unpack_from(">II", data, at + found.end() + 4)
                    if wide * high > width * height:
                        width, height = wide, high
                if (said := data.find(b"pixi", at, at + length)) > 0:
                    depth = data[said + 9]
            if name == b"moov" and moves:
                for found in re.finditer(rb"stsz", data[at : at + length]):
                    frames = max(frames, int.from_bytes(data[at + found.end() + 8 : at + found.end() + 12], "big"))
            at += length
        if not width:
            raise Wrong("it does not say how large it is")
        return _coloured(kind, width, height, data, frames, depth)

    return walk


def _coloured(kind: Format, width: int, height: int, data: bytes, frames: int = 1, depth: int = 8) -> Header:
    """Of what is unpacked into three colours, whatever it holds."""
    return Header(
        kind, width, height, frames, unpacked_bytes=3 * width * height, packed_bytes=len(data) // max(1, frames),
        depth=depth,
    )  # fmt: skip


WALKERS: dict[str, Callable[[bytes], Header]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "TIFF": _tiff,
    "BMP": _bmp,
    "AVIF": _boxes(formats.AVIF),
    "HEIF": _boxes(formats.HEIC),
}
