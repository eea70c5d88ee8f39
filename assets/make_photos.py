"""Paints the demo photos: `python assets/make_photos.py [FOLDER]`. The same pictures every time, with Pillow alone."""

import io
import math
import random
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Size = tuple[int, int]
Stops = Sequence[tuple[float, Colour]]
FOLDER = Path(__file__).parent / "photos"


# ── brushes ──


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


# ── pictures ──


def dunes() -> Image.Image:
    """Dunes in the low sun: each crest parts a lit flank from a shaded one."""
    size = width, height = 2400, 1600
    chance = random.Random(11)
    image = sky(size, [(0, (56, 108, 168)), (0.28, (146, 178, 200)), (0.46, (249, 214, 168)), (1, (255, 226, 180))])
    image = ImageChops.screen(image, glow(size, (1830, 640), 900, (255, 190, 110)))
    image = ImageChops.screen(image, glow(size, (1830, 640), 130, (255, 244, 220), 0.5))
    for layer in range(7):
        depth = layer / 6
        base = height * (0.44 + 0.44 * depth**1.25)
        reach = 26 + 150 * depth
        phase, wave = chance.uniform(0, 6.3), chance.uniform(0.8, 1.5) * (2.3 - 1.2 * depth)
        crest = [
            base
            - reach
            * (
                math.sin(x / width * 6.283 * wave / 1.6 + phase) * 0.7
                + 0.3 * abs(math.sin(x / width * 6.283 * wave * 0.7 + phase * 2))
            )
            for x in range(width)
        ]
        lit = at([(0, (244, 199, 150)), (0.5, (226, 150, 88)), (1, (205, 116, 58))], depth)
        dark = at([(0, (214, 160, 128)), (0.5, (140, 78, 58)), (1, (74, 36, 34))], depth)
        image.paste(
            slope(size, base - reach, base + 420, [(0, lit), (1, mix(lit, dark, 0.65))]), mask=below(size, crest)
        )
        shade = Image.new("L", size)
        draw = ImageDraw.Draw(shade)
        for x in range(1, width):
            rise = crest[x - 1] - crest[x]
            if rise < 0:
                length = min(1.0, -rise * (1.5 - depth * 0.4)) * (60 + 330 * depth)
                draw.line(
                    (x, crest[x], x + length * 0.25, crest[x] + length), fill=round(235 * min(1.0, -rise * 3)), width=3
                )
        shade = ImageChops.multiply(shade.filter(ImageFilter.GaussianBlur(3 + 12 * depth)), below(size, crest))
        image.paste(slope(size, base - reach, base + 500, [(0, dark), (1, mix(dark, (40, 20, 30), 0.4))]), mask=shade)
        if depth > 0.5:
            ripples = cloud(chance, size, 26, 7.0)
            ripples = ImageChops.multiply(contrast(ripples, 90, 165, 54), below(size, crest))
            image.paste(mix(dark, (20, 10, 10), 0.4), mask=ripples)
    return vignette(image, 0.3)


def haze() -> Image.Image:
    """Mountain after mountain, paler with every mile."""
    size = width, height = 2400, 1600
    chance = random.Random(23)
    image = sky(size, [(0, (92, 120, 170)), (0.3, (208, 178, 186)), (0.5, (255, 214, 176)), (1, (255, 236, 206))])
    image = ImageChops.screen(image, glow(size, (760, 620), 1100, (255, 178, 120), 0.9))
    image = ImageChops.screen(image, glow(size, (760, 610), 120, (255, 246, 226), 0.4))
    veil = contrast(cloud(chance, size, 500, 4.0), 96, 200, 130)
    image.paste(
        (255, 238, 224),
        mask=ImageChops.multiply(veil, slope(size, 0, 800, [(0, (160,) * 3), (1, (0,) * 3)]).convert("L")),
    )
    layers = 8
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = height * (0.44 + 0.5 * depth**1.1)
        reach = 120 + 130 * math.sin(depth * 2.6)
        crest = [base - value * reach for value in ridge(chance, width, 0.52 + 0.05 * depth)]
        body = at([(0, (228, 178, 172)), (0.35, (150, 122, 158)), (0.7, (66, 70, 112)), (1, (20, 26, 50))], depth)
        foot = mix(body, (255, 212, 186), 0.55 * (1 - depth) + 0.1)
        image.paste(slope(size, base - reach, base + 300, [(0, body), (1, foot)]), mask=below(size, crest))
    draw = ImageDraw.Draw(image)
    for x, y, span in ((1500, 470, 22), (1556, 440, 17), (1610, 486, 19), (1672, 452, 14), (1450, 520, 13)):
        draw.arc((x - span, y - span * 0.45, x, y + span * 0.55), 190, 340, fill=(70, 60, 86), width=3)
        draw.arc((x, y - span * 0.45, x + span, y + span * 0.55), 200, 350, fill=(70, 60, 86), width=3)
    return vignette(image, 0.25)


