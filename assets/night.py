"""Demo photos after sunset: the sea, northern lights, a city."""

import math
import random

from brushes import (
    Colour,
    at,
    below,
    cloud,
    contrast,
    fir,
    glow,
    mix,
    ridge,
    sky,
    slope,
    stars,
    stripe,
    vignette,
)
from PIL import Image, ImageChops, ImageDraw, ImageFilter


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
        fir(draw, chance, trunk, shore + 4, (34 + 120 * near) * chance.uniform(0.6, 1.2))
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
    image.paste((255, 150, 130), mask=ImageChops.multiply(streaks, stripe(size, 560, 330)))
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
