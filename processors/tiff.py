"""The pages of a TIFF: how large each is and where its data ends, classic TIFF and BigTIFF."""

import struct
from dataclasses import dataclass

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_TYPE_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WIDTH, _HEIGHT, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 256, 257, 273, 279, 324, 325
_BITS, _SAMPLES = 258, 277
_WANTED = frozenset({_WIDTH, _HEIGHT, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES, _BITS, _SAMPLES})
_MAX_VALUES = 1_000_000


class Broken(Exception):
    """The file breaks its format."""


@dataclass(frozen=True, slots=True)
class TiffPage:
    """One picture of the file; `data_end` counts bytes from its start; `bits` are of a pixel, `depth` of a channel."""

    width: int
    height: int
    data_end: int
    data_bytes: int
    bits: int
    depth: int


def pages(data: bytes, limit: int) -> list[TiffPage]:
    """Every page, in order, `limit` at most.

    Raises:
        Broken: there is none, or they lead in a circle.
        struct.error: the file ends too early.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    found: list[TiffPage] = []
    seen: set[int] = set()
    while at and len(found) < limit:
        if at in seen:
            raise Broken("its pages lead in a circle")
        seen.add(at)
        page, at = _page(data, at, order, big)
        found.append(page)
    if not found:
        raise Broken("it has no page")
    return found


def _page(data: bytes, at: int, order: str, big: bool) -> tuple[TiffPage, int]:
    count_code, entry, inline = ("Q", 20, 8) if big else ("H", 12, 4)
    (count,) = struct.unpack_from(order + count_code, data, at)
    at += struct.calcsize(count_code)
    if count > 4096:
        raise Broken(f"a page with {count:,} tags")
    tags: dict[int, tuple[int, ...]] = {}
    for number in range(count):
        place = at + number * entry
        tag, kind, values = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, place)
        if tag not in _WANTED or kind not in _TYPE_CODES:
            continue
        if values > _MAX_VALUES:
            raise Broken(f"a tag with {values:,} values")
        where = place + entry - inline
        if values * _TYPE_BYTES[kind] > inline:
            (where,) = struct.unpack_from(order + ("Q" if big else "I"), data, where)
        tags[tag] = struct.unpack_from(f"{order}{values}{_TYPE_CODES[kind]}", data, where)
    (after,) = struct.unpack_from(order + ("Q" if big else "I"), data, at + count * entry)
    starts = tags.get(_STRIPS) or tags.get(_TILES) or ()
    lengths = tags.get(_STRIP_BYTES) or tags.get(_TILE_BYTES) or (0,) * len(starts)
    if not (tags.get(_WIDTH) and tags.get(_HEIGHT) and starts):
        raise Broken("a page without size or data")
    end = max((start + length for start, length in zip(starts, lengths, strict=False)), default=0)
    depth = (tags.get(_BITS) or (1,))[0]
    bits = depth * (tags.get(_SAMPLES) or (1,))[0]
    return TiffPage(tags[_WIDTH][0], tags[_HEIGHT][0], end, sum(lengths), bits, depth), after
