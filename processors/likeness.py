"""A perceptual hash: pictures that look alike have hashes that differ in few bits."""

import math
from functools import cache

from PIL import Image

from . import colours

_EDGE, _KEPT = 32, 8


def phash(image: Image.Image) -> str:
    """64 bits as 16 hexadecimal digits: which of the lowest frequencies lie above their median.

    The same picture at another size or quality differs in a few bits, another picture in about 32.
    """
    grey = colours.flatten(image).convert("L").resize((_EDGE, _EDGE), Image.Resampling.BOX)
    pixels = grey.tobytes()
    waves = _waves()
    rows = [
        [sum(map(float.__mul__, wave, map(float, pixels[at : at + _EDGE]))) for wave in waves]
        for at in range(0, _EDGE * _EDGE, _EDGE)
    ]
    columns = [[row[across] for row in rows] for across in range(_KEPT)]
    found = [sum(map(float.__mul__, wave, column)) for wave in waves for column in columns]
    median = sorted(found)[len(found) // 2]
    bits = 0
    for value in found:
        bits = bits << 1 | (value > median)
    return f"{bits:016x}"


def distance(one: str, other: str) -> int:
    """In how many of their 64 bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


@cache
def _waves() -> tuple[tuple[float, ...], ...]:
    return tuple(
        tuple(math.cos(math.pi * wave * (2 * at + 1) / (2 * _EDGE)) for at in range(_EDGE)) for wave in range(_KEPT)
    )