def night_sea() -> Image.Image:
    """The moon and its road across the water."""
    size = width, height = 2400, 1600
    chance = random.Random(37)
    horizon = 880
    image = sky(size, [(0, (4, 8, 26)), (0.3, (12, 26, 62)), (0.55, (44, 70, 116)), (1, (60, 88, 130))])
    image = ImageChops.screen(image, stars(chance, size, 1500, 0.5))
    bank = contrast(cloud(chance, size, 420, 3.4), 112, 200, 120)
    image.paste((74, 92, 134), mask=bank)
    centre = (1500, 390)
    image = ImageChops.screen(image, glow(size, centre, 900, (120, 146, 200)))
    image = ImageChops.screen(image, glow(size, centre, 260, (236, 236, 226), 0.7))
    disc = Image.new("L", size)
    ImageDraw.Draw(disc).ellipse((centre[0] - 74, centre[1] - 74, centre[0] + 74, centre[1] + 74), fill=255)
    face = contrast(cloud(chance, size, 90), 60, 200).convert("RGB")
    face = Image.blend(
        Image.new("RGB", size, (252, 248, 232)), ImageChops.multiply(face, Image.new("RGB", size, (252, 246, 226))), 0.3
    )
    image.paste(face, mask=disc.filter(ImageFilter.GaussianBlur(1.2)))
    water = slope(size, horizon, height, [(0, (50, 76, 120)), (0.25, (18, 34, 70)), (1, (3, 7, 20))])
    draw = ImageDraw.Draw(water)
    y = float(horizon)
    while y < height:
        depth = (y - horizon) / (height - horizon)
        for _ in range(26):
            x = chance.uniform(-100, width)
            length = 10 + 190 * depth * chance.random()
            shade = mix(at([(0, (50, 76, 120)), (1, (4, 9, 24))], depth), (110, 140, 190), 0.22 * chance.random())
            draw.line((x, y, x + length, y + chance.uniform(-1, 1)), fill=shade, width=1 + round(3 * depth))
        for _ in range(16):
            spread = 46 + 250 * depth
            x = chance.gauss(centre[0], spread * 0.55)
            length = (8 + 110 * depth) * chance.uniform(0.3, 1)
            bright = math.exp(-(((x - centre[0]) / (spread * 0.9)) ** 2)) * chance.uniform(0.35, 1)
            draw.line(
                (x - length / 2, y, x + length / 2, y),
                fill=mix((40, 62, 104), (255, 246, 214), bright),
                width=1 + round(3 * depth),
            )
        y += 2 + 9 * depth
    water = water.filter(ImageFilter.GaussianBlur(1.1))
    image.paste(water.crop((0, horizon, width, height)), (0, horizon))
    image = ImageChops.screen(image, glow(size, (centre[0], horizon), 700, (62, 80, 120)))
    coast = [
        horizon + 2 - max(0.0, (620 - x) / 620) ** 0.8 * 120 * (1 + 0.5 * value)
        for x, value in enumerate(ridge(chance, width, 0.5))
    ]
    shore = ImageChops.multiply(below(size, coast), ImageChops.invert(below(size, [horizon + 3.0] * width)))
    image.paste((7, 11, 28), mask=shore)
    image = ImageChops.screen(image, glow(size, (430, 838), 90, (255, 190, 110), 0.7))
    ImageDraw.Draw(image).ellipse((427, 835, 433, 841), fill=(255, 238, 200))
    return vignette(image, 0.4)


