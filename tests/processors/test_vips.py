"""Large PNGs through libvips come out as through Pillow, and what the two might read differently is left to Pillow."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, PngImagePlugin

from jobdesk import Reject
from jobdesk_processors import headers, pictures, vips
from jobdesk_processors.darkroom import Darkroom
from jobdesk_processors.shapes import longest, plan
from tests.support.pictures import saved

SIZE = (2600, 1700)


@pytest.fixture(autouse=True)
def pillow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Calling it takes libvips away."""
    assert vips._vips() is not None, "the extra vips is among those of dev"
    yield lambda: monkeypatch.setattr(vips, "_vips", lambda: None)


def painted(mode: str) -> Image.Image:
    across = Image.linear_gradient("L").rotate(90).resize(SIZE)
    down, noise = Image.linear_gradient("L").resize(SIZE), Image.effect_noise(SIZE, 40)
    return Image.merge("RGB", (across, down, noise)).convert(mode)


def thumbnail(content: bytes, edge: int) -> tuple[pictures.Picture, Image.Image]:
    header = headers.inspect(content, "a.png", 100_000_000)
    wanted = longest(edge)
    picture = pictures.decode(content, header, lambda size: plan(size, wanted).scaled)
    room = Darkroom(picture, plan(picture.size, wanted).scaled)
    return picture, room.make(plan(picture.size, wanted))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_thumbnail_is_the_same_with_libvips_and_without(pillow: Any, mode: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if mode == "RGB" else None
    content = saved(painted(mode), "PNG", exif=exif, icc_profile=profile, compress_level=1)
    picture, ours = thumbnail(content, 200)
    assert (picture.orientation, picture.icc, picture.mode, picture.stored) == (orientation, profile, mode, SIZE)
    pillow()
    theirs = thumbnail(content, 200)[1]
    assert ours.size == theirs.size == ((200, 131) if orientation == 1 else (131, 200))
    differences = ImageStat.Stat(ImageChops.difference(ours, theirs))
    assert max(differences.mean) < 1 and max(high for _, high in differences.extrema) <= 8


def test_a_rendition_of_nearly_its_size_has_the_very_pixels() -> None:
    image = painted("RGB")
    content = saved(image, "PNG", compress_level=1)
    picture, _ = thumbnail(content, 2600)
    assert ImageChops.difference(picture.image, image).getbbox() is None


def test_a_damaged_one_is_refused() -> None:
    content = bytearray(saved(painted("RGB"), "PNG", compress_level=1))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(Reject) as caught:
        thumbnail(bytes(content), 200)
    assert caught.value.reason == "corrupt" and "\n" not in str(caught.value)


def told_behind() -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "said after the pixels")
    content = saved(Image.new("L", SIZE), "PNG", pnginfo=about)
    at = content.index(b"tEXt") - 4
    length = 12 + int.from_bytes(content[at : at + 4], "big")
    return content[:at] + content[at + length : -12] + content[at : at + length] + content[-12:]


@pytest.mark.parametrize(
    "content",
    [
        saved(Image.new("RGBA", SIZE), "PNG"),
        saved(Image.new("P", SIZE), "PNG"),
        saved(Image.new("I;16", SIZE), "PNG"),
        saved(Image.new("RGB", SIZE), "PNG", transparency=(0, 0, 0)),
        saved(Image.new("RGB", (300, 200)), "PNG"),
        saved(Image.new("RGB", SIZE), "JPEG"),
        told_behind(),
    ],
    ids=["alpha", "palette", "16 bit", "one clear colour", "small", "no PNG", "told behind"],
)
def test_what_both_might_read_differently_is_left_to_pillow(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as opened:
        assert vips.unpacked(content, opened, (200, 200)) is None
