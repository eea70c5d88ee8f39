"""What comes out of thumbnails and renditions: upright, sRGB, 8 bit, never enlarged, nothing but pixels."""

from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from jobdesk_processors import headers, images
from jobdesk_processors import pictures as decoding
from jobdesk_processors.darkroom import Darkroom
from jobdesk_processors.shapes import Plan, longest, plan
from tests.support import pictures
from tests.support.context import Bench, bench
from tests.support.pictures import near, pixel

RED, GREEN, BLUE, WHITE = (230, 20, 20), (20, 200, 20), (20, 20, 230), (255, 255, 255)


def thumbnail(desk: Bench, tmp_path: Path, content: bytes, format: str = "png", **data: object) -> Image.Image:
    photo = tmp_path / "photo"
    photo.write_bytes(content)
    made = desk.run("THUMBNAIL_GENERATE", {"source": photo, "sizes": [32], "format": format, **data}).result
    image = Image.open(made["renditions"][0]["path"])
    image.load()
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF", "AVIF"])
def test_every_orientation_comes_out_upright(desk: Bench, tmp_path: Path, orientation: int, kind: str) -> None:
    lying = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the turn that undoes each orientation
    image = pictures.quarters((64, 48))
    if orientation > 1:
        image = image.transpose(Image.Transpose(lying[orientation]))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    done = thumbnail(desk, tmp_path, pictures.saved(image, kind, exif=exif)).convert("RGB")
    assert done.size == (32, 24)
    assert near(done.getpixel((6, 5)), RED, 40) and near(done.getpixel((26, 5)), GREEN, 40)
    assert near(done.getpixel((6, 18)), BLUE, 40)
    assert ExifTags.Base.Orientation not in done.getexif()


def test_transparency_is_kept_where_it_can_be_and_laid_on_white_where_not(desk: Bench, tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))  # the red under it must never show
    image.paste((0, 0, 255, 255), (0, 0, 32, 64))
    content = pictures.saved(image, "PNG")
    kept = thumbnail(desk, tmp_path, content, "webp")
    assert kept.mode == "RGBA" and pixel(kept, (30, 16))[3] == 0
    flat = thumbnail(desk, tmp_path, content, "jpeg")
    assert near(flat.getpixel((28, 16)), WHITE) and near(flat.getpixel((3, 16)), (0, 0, 255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "LAB"])
def test_every_mode_becomes_a_jpeg(desk: Bench, tmp_path: Path, mode: str) -> None:
    image = Image.new("L", (40, 40), 128)
    kind = "TIFF"
    if mode in ("PA", "LA", "P"):
        kind, image = "PNG", (image.convert("RGBA").quantize(4) if mode != "LA" else image.convert("LA"))
    elif mode == "I;16":
        kind, image = "PNG", Image.new("I;16", (40, 40), 128 * 257)
    elif mode == "I":
        image = Image.new("I", (40, 40), 128 * 257)
    elif mode == "LAB":
        image = Image.new("LAB", (40, 40), (137, 128, 128))
    elif mode in ("CMYK", "RGBA", "YCbCr"):
        image = image.convert("RGB").convert(mode)
    else:
        image = image.convert(mode)
    done = thumbnail(desk, tmp_path, pictures.saved(image, kind), "jpeg")
    assert done.mode in ("L", "RGB")
    if mode not in ("1", "F"):
        assert near(done.convert("RGB").getpixel((16, 16)), (128, 128, 128), 8)


