"""Small colour profiles for tests, made by the bytes."""

import struct

SRGB = ((0.43607, 0.2225, 0.01393), (0.38506, 0.71688, 0.0971), (0.14308, 0.06062, 0.71417))
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
WHITE = (0.9642, 1.0, 0.8249)


def of_rgb(name: str, primaries: tuple[tuple[float, float, float], ...], gamma: float) -> bytes:
    """A profile of red, green and blue in XYZ, all of one gamma."""
    curves = [(tag, _curve(gamma)) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    colours = [(tag, _xyz(one)) for tag, one in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)]
    return _profile(name, b"mntr", b"RGB ", b"XYZ ", [*colours, *curves])


def of_grey(name: str, gamma: float) -> bytes:
    """A profile of grey."""
    return _profile(name, b"mntr", b"GRAY", b"XYZ ", [(b"kTRC", _curve(gamma))])


def of_cmyk(name: str) -> bytes:
    """A profile of a press with plain inks: each has its Lab colour, and those over one another darken each other."""
    inks = ((0.55, -0.3, -0.45), (0.5, 0.7, 0.0), (0.9, 0.0, 0.85), (0.1, 0.0, 0.0))  # lightness left, a and b of 127
    corners = b""
    for number in range(16):  # the last ink varies fastest
        light, a, b = 1.0, 0.0, 0.0
        for ink, (left, red, yellow) in enumerate(inks):
            if number >> (3 - ink) & 1:
                light, a, b = light * left, a + red * 0.6, b + yellow * 0.6
        corners += bytes(round(one) for one in (255 * light, 128 + 127 * a, 128 + 127 * b))
    straight = bytes(range(256))
    one = (65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + struct.pack(">9i", *one) + straight * 4 + corners + straight * 3
    return _profile(name, b"prtr", b"CMYK", b"Lab ", [(b"A2B0", table)])


def _profile(name: str, device: bytes, space: bytes, connected: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    said = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(said)) + said + b"\0" * 78
    every = [(b"desc", described), (b"cprt", b"text\0\0\0\0CC0\0"), (b"wtpt", _xyz(WHITE)), *tags]
    index, body = struct.pack(">I", len(every)), b""
    for tag, content in every:
        index += tag + struct.pack(">II", 132 + 12 * len(every) + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = 128 + len(index) + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s", size, 0x02400000, device, space, connected, b"acsp").ljust(68, b"\0")
    return (head + _xyz(WHITE)[8:]).ljust(128, b"\0") + index + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(one * 65536) for one in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
