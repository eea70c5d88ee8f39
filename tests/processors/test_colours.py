"""Colours of every kind of file against a full decode through its profile, and what is clear in it, by pixel."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageOps

from tests.support import pictures, profiles
from tests.support.context import Bench

SIZE = (48, 32)
PRESS = profiles.of_cmyk("Press")
WIDE = profiles.of_rgb("Display P3", profiles.P3, 2.2)
LINEAR = profiles.of_rgb("Linear sRGB", profiles.SRGB, 1.0)
LINEAR_GREY = profiles.of_grey("Linear grey", 1.0)


def ramp(mode: str) -> Image.Image:
    """Every channel runs another way, so that no turn and no swap goes unseen."""
    across = Image.linear_gradient("L").rotate(90).resize(SIZE)
    down = Image.linear_gradient("L").resize(SIZE)
    bands = [across, down, ImageChops.invert(across), ImageChops.multiply(across, down)]
    return Image.merge(mode, bands[: len(mode)]) if mode != "L" else across


def made(desk: Bench, tmp_path: Path, content: bytes) -> Image.Image:
    """The picture at its own size, packed without loss."""
    source = tmp_path / "source"
    source.write_bytes(content)
    wanted = {"name": "same", "width": 4096, "format": "png"}
    one = desk.run("IMAGE_RESIZE", {"source": source, "renditions": [wanted]}).result["renditions"][0]
    image = Image.open(one["path"])
    image.load()
    return image


def about(desk: Bench, tmp_path: Path, content: bytes) -> dict[str, Any]:
    source = tmp_path / "source"
    source.write_bytes(content)
    told: dict[str, Any] = desk.run("METADATA_EXTRACT", {"source": source}).result
    return told


def in_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(image, profile, srgb, ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB")
    assert done is not None
    return done


def differ(one: Image.Image, other: Image.Image) -> int:
    """By how many levels the pixels differ at most."""
    assert (one.mode, one.size) == (other.mode, other.size)
    return max(ImageChops.difference(one, other).tobytes())


def quiet(desk: Bench) -> bool:
    return not any("colour profile" in line for line in desk.ran[-1].lines)


@pytest.mark.parametrize(
    ("mode", "icc", "kind", "how"),
    [
        ("CMYK", PRESS, "JPEG", {"quality": 100}),
        ("CMYK", PRESS, "TIFF", {}),
        ("RGB", WIDE, "JPEG", {"quality": 100, "subsampling": 0}),
        ("RGB", WIDE, "WEBP", {"lossless": True}),
        ("RGB", WIDE, "PNG", {}),
        ("RGB", LINEAR, "PNG", {}),
        ("RGB", LINEAR, "TIFF", {"compression": "tiff_lzw"}),
        ("L", LINEAR_GREY, "PNG", {}),
        ("L", LINEAR, "PNG", {}),
    ],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_colours_are_those_of_the_whole_file_in_its_profile(
    desk: Bench, tmp_path: Path, mode: str, icc: bytes, kind: str, how: dict[str, Any], orientation: int
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = pictures.saved(ramp(mode), kind, icc_profile=icc, exif=exif, **how)
    whole = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    upright = whole.convert("RGB") if mode == "L" and icc is LINEAR else whole
    assert differ(made(desk, tmp_path, content), in_srgb(upright, icc)) <= 1
    assert quiet(desk)


def test_grey_with_alpha_goes_through_a_profile_of_grey(desk: Bench, tmp_path: Path) -> None:
    grey, alpha = ramp("L"), ramp("L").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    content = pictures.saved(Image.merge("LA", (grey, alpha)), "PNG", icc_profile=LINEAR_GREY)
    wanted = in_srgb(grey, LINEAR_GREY)
    wanted.putalpha(alpha)
    assert differ(made(desk, tmp_path, content), wanted) <= 1
    assert quiet(desk)


def test_grey_with_the_profile_of_srgb_is_left_as_it_is(desk: Bench, tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert differ(made(desk, tmp_path, pictures.saved(ramp("L"), "PNG", icc_profile=srgb)), ramp("L")) == 0
    assert quiet(desk)


def png(depth: int, colour: int, rows: bytes, clear: bytes, width: int) -> bytes:
    """One row, of which the colour `clear` is not seen."""
    plain = pictures.png(width, 1, b"\0" + rows, depth, colour)
    return plain[:33] + pictures.chunk(b"tRNS", clear) + plain[33:]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (png(1, 0, bytes([0b01000000]), b"\0\1", 2), [(0, 255), (255, 0)]),
        (png(2, 0, bytes([0b01_10_0000]), b"\0\1", 2), [(85, 0), (170, 255)]),
        (png(4, 0, bytes([0x3C]), b"\0\x0c", 2), [(51, 255), (204, 0)]),
        (png(8, 0, bytes([7, 9]), b"\0\7", 2), [(7, 0), (9, 255)]),
        (png(16, 0, bytes.fromhex("80807080"), b"\x80\x80", 2), [(128, 0), (112, 255)]),
        (png(16, 2, bytes.fromhex("123480802000") + bytes(6), bytes.fromhex("123480802000"), 2), [(18, 0), (0, 255)]),
    ],
)
def test_the_clear_colour_of_a_png_is_clear_at_every_depth(
    desk: Bench, tmp_path: Path, content: bytes, wanted: list[tuple[int, int]]
) -> None:
    image = made(desk, tmp_path, content)
    assert image.mode == "RGBA"
    assert list(zip(image.getchannel("R").tobytes(), image.getchannel("A").tobytes(), strict=True)) == wanted
    assert about(desk, tmp_path, content)["transparent"]


def test_metadata_tells_the_depth_of_the_file_and_not_of_its_decoder(desk: Bench, tmp_path: Path) -> None:
    assert about(desk, tmp_path, pictures.png(2, 1, bytes(13), 16, 2))["bits"] == 16
    assert about(desk, tmp_path, pictures.png(2, 1, bytes(2), 4, 0))["bits"] == 4
    assert about(desk, tmp_path, pictures.plain("PNG", mode="P"))["bits"] == 8
    assert about(desk, tmp_path, pictures.plain("TIFF", mode="1"))["bits"] == 1
    assert about(desk, tmp_path, pictures.saved(Image.new("I;16", (8, 8)), "TIFF"))["bits"] == 16
    assert about(desk, tmp_path, pictures.plain("AVIF"))["bits"] == 8


def test_metadata_says_only_what_is_so(desk: Bench, tmp_path: Path) -> None:
    assert not about(desk, tmp_path, pictures.plain("PNG", mode="RGBA"))["transparent"]  # alpha, and nothing clear
    assert about(desk, tmp_path, pictures.plain("TIFF"))["dpi"] is None
    assert about(desk, tmp_path, pictures.plain("TIFF", dpi=(300, 300)))["dpi"] == [300, 300]


def test_a_tiff_of_strange_pixels_is_refused_for_what_it_is(desk: Bench, tmp_path: Path) -> None:
    grey_and_alpha = {256: 1, 257: 1, 258: 16 | 16 << 16, 259: 1, 262: 1, 273: 8, 277: 2, 278: 1, 279: 4}
    index = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in grey_and_alpha.items() if tag != 258)
    index = index[:24] + struct.pack("<HHII", 258, 3, 2, grey_and_alpha[258]) + index[24:]
    source = tmp_path / "strange.tif"
    source.write_bytes(b"II*\0\x0c\0\0\0" + bytes(4) + struct.pack("<H", len(grey_and_alpha)) + index + bytes(4))
    error = desk.run("METADATA_EXTRACT", {"source": source}).error
    assert error.type == "unsupported-type" and "save it as" in error.message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_metadata_tells_how_the_file_lies_and_what_it_measures_upright(desk: Bench, tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    told = about(desk, tmp_path, pictures.plain(kind, exif=exif))
    assert (told["orientation"], told["width"], told["height"]) == (6, 48, 64)


def test_metadata_of_an_animated_avif_tells_its_motion(desk: Bench, tmp_path: Path) -> None:
    frames = [pictures.quarters((64, 48)), pictures.quarters((64, 48)).rotate(180)]
    content = pictures.saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], duration=120)
    told = about(desk, tmp_path, content)
    assert told["frames"] == 2 and told["animation"]["first_frame_ms"] == 120