def test_profiles_are_turned_into_srgb_and_left_behind(desk: Bench, tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    done = thumbnail(desk, tmp_path, pictures.plain("PNG", icc_profile=lab), "webp")
    assert "icc_profile" not in done.info  # one that does not fit is left aside, with a word in the log
    assert any("colour profile cannot be used" in line for line in desk.ran[-1].lines)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    done = thumbnail(desk, tmp_path, pictures.plain("PNG", icc_profile=srgb), "webp")
    assert "icc_profile" not in done.info and not desk.ran[-1].lines[:-1]
    assert near(done.getpixel((6, 5)), RED)


def test_nothing_of_the_original_but_its_pixels_gets_out(desk: Bench, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    content = pictures.plain("JPEG", exif=exif, comment=b"<?php system($_GET[0]) ?>") + b"PK\x03\x04 appended"
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(content)
    for kind in ("jpeg", "webp", "png"):
        for type_ in ("THUMBNAIL_GENERATE", "IMAGE_RESIZE"):
            for one in desk.run(type_, {"source": photo, "format": kind}).result["renditions"]:
                made = Path(one["path"]).read_bytes()
                assert not any(word in made for word in (b"<?php", b"SecretCamera", b"Exif", b"PK\x03\x04"))
                assert not Image.open(one["path"]).getexif()


def test_the_place_is_kept_where_the_settings_say_so(tmp_path: Path) -> None:
    desk = bench(tmp_path / "home", images, images={"strip_gps": False})
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    done = thumbnail(desk, tmp_path, pictures.plain("JPEG", exif=exif), "webp")
    assert done.getexif().get_ifd(ExifTags.IFD.GPSInfo)[2] == (48.0, 8.0, 14.0)
    assert ExifTags.Base.Make not in done.getexif()


def test_a_small_picture_is_never_enlarged(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "small.gif"
    photo.write_bytes(pictures.plain("GIF", (20, 10)))
    small = desk.run("THUMBNAIL_GENERATE", {"source": photo, "sizes": [256, 16]}).result
    assert [(one["width"], one["height"]) for one in small["renditions"]] == [(16, 8), (20, 10)]
    wide = desk.run("IMAGE_RESIZE", {"source": photo}).result
    assert [(one["name"], one["width"]) for one in wide["renditions"]] == [("width-20", 20)]


def test_metadata_tells_camera_exposure_time_and_place_as_plain_values(desk: Bench, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Ac\0me"
    exif[ExifTags.Base.Model] = "One\u202e\n" + "x" * 500
    exif[ExifTags.Base.Orientation] = 6
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2026:04:18 19:12:40"
    inner[ExifTags.Base.ExposureTime] = 1 / 250
    inner[ExifTags.Base.FNumber] = 8.0
    gps = {1: "S", 2: (31.0, 4.0, 48.0), 3: "W", 4: (4.0, 0.0, 36.0), 5: b"\1", 6: 12.0}
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.plain("JPEG", exif=exif))
    about = desk.run("METADATA_EXTRACT", {"source": photo}).result
    assert (about["width"], about["height"], about["orientation"]) == (48, 64, 6)
    assert about["exif"]["camera"]["make"] == "Ac" and len(about["exif"]["camera"]["model"]) <= 200
    assert about["exif"]["exposure"] == {"time_s": 0.004, "aperture": 8}
    assert about["exif"]["taken_at"] == "2026-04-18T19:12:40"
    assert about["exif"]["gps"] == {"latitude": -31.08, "longitude": -4.01, "altitude_m": -12}
    assert len(about["dominant_colours"]) >= 4 and about["dominant_colours"][0]["hex"].startswith("#")


def test_hostile_exif_costs_the_metadata_but_not_the_picture(desk: Bench, tmp_path: Path) -> None:
    for exif in (
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0garbage",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 60,
    ):
        photo = tmp_path / "photo.jpg"
        photo.write_bytes(pictures.plain("JPEG", exif=exif))
        assert desk.run("METADATA_EXTRACT", {"source": photo}).result["orientation"] == 1


def test_colours_of_another_profile_are_converted_and_not_only_relabelled(desk: Bench, tmp_path: Path) -> None:
    """A profile whose red and blue are swapped must swap them in the result; a grey one must lighten or darken."""
    srgb = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        .tobytes()
        .replace("sRGB".encode("utf-16-be"), b"\0X" * 4)
    )
    swapped = srgb.replace(b"rXYZ", b"tmp!", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp!", b"bXYZ", 1)
    for kind in ("JPEG", "PNG"):
        done = thumbnail(desk, tmp_path, pictures.plain(kind, icc_profile=swapped), "png")
        assert near(done.getpixel((6, 5)), RED[::-1], 40) and near(done.getpixel((6, 18)), BLUE[::-1], 40)
    linear = srgb.replace(b"RGB XYZ ", b"GRAYXYZ ", 1).replace(b"rTRC", b"kTRC", 1)
    at = int.from_bytes(linear[linear.index(b"kTRC") + 4 :][:4], "big")
    linear = linear[: at + 12] + (0x10000).to_bytes(4, "big") + linear[at + 16 :]  # its curve: 0.948 x + 0.052
    grey = pictures.saved(Image.new("L", (40, 40), 55), "PNG", icc_profile=linear)
    done = thumbnail(desk, tmp_path, grey, "png")
    assert not any("cannot be used" in line for line in desk.ran[-1].lines)
    assert near(done.convert("RGB").getpixel((16, 16)), (139, 139, 139), 3)


def test_renditions_of_one_size_are_each_saved_as_asked(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.saved(Image.effect_noise((1600, 1200), 60).convert("RGB"), "JPEG"))
    shapes = [{"name": f"q{quality}", "width": 1500, "format": "jpeg", "quality": quality} for quality in (30, 60, 95)]
    shapes.append({"name": "flat", "width": 1500, "format": "tiff"})
    for _ in range(3):
        made = desk.run("IMAGE_RESIZE", {"source": photo, "renditions": shapes}).result["renditions"]
        found = {}
        for one in made:
            with Image.open(one["path"]) as image:
                found[one["name"]] = image.quantization[0][0] if isinstance(image, JpegImageFile) else 0
        assert found["q30"] > found["q60"] > found["q95"]


@pytest.mark.parametrize("profile", [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()])
def test_no_two_renditions_are_the_same_image(profile: bytes | None) -> None:
    """Pillow writes how a picture is saved on the picture, and two threads may save at once."""
    content = pictures.plain(icc_profile=profile) if profile else pictures.plain()
    header = headers.inspect(content, "photo.jpg", 1_000_000)
    room = Darkroom(decoding.decode(content, header), (header.width, header.height))
    whole = Plan((64, 48), (0, 0, 64, 48))
    made = [room.make(whole), room.make(whole), room.whole()]
    made += [room.make(plan((64, 48), longest(edge))) for edge in (32, 32, 16)]
    assert len({id(one) for one in made}) == len(made)
    assert made[0].tobytes() == made[1].tobytes() == made[2].tobytes() and made[3].tobytes() == made[4].tobytes()
