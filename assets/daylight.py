"""Demo photos by day: dunes, mountains, a forest, lavender, and a balloon cut out."""

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
    stripe,
    vignette,
)
from PIL import Image, ImageChops, ImageDraw, ImageFilter


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
            fir(draw, chance, x, foot + 20, (170 + 620 * depth) * chance.uniform(0.6, 1.15))
            x += (26 + 150 * depth) * chance.uniform(0.5, 1.6)
        grove = ImageChops.lighter(grove, below(size, ground)).filter(ImageFilter.GaussianBlur(0.8 + 0.5 * (1 - depth)))
        mist = mix(body, (232, 234, 214), 0.75 * (1 - depth * 0.75))
        image.paste(
            slope(size, base - 520 * (0.3 + depth), base + 160, [(0, body), (0.55, body), (1, mist)]), mask=grove
        )
        if layer < 5:
            band = contrast(cloud(chance, size, 300, 3.0), 100, 190, 120)
            image.paste((236, 238, 222), mask=ImageChops.multiply(band, stripe(size, base + 40, 230)))
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
    image.paste((255, 248, 240), mask=ImageChops.multiply(puffs, stripe(size, 220, 190)))
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