def forest() -> Image.Image:
    """Firs in the morning mist; held upright, as a phone is."""
    size = width, height = 1600, 2200
    chance = random.Random(41)
    image = sky(size, [(0, (196, 214, 206)), (0.35, (232, 232, 206)), (1, (206, 220, 202))])
    image = ImageChops.screen(image, glow(size, (1080, 520), 1000, (255, 226, 150)))
    for layer in range(6):
        depth = layer / 5
        body = at([(0, (178, 198, 184)), (0.4, (108, 142, 128)), (0.75, (44, 78, 72)), (1, (12, 30, 32))], depth)
        base = height * (0.4 + 0.53 * depth)
        grove = Image.new("L", size)
        draw = ImageDraw.Draw(grove)
        ground = [base - value * 60 for value in ridge(chance, width, 0.5)]
        x = chance.uniform(-80, 0)
        while x < width + 80:
            foot = ground[min(width - 1, max(0, round(x)))]
            _fir(draw, chance, x, foot + 20, (170 + 620 * depth) * chance.uniform(0.6, 1.15))
            x += (26 + 150 * depth) * chance.uniform(0.5, 1.6)
        grove = ImageChops.lighter(grove, below(size, ground)).filter(ImageFilter.GaussianBlur(0.8 + 0.5 * (1 - depth)))
        mist = mix(body, (232, 234, 214), 0.75 * (1 - depth * 0.75))
        image.paste(
            slope(size, base - 520 * (0.3 + depth), base + 160, [(0, body), (0.55, body), (1, mist)]), mask=grove
        )
        if layer < 5:
            band = contrast(cloud(chance, size, 300, 3.0), 100, 190, 120)
            image.paste((236, 238, 222), mask=ImageChops.multiply(band, _band(size, base + 40, 230)))
    rays = Image.new("L", size)
    draw = ImageDraw.Draw(rays)
    for number in range(11):
        angle = 1.75 + number * 0.085 + chance.uniform(-0.02, 0.02)
        half = chance.uniform(0.006, 0.018)
        draw.polygon(
            [(1080, 420)]
            + [(1080 + 2400 * math.cos(one), 420 + 2400 * math.sin(one)) for one in (angle - half, angle + half)],
            fill=chance.randint(26, 52),
        )
    rays = ImageChops.multiply(
        rays.filter(ImageFilter.GaussianBlur(14)), slope(size, 420, 2000, [(0, (255,) * 3), (1, (0,) * 3)]).convert("L")
    )
    image = ImageChops.screen(
        image, Image.composite(Image.new("RGB", size, (255, 236, 180)), Image.new("RGB", size), rays)
    )
    return vignette(image, 0.3)


def _fir(draw: ImageDraw.ImageDraw, chance: random.Random, x: float, foot: float, tall: float) -> None:
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


def _band(size: Size, centre: float, half: float) -> Image.Image:
    column = Image.new("L", (1, size[1]))
    column.putdata([round(255 * math.exp(-(((row - centre) / half) ** 2))) for row in range(size[1])])
    return column.resize(size)


