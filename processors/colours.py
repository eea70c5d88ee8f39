"""Colours: every mode that a file may have to 8 bits a channel, every profile to sRGB, and what colours stand out."""

import io
from functools import lru_cache
from itertools import product

from PIL import Image, ImageChops, ImageCms

WHITE = (255, 255, 255)
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What holds a picture upright, by its EXIF orientation."""
_SPACES = {"L": "GRAY", "RGB": "RGB ", "RGBA": "RGB ", "CMYK": "CMYK"}
_SAME_BY = 2
"""A profile that moves no colour by more levels than this is sRGB, whatever its name: one named so may be linear."""


def eight_bit(image: Image.Image) -> Image.Image:
    """The picture in one of the modes L, RGB, RGBA, CMYK, LAB; 16-bit grey is scaled, not clipped."""
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return image.convert("RGBA")
    if mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    if mode == "1":
        return image.convert("L")
    if mode.startswith("I;16"):
        grey = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
        clear = image.info.get("transparency")
        return _cleared(image, grey, clear) if mode == "I;16" and isinstance(clear, int) else grey
    if mode in ("I", "F"):
        return _scaled(image)
    if mode in ("LA", "La", "PA", "RGBa"):
        # La to RGBA has no direct way in Pillow; through its straight form it has.
        return image.convert({"La": "LA", "RGBa": "RGBA"}.get(mode, mode)).convert("RGBA")
    return image.convert("RGB")


def to_srgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, str]:
    """The picture in sRGB as L, RGB or RGBA, and what was wrong with its profile (empty if nothing)."""
    doubt = ""
    if image.mode == "LAB":
        return _through(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB"), doubt
    if icc is not None:
        try:
            return _apply(image, icc), doubt
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            doubt = f"the colour profile cannot be used ({error}): the colours are taken as they are"
    return (image.convert("RGB") if image.mode == "CMYK" else image), doubt


def flatten(image: Image.Image, colour: tuple[int, int, int] = WHITE) -> Image.Image:
    """Without transparency: laid on a colour."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, colour)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def profile_name(icc: bytes) -> str | None:
    """The description of a colour profile, or None if it has none that can be read."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return (ImageCms.getProfileDescription(profile) or "").strip()[:200] or None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def dominant(image: Image.Image, count: int = 5) -> list[dict[str, str | float]]:
    """The colours that cover most, the largest share first: [{"hex": "#a1b2c3", "share": 0.41}, …]."""
    small = flatten(image).convert("RGB")
    small.thumbnail((96, 96), Image.Resampling.BOX)
    counted = small.quantize(count, method=Image.Quantize.MEDIANCUT)
    palette = counted.getpalette() or []
    total = counted.width * counted.height
    shares = sorted(counted.getcolors() or [], key=lambda pair: -pair[0])
    found: list[dict[str, str | float]] = []
    for pixels, index in shares:
        assert isinstance(index, int)
        red, green, blue = palette[3 * index : 3 * index + 3]
        found.append({"hex": f"#{red:02x}{green:02x}{blue:02x}", "share": round(pixels / total, 3)})
    return found


def _cleared(image: Image.Image, grey: Image.Image, level: int) -> Image.Image:
    """16-bit grey, of which one level is clear."""
    low, high = Image.frombytes("LA", image.size, image.tobytes()).split()
    is_low, is_high = low.point(_is(level & 255)), high.point(_is(level >> 8))
    return Image.merge("RGBA", (grey, grey, grey, ImageChops.invert(ImageChops.darker(is_low, is_high))))


def _is(level: int) -> list[int]:
    return [255 * (one == level) for one in range(256)]


def _scaled(image: Image.Image) -> Image.Image:
    low, high = image.getextrema()
    assert isinstance(low, int | float) and isinstance(high, int | float)
    if image.mode == "I" and low >= 0 and high <= 65535:
        low, high = 0, 65535
    factor = 255 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda value: value * factor + (-low * factor)).convert("L")


def _apply(image: Image.Image, icc: bytes) -> Image.Image:
    profile, space, is_srgb = _profile(icc)
    if is_srgb and image.mode in ("L", "RGB", "RGBA"):
        return image
    if space == "RGB " and image.mode == "L":
        image = image.convert("RGB")
    if space == "GRAY" and image.mode == "RGBA" and _is_grey(image):  # it had grey and alpha
        made = _through(image.getchannel("R"), profile, "L")
        made.putalpha(image.getchannel("A"))
        return made
    if space != _SPACES.get(image.mode):
        raise ValueError(f"it is for {space.strip() or 'other'} pictures and this is {image.mode}")
    return _through(image, profile, image.mode)


def _is_grey(image: Image.Image) -> bool:
    red, green, blue = image.split()[:3]
    return not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(green, blue).getbbox()


def _through(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    made = "RGBA" if mode == "RGBA" else "RGB"
    done = ImageCms.applyTransform(image, _transform(profile, mode, made))
    assert done is not None
    return done


@lru_cache(maxsize=16)
def _profile(icc: bytes) -> tuple[ImageCms.ImageCmsProfile, str, bool]:
    """The profile, the colours that it is for, and whether it is sRGB."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    space = profile.profile.xcolor_space
    if space != "RGB ":
        return profile, space, False
    levels = bytes(level for colour in product((0, 32, 64, 128, 192, 255), repeat=3) for level in colour)
    probe = Image.frombytes("RGB", (6, 36), levels)
    moved = ImageChops.difference(probe, _through(probe, profile, "RGB"))
    return profile, space, max(moved.tobytes()) <= _SAME_BY


@lru_cache(maxsize=16)
def _transform(profile: ImageCms.ImageCmsProfile, mode: str, made: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        mode,
        made,
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
