"""What the demo photos are painted with: skies, skylines, light, clouds and grain, with Pillow alone."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Size = tuple[int, int]
Stops = Sequence[tuple[float, Colour]]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour in the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def at(stops: Stops, place: float) -> Colour:
    """The colour at a place, 0 to 1, between stops."""
    for (low, first), (high, second) in pairwise(stops):
        if place <= high:
            return mix(first, second, (place - low) / (high - low) if high > low else 0)
    return stops[-1][1]


def sky(size: Size, stops: Stops) -> Image.Image:
    """A vertical run of colours; the noise keeps it from banding."""
    column = Image.new("RGB", (1, 512))
    column.putdata([at(stops, row / 511) for row in range(512)])
    return grain(column.resize(size, Image.Resampling.BICUBIC), 5)


def grain(image: Image.Image, sigma: float) -> Image.Image:
    """Film grain, from a generator of our own: Pillow's effect_noise differs from run to run."""
    tile = Image.frombytes("L", (256, 256), bytes(_normal(random.Random(5), sigma, 65536)))
    noise = Image.new("L", image.size)
    for left in range(0, image.width, 256):
        for top in range(0, image.height, 256):
            turned = tile.rotate(90 * ((left // 256 * 3 + top // 256 * 5) % 4))
            noise.paste(turned, (left, top))
    return ImageChops.add(image, Image.merge("RGB", [noise] * 3), 1, -128)


def _normal(chance: random.Random, sigma: float, count: int) -> list[int]:
    return [min(255, max(0, round(chance.gauss(128, sigma)))) for _ in range(count)]


def ridge(chance: random.Random, width: int, roughness: float, steps: int = 9) -> list[float]:
    """A skyline by midpoint displacement, about 0 with an amplitude of about 1."""
    line = [chance.uniform(-0.5, 0.5), chance.uniform(-0.5, 0.5)]
    reach = 1.0
    for _ in range(steps):
        finer: list[float] = []
        for left, right in pairwise(line):
            finer += [left, (left + right) / 2 + chance.uniform(-reach, reach) * 0.5]
        line = [*finer, line[-1]]
        reach *= roughness
    last = len(line) - 1
    points = []
    for x in range(width):
        place = x * last / (width - 1)
        low = min(int(place), last - 1)
        points.append(line[low] + (line[low + 1] - line[low]) * (place - low))
    return points


def below(size: Size, line: Sequence[float]) -> Image.Image:
    """The mask of all that lies under a line of heights in pixels from the top; its edge is soft."""
    large = Image.new("L", (size[0], size[1]), 0)
    outline = [(x, y) for x, y in enumerate(line)]
    ImageDraw.Draw(large).polygon([*outline, (size[0], size[1]), (0, size[1])], fill=255)
    return large.filter(ImageFilter.GaussianBlur(0.8))


def slope(size: Size, top: float, bottom: float, stops: Stops) -> Image.Image:
    """A vertical run of colours between two heights, the end colours beyond."""
    column = Image.new("RGB", (1, size[1]))
    span = max(1.0, bottom - top)
    column.putdata([at(stops, min(1.0, max(0.0, (row - top) / span))) for row in range(size[1])])
    return grain(column.resize(size), 4)


def glow(size: Size, centre: tuple[float, float], radius: float, colour: Colour, power: float = 1.0) -> Image.Image:
    """Light around a point, to be added with screen."""
    disc = Image.radial_gradient("L").point(
        [round(255 * max(0.0, 1 - value / 181) ** (1.6 * power)) for value in range(256)]
    )
    disc = disc.resize((round(radius * 2), round(radius * 2)), Image.Resampling.BICUBIC)
    mask = Image.new("L", size)
    mask.paste(disc, (round(centre[0] - radius), round(centre[1] - radius)))
    return Image.composite(Image.new("RGB", size, colour), Image.new("RGB", size), mask)


def cloud(chance: random.Random, size: Size, scale: int, stretch: float = 1.0) -> Image.Image:
    """Soft fractal noise, grey on black."""
    total = Image.new("L", size, 0)
    for octave in range(5):
        cells = (max(2, round(size[0] / scale / stretch * 2**octave)), max(2, round(size[1] / scale * 2**octave)))
        layer = Image.frombytes("L", cells, chance.randbytes(cells[0] * cells[1])).resize(
            size, Image.Resampling.BICUBIC
        )
        share = 0.5 ** (octave + 1)
        total = ImageChops.add(total, layer.point([round(value * share) for value in range(256)]))
    return total


def contrast(mask: Image.Image, low: int, high: int, most: int = 255) -> Image.Image:
    """Stretch grey values so that `low` becomes 0 and `high` becomes `most`."""
    return mask.point([round(most * min(1.0, max(0.0, (value - low) / (high - low)))) for value in range(256)])


def stars(chance: random.Random, size: Size, count: int, lowest: float) -> Image.Image:
    """Points of light down to a share of the height, most of them faint."""
    field = Image.new("RGB", size)
    draw = ImageDraw.Draw(field)
    for _ in range(count):
        x, y = chance.uniform(0, size[0]), chance.uniform(0, size[1] * lowest)
        light = chance.random() ** 3 * (1 - y / (size[1] * lowest) * 0.8)
        colour = mix((170, 190, 255), (255, 235, 210), chance.random())
        radius = 0.6 + 1.5 * light
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=mix((0, 0, 0), colour, 0.25 + 0.75 * light))
    return ImageChops.screen(field, field.filter(ImageFilter.GaussianBlur(2.2)))


def vignette(image: Image.Image, strength: float = 0.35) -> Image.Image:
    """Darker corners, as a lens makes them."""
    mask = Image.radial_gradient("L").resize(image.size, Image.Resampling.BICUBIC)
    mask = mask.point([round(255 * (1 - strength * (value / 255) ** 2.2)) for value in range(256)])
    return ImageChops.multiply(image, Image.merge("RGB", [mask] * 3))


def fir(draw: ImageDraw.ImageDraw, chance: random.Random, x: float, foot: float, tall: float) -> None:
    draw.line((x, foot + 60, x, foot - tall), fill=255, width=max(1, round(tall / 60)))
    rows = max(9, round(tall / 17))
    for row in range(rows):
        share = (row + 0.6) / rows
        y = foot - tall + tall * 0.97 * share
        for side in (-1, 1):
            reach = tall * 0.21 * share**0.85 * chance.uniform(0.72, 1.12) * side
            drop = tall * 0.05 + abs(reach) * 0.34
            draw.polygon(
                [
                    (x, y - tall * 0.045),
                    (x + reach, y + drop),
                    (x + reach * 0.55, y + drop * 0.72),
                    (x, y + tall * 0.035),
                ],
                fill=255,
            )


def stripe(size: Size, centre: float, half: float) -> Image.Image:
    column = Image.new("L", (1, size[1]))
    column.putdata([round(255 * math.exp(-(((row - centre) / half) ** 2))) for row in range(size[1])])
    return column.resize(size)