def aurora() -> Image.Image:
    """Northern lights above a frozen lake."""
    size = width, height = 2400, 1600
    chance = random.Random(53)
    shore = 1130
    image = sky(size, [(0, (3, 6, 24)), (0.45, (8, 26, 52)), (0.7, (24, 62, 78)), (1, (24, 62, 78))])
    image = ImageChops.screen(image, stars(chance, size, 2200, 0.7))
    for number, (low, reach, tint, tip) in enumerate(
        (
            (820, 120, (40, 255, 150), (120, 60, 220)),
            (600, 170, (70, 240, 170), (190, 60, 190)),
            (900, 70, (30, 220, 140), (60, 120, 200)),
        )
    ):
        curtain = Image.new("RGB", size)
        draw = ImageDraw.Draw(curtain)
        phase, fold = chance.uniform(0, 6), ridge(chance, width, 0.6)
        beat = ridge(chance, width, 0.72, 10)
        for x in range(width):
            y = low + reach * math.sin(x / width * 5.2 + phase) + 46 * math.sin(x / width * 17 + phase) + 60 * fold[x]
            power = (
                max(0.0, 0.42 + 0.5 * math.sin(x / width * 4 + phase * 2) + 0.38 * beat[x]) * (0.8, 0.55, 0.42)[number]
            )
            tall = 300 + 260 * (0.5 + 0.5 * beat[x])
            for part in range(16):
                share = part / 15
                light = power * (1 - share) ** 1.5 * min(1.0, 0.35 + part / 3)
                draw.line(
                    (x, y - tall * share, x, y - tall * (share + 0.08)),
                    fill=mix((0, 0, 0), mix(tint, tip, share**1.1), min(1.0, light)),
                )
        soft = curtain.filter(ImageFilter.BoxBlur(5)).filter(ImageFilter.GaussianBlur(5))
        image = ImageChops.screen(image, soft)
        image = ImageChops.screen(
            image, soft.resize((300, 200)).filter(ImageFilter.GaussianBlur(14)).resize(size, Image.Resampling.BICUBIC)
        )
    peaks = [shore - 50 - max(-0.2, value) * 190 for value in ridge(chance, width, 0.53)]
    image.paste(slope(size, shore - 260, shore, [(0, (30, 56, 74)), (1, (8, 18, 32))]), mask=below(size, peaks))
    snow = contrast(cloud(chance, size, 60, 0.6), 118, 150, 110)
    caps = ImageChops.multiply(
        snow, slope(size, shore - 260, shore - 40, [(0, (255,) * 3), (1, (0,) * 3)]).convert("L")
    )
    image.paste((120, 170, 176), mask=ImageChops.multiply(caps, below(size, peaks)))
    wood = Image.new("L", size)
    draw = ImageDraw.Draw(wood)
    trunk = -10.0
    while trunk < width + 10:
        near = abs(trunk / width - 0.45) * 1.6
        _fir(draw, chance, trunk, shore + 4, (34 + 120 * near) * chance.uniform(0.6, 1.2))
        trunk += chance.uniform(8, 30)
    image.paste((5, 12, 20), mask=wood)
    mirror = image.crop((0, shore - (height - shore), width, shore)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirror = mirror.filter(ImageFilter.GaussianBlur(3)).filter(ImageFilter.BoxBlur((0, 7)))
    mirror = ImageChops.multiply(
        mirror, slope(mirror.size, 0, mirror.height, [(0, (205, 215, 220)), (1, (110, 130, 150))])
    )
    image.paste(mirror, (0, shore))
    cracks = contrast(cloud(chance, mirror.size, 130, 6.0), 124, 190, 46)
    image.paste((190, 230, 236), (0, shore), cracks)
    return vignette(image, 0.35)


def city() -> Image.Image:
    """A city after sunset, lit windows and their reflection in the river."""
    size = width, height = 2400, 1500
    chance = random.Random(67)
    bank = 1090
    image = sky(
        size,
        [
            (0, (20, 22, 66)),
            (0.3, (74, 48, 110)),
            (0.55, (196, 92, 112)),
            (0.72, (255, 168, 110)),
            (1, (255, 190, 130)),
        ],
    )
    streaks = contrast(cloud(chance, size, 420, 6.0), 112, 190, 150)
    image.paste((255, 150, 130), mask=ImageChops.multiply(streaks, _band(size, 560, 330)))
    image = ImageChops.screen(image, glow(size, (880, 1060), 950, (255, 140, 70), 1.2))
    for layer in range(4):
        depth = layer / 3
        wall = at([(0, (142, 84, 116)), (0.5, (72, 48, 88)), (1, (18, 18, 42))], depth)
        x = -40.0
        while x < width:
            wide = chance.uniform(46, 120) * (0.7 + 0.5 * depth)
            middle = math.exp(-(((x - 1250) / 720) ** 2))
            tall = (90 + 480 * middle * chance.uniform(0.3, 1.0) ** 1.4 + 70 * chance.random()) * (1.12 - 0.32 * depth)
            _tower(image, chance, (round(x), round(bank - tall), round(x + wide), bank), wall, depth)
            x += wide + chance.choice((0, 0, 3, 14)) * (1 + depth)
    river = image.crop((0, bank - (height - bank), width, bank)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    river = river.filter(ImageFilter.BoxBlur((2, 16))).filter(ImageFilter.GaussianBlur(2))
    river = ImageChops.multiply(river, slope(river.size, 0, river.height, [(0, (190, 180, 200)), (1, (96, 92, 140))]))
    moved = Image.new("RGB", river.size)
    for y in range(river.height):
        shift = round((2 + 9 * y / river.height) * math.sin(y * 0.55 + math.sin(y * 0.13) * 3))
        moved.paste(river.crop((0, y, width, y + 1)), (shift, y))
    image.paste(moved, (0, bank))
    ripples = contrast(cloud(chance, moved.size, 44, 9.0), 128, 190, 60)
    image.paste((255, 190, 160), (0, bank), ripples)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, bank - 5, width, bank + 3), fill=(14, 12, 28))
    lamps = Image.new("RGB", size)
    lamp = ImageDraw.Draw(lamps)
    for x in range(30, width, 86):
        lamp.ellipse((x - 4, bank - 20, x + 4, bank - 12), fill=(255, 226, 160))
        lamp.line((x, bank + 6, x, bank + 120), fill=(120, 80, 40), width=5)
    image = ImageChops.screen(ImageChops.screen(image, lamps), lamps.filter(ImageFilter.GaussianBlur(9)))
    return vignette(image, 0.3)


def _tower(
    image: Image.Image, chance: random.Random, box: tuple[int, int, int, int], wall: Colour, depth: float
) -> None:
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = box
    tint = mix(wall, (255, 140, 110), chance.uniform(0, 0.1))
    draw.rectangle(box, fill=tint)
    draw.line((left, top, left, bottom), fill=mix(tint, (255, 176, 140), 0.3), width=2)
    if chance.random() < 0.35:
        step = (right - left) // 4
        draw.rectangle((left + step, top - 18, right - step, top), fill=tint)
        if chance.random() < 0.5:
            draw.line(
                ((left + right) // 2, top - 18, (left + right) // 2, top - 18 - chance.randint(20, 70)),
                fill=tint,
                width=2,
            )
    cell = 6 + round(5 * depth)
    habit = chance.uniform(0.12, 0.5)
    for y in range(top + cell, bottom - cell, cell * 2):
        for x in range(left + cell, right - cell, cell + cell // 2):
            if chance.random() < habit:
                light = mix((255, 206, 120), (255, 240, 208), chance.random())
                draw.rectangle(
                    (x, y, x + cell // 2 + 1, y + cell - 1), fill=mix(tint, light, chance.uniform(0.35, 0.95))
                )


def balloon() -> Image.Image:
    """A hot-air balloon cut out, transparent around."""
    scale, size = 2, (1600, 1800)
    big = Image.new("RGBA", (size[0] * scale, size[1] * scale))
    draw = ImageDraw.Draw(big)
    centre, top, tall, wide = size[0] * scale / 2, 90 * scale, 1240 * scale, 560 * scale
    colours: list[Colour] = [(226, 64, 54), (246, 176, 58), (250, 232, 190), (42, 150, 152), (28, 74, 122)]

    def half(share: float) -> float:
        return wide * float(math.sin(math.pi * share * 0.62) ** 0.62) * float(1 - max(0.0, share - 0.5) ** 1.6 * 2.55)

    gores = 16
    rows = 260
    for gore in range(gores):
        a, b = (math.pi * (number / gores) for number in (gore, gore + 1))
        for row in range(rows):
            y0, y1 = (top + tall * number / rows for number in (row, row + 1.6))
            w = half((row + 0.5) / rows)
            x0, x1 = centre - w * math.cos(a), centre - w * math.cos(b)
            colour = colours[(gore + (2 if 0.42 < row / rows < 0.56 else 0)) % len(colours)]
            light = 0.62 + 0.5 * math.sin((a + b) / 2 * 0.9 + 0.25) - 0.25 * row / rows
            shaded = tuple(min(255, round(part * min(1.18, light))) for part in colour)
            draw.rectangle((min(x0, x1), y0, max(x0, x1) + 2, y1), fill=(*shaded, 255))
    mouth = half(1.0)
    basket_top, basket_bottom = 1530 * scale, 1690 * scale
    for share in (-1, -0.4, 0.4, 1):
        draw.line(
            (centre + mouth * share, top + tall, centre + 95 * scale * share, basket_top),
            fill=(60, 46, 40, 255),
            width=5,
        )
    draw.rounded_rectangle(
        (centre - 100 * scale, basket_top, centre + 100 * scale, basket_bottom), 18 * scale, fill=(140, 88, 48, 255)
    )
    for row in range(8):
        y = basket_top + (14 + row * 19) * scale
        for column in range(14):
            x = centre + (-96 + column * 14 + (7 if row % 2 else 0)) * scale
            draw.rectangle(
                (x, y, x + 8 * scale, y + 11 * scale),
                fill=(168, 112, 66, 255) if (row + column) % 2 else (114, 70, 38, 255),
            )
    draw.rounded_rectangle(
        (centre - 106 * scale, basket_top - 8 * scale, centre + 106 * scale, basket_top + 14 * scale),
        10 * scale,
        fill=(78, 46, 30, 255),
    )
    return big.resize(size, Image.Resampling.LANCZOS)


def lavender() -> Image.Image:
    """Rows of lavender that run together at the horizon."""
    size = width, height = 2200, 1467
    chance = random.Random(71)
    horizon = 560
    image = sky(size, [(0, (94, 150, 214)), (0.25, (170, 200, 226)), (0.38, (255, 226, 190)), (1, (255, 226, 190))])
    puffs = contrast(cloud(chance, size, 380, 2.6), 118, 176, 220)
    image.paste((255, 248, 240), mask=ImageChops.multiply(puffs, _band(size, 220, 190)))
    image = ImageChops.screen(image, glow(size, (520, 540), 800, (255, 190, 120)))
    for depth in (0.0, 0.5, 1.0):
        crest = [horizon - 60 + 50 * depth - value * (70 - 30 * depth) for value in ridge(chance, width, 0.48)]
        hill = at([(0, (150, 158, 196)), (0.5, (112, 132, 156)), (1, (84, 116, 96))], depth)
        image.paste(
            slope(size, horizon - 160, horizon + 20, [(0, hill), (1, mix(hill, (250, 220, 190), 0.35))]),
            mask=below(size, crest),
        )
    field = slope(size, horizon, height, [(0, (176, 150, 170)), (0.3, (120, 98, 88)), (1, (84, 62, 46))])
    draw = ImageDraw.Draw(field)
    vanish = 1240
    y = float(horizon)
    while y < height + 40:
        depth = (y - horizon) / (height - horizon)
        gap = 3 + 236 * depth
        first = round((vanish - width) / gap) - 2
        for row in range(first, round(vanish / gap) + 3):
            middle = vanish - row * gap
            tufts = 2 + round(12 * min(1.0, depth * 3))
            for _ in range(tufts):
                x = chance.gauss(middle, gap * 0.17)
                tall = (2 + 62 * depth) * chance.uniform(0.5, 1.1)
                sunny = max(0.0, (middle - x) / (gap * 0.3))
                colour = mix(
                    mix((92, 62, 150), (150, 104, 204), chance.random()),
                    (246, 190, 220),
                    0.45 * min(1.0, sunny) * chance.random(),
                )
                colour = mix(colour, (206, 176, 206), 0.6 * (1 - min(1.0, depth * 2.2)))
                draw.line(
                    (x, y, x + chance.uniform(-0.2, 0.2) * tall, y - tall), fill=colour, width=1 + round(4.5 * depth)
                )
        y += 1.3 + 9 * depth
    image.paste(field.crop((0, horizon, width, height)), (0, horizon))
    trunk = ImageDraw.Draw(image)
    trunk.line((1660, horizon + 22, 1660, horizon - 60), fill=(58, 46, 48), width=9)
    for _ in range(1400):
        angle, reach = chance.uniform(0, 6.283), chance.random() ** 0.6
        x, y = 1660 + 96 * reach * math.cos(angle), horizon - 108 + 64 * reach * math.sin(angle)
        r = chance.uniform(3, 9)
        trunk.ellipse(
            (x - r, y - r, x + r, y + r),
            fill=mix((40, 70, 50), (148, 158, 90), max(0.0, min(1.0, (1690 - x) / 130)) * chance.random()),
        )
    image = ImageChops.screen(image, glow(size, (520, 540), 1300, (70, 44, 20), 0.7))
    return vignette(image, 0.3)


# ── files ──


def photo_data(taken: str, lens: str, exposure: tuple[float, float, int, float], **more: object) -> Image.Exif:
    """EXIF of a camera that does not exist."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Jobdesk"
    exif[ExifTags.Base.Model] = "Painter 1"
    exif[ExifTags.Base.Software] = "assets/make_photos.py"
    exif[ExifTags.Base.DateTime] = taken
    if "orientation" in more:
        exif[ExifTags.Base.Orientation] = more["orientation"]
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = taken
    inner[ExifTags.Base.OffsetTimeOriginal] = "+02:00"
    inner[ExifTags.Base.LensModel] = lens
    time_s, aperture, iso, focal = exposure
    inner[ExifTags.Base.ExposureTime] = time_s
    inner[ExifTags.Base.FNumber] = aperture
    inner[ExifTags.Base.ISOSpeedRatings] = iso
    inner[ExifTags.Base.FocalLength] = focal
    if "gps" in more:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps.update(more["gps"])  # type: ignore[call-overload]
    return exif


def jpeg(image: Image.Image, exif: Image.Exif, quality: int = 82) -> bytes:
    output = io.BytesIO()
    image.convert("RGB").save(output, "JPEG", quality=quality, optimize=True, progressive=True, exif=exif)
    return output.getvalue()


def _dunes() -> bytes:
    gps = {1: "N", 2: (31.0, 4.0, 48.0), 3: "W", 4: (4.0, 0.0, 36.0), 5: b"\0", 6: 742.0}
    return jpeg(dunes(), photo_data("2026:04:18 19:12:40", "Painter 35mm f/2", (1 / 250, 8.0, 100, 35.0), gps=gps))


def _forest() -> bytes:
    """Stored lying on its side with orientation 6, as phones do."""
    turned = forest().transpose(Image.Transpose.ROTATE_90)
    return jpeg(
        turned, photo_data("2026:09:27 07:41:05", "Painter 26mm f/1.8", (1 / 60, 1.8, 200, 26.0), orientation=6)
    )


def _balloon() -> bytes:
    output = io.BytesIO()
    balloon().quantize(200, method=Image.Quantize.FASTOCTREE).save(output, "PNG", optimize=True)
    return output.getvalue()


def _lavender() -> bytes:
    output = io.BytesIO()
    exif = photo_data("2026:07:03 20:31:09", "Painter 35mm f/2", (1 / 125, 5.6, 100, 35.0))
    lavender().save(output, "WEBP", quality=80, method=6, exif=exif)
    return output.getvalue()


PHOTOS: dict[str, Callable[[], bytes]] = {
    "dunes-at-dusk.jpg": _dunes,
    "mountain-haze.jpg": lambda: jpeg(
        haze(), photo_data("2026:10:11 18:05:51", "Painter 85mm f/2", (1 / 200, 5.6, 100, 85.0))
    ),
    "sea-at-night.jpg": lambda: jpeg(
        night_sea(), photo_data("2026:08:28 23:47:13", "Painter 35mm f/2", (4.0, 2.8, 800, 35.0))
    ),
    "forest-in-mist.jpg": _forest,
    "aurora-lake.jpg": lambda: jpeg(
        aurora(), photo_data("2026:02:09 22:16:30", "Painter 20mm f/1.8", (8.0, 1.8, 1600, 20.0))
    ),
    "city-after-sunset.jpg": lambda: jpeg(
        city(), photo_data("2026:06:21 21:58:02", "Painter 50mm f/1.4", (1 / 30, 2.0, 400, 50.0))
    ),
    "balloon.png": _balloon,
    "lavender-rows.webp": _lavender,
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for name, make in PHOTOS.items():
        content = make()
        (folder / name).write_bytes(content)
        total += len(content)
        print(f"{name:24} {len(content):>9,} bytes")
    print(f"{'':24} {total:>9,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
