"""What goes in and what comes out: every format, fit, ground, frame, page, and what is kept of the original."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageDraw, ImageFile, IptcImagePlugin

from jobdesk import Desk
from jobdesk.core.errors import PayloadError
from jobdesk.core.submission import Submission
from jobdesk_processors import formats, images
from jobdesk_processors import pictures as decoding
from tests.support import pictures
from tests.support.context import Bench, bench
from tests.support.home import make_home
from tests.support.pictures import near, pixel

RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (20, 20, 230)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmp:Rating="4" exif:GPSLatitude="48,8.24N">'
    b"<exif:GPSLongitude>11,34E</exif:GPSLongitude><dc:title><rdf:Alt><rdf:li>The lake</rdf:li></rdf:Alt></dc:title>"
    b"<dc:subject><rdf:Bag><rdf:li>blue</rdf:li><rdf:li>water</rdf:li></rdf:Bag></dc:subject>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def resized(desk: Bench, tmp_path: Path, content: bytes, **shape: Any) -> ImageFile.ImageFile:
    source = tmp_path / "source"
    source.write_bytes(content)
    wanted = {"name": "r", "format": "png", **shape}
    made = desk.run("IMAGE_RESIZE", {"source": source, "renditions": [wanted]}).result
    image = Image.open(made["renditions"][0]["path"])
    image.load()
    return image


def moving(kind: str, count: int = 4, **save: Any) -> bytes:
    frames = [Image.new("RGB", (60, 40), (50 * number, 0, 200 - 50 * number)) for number in range(count)]
    for number, frame in enumerate(frames):
        ImageDraw.Draw(frame).rectangle((number * 5, 5, number * 5 + 9, 14), (255, 255, 0))
    return pictures.saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=[120] * count, **save)


@pytest.mark.parametrize("format", ["webp", "jpeg", "png", "avif", "gif", "tiff"])
def test_every_format_can_be_made(desk: Bench, tmp_path: Path, format: str) -> None:
    made = resized(desk, tmp_path, pictures.plain(size=(200, 100)), width=100, format=format)
    assert made.size == (100, 50)
    assert near(made.convert("RGB").getpixel((10, 10)), RED, 25)


@pytest.mark.skipif(not formats.reads_heic(), reason="pillow-heif is not installed here")
def test_heic_is_read_and_turned_by_its_container_alone(desk: Bench, tmp_path: Path) -> None:
    """The container says how a HEIC is turned, and its decoder does it; EXIF says so again, which must not count."""
    decoding._register_heic()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    content = pictures.saved(pictures.quarters((128, 96)), "HEIF", exif=exif, quality=90)
    made = resized(desk, tmp_path, content, width=64)
    assert made.size == (64, 48)
    assert near(made.convert("RGB").getpixel((8, 8)), RED, 40) and near(
        made.convert("RGB").getpixel((50, 8)), GREEN, 40
    )
    assert desk.run("METADATA_EXTRACT", {"source": tmp_path / "source"}).result["orientation"] == 6


def test_16_bits_are_scaled_and_not_clipped(desk: Bench, tmp_path: Path) -> None:
    for level in (0, 20_000, 32_896, 65_535):
        made = resized(desk, tmp_path, pictures.saved(Image.new("I;16", (40, 40), level), "PNG"), width=20)
        assert near(made.convert("RGB").getpixel((10, 10)), (round(level / 257),) * 3, 1)


def test_fits_by_pixel(desk: Bench, tmp_path: Path) -> None:
    content = pictures.plain("PNG", (200, 100))
    square = {"width": 50, "height": 50}
    left = resized(desk, tmp_path, content, fit="cover", focus="left", **square).convert("RGB")
    assert left.size == (50, 50) and near(left.getpixel((45, 10)), RED) and near(left.getpixel((45, 40)), BLUE)
    right = resized(desk, tmp_path, content, fit="cover", focus=[1.0, 0.5], **square).convert("RGB")
    assert near(right.getpixel((5, 10)), GREEN)
    padded = resized(desk, tmp_path, content, fit="pad", background="#102030", **square)
    assert padded.size == (50, 50) and near(padded.convert("RGB").getpixel((25, 3)), (16, 32, 48), 2)
    clear = resized(desk, tmp_path, content, fit="pad", **square)
    assert clear.mode == "RGBA" and pixel(clear, (25, 3))[3] == 0 and pixel(clear, (5, 20))[3] == 255
    filled = resized(desk, tmp_path, content, fit="fill", **square).convert("RGB")
    assert near(filled.getpixel((10, 10)), RED) and near(filled.getpixel((40, 10)), GREEN)
    larger = resized(desk, tmp_path, content, width=400, upscale=True)
    assert larger.size == (400, 200)


def test_clear_parts_lie_on_the_colour_that_was_chosen(desk: Bench, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    made = resized(desk, tmp_path, pictures.saved(clear, "PNG"), width=20, format="jpeg", background="#00ff00")
    assert near(made.getpixel((10, 10)), (0, 255, 0), 4)
    desk.settings["images"]["background"] = "#0000ff"
    made = resized(desk, tmp_path, pictures.saved(clear, "PNG"), width=20, format="jpeg")
    assert near(made.getpixel((10, 10)), (0, 0, 255), 4)


def test_a_colour_that_was_said_is_laid_under_in_every_fit_and_format(desk: Bench, tmp_path: Path) -> None:
    content = pictures.saved(Image.new("RGBA", (60, 40), (255, 0, 0, 0)), "PNG")
    for shape in (
        {"width": 30},
        {"width": 30, "height": 20, "fit": "pad"},
        {"width": 20, "height": 20, "fit": "cover"},
    ):
        made = resized(desk, tmp_path, content, background="#0000ff", **shape)
        assert made.mode == "RGB" and made.getpixel((5, 5)) == (0, 0, 255)


def test_a_gif_is_clear_where_the_picture_is_more_clear_than_not(desk: Bench, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (60, 40), (255, 0, 0, 100))
    picture.paste((0, 0, 255, 150), (0, 0, 30, 40))
    made = resized(desk, tmp_path, pictures.saved(picture, "PNG"), width=60, format="gif").convert("RGBA")
    assert pixel(made, (50, 20))[3] == 0 and near(made.getpixel((10, 20)), (0, 0, 255, 255), 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("format", ["webp", "gif"])
def test_animations_go_on_moving_where_the_format_can(desk: Bench, tmp_path: Path, kind: str, format: str) -> None:
    made = resized(desk, tmp_path, moving(kind, loop=0), width=30, format=format)
    assert (pictures.frames(made), made.size) == (4, (30, 20))
    made.seek(3)
    made.load()
    assert made.info["duration"] == 120
    assert near(made.convert("RGB").getpixel((2, 17)), (150, 0, 50), 40)
    assert pictures.frames(resized(desk, tmp_path, moving(kind), width=30, format="jpeg")) == 1
    desk.settings["images"]["animation"] = "first"
    assert pictures.frames(resized(desk, tmp_path, moving(kind), width=30, format=format)) == 1


def test_an_animation_beyond_bounds_keeps_its_first_frame(
    desk: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobdesk_processors.animation.MADE_PIXELS", 1000)
    assert pictures.frames(resized(desk, tmp_path, moving("GIF"), width=30, format="webp")) == 1
    assert any("first frame" in line for line in desk.ran[-1].lines)
    desk.settings["images"]["max_frames"] = 3
    source = tmp_path / "source"
    assert desk.run("IMAGE_RESIZE", {"source": source}).error.type == "too-many-frames"


def test_pages_of_a_tiff_are_made_one_by_one(desk: Bench, tmp_path: Path) -> None:
    pages = [Image.new("RGB", (40, 30), colour) for colour in (RED, GREEN, BLUE)]
    source = tmp_path / "scan.tif"
    source.write_bytes(pictures.saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    data = {"source": source, "widths": [20], "format": "png", "pages": "all"}
    made = {one["name"]: one["path"] for one in desk.run("IMAGE_RESIZE", data).result["renditions"]}
    for name, colour in zip(("width-20-p1", "width-20-p2", "width-20-p3"), (RED, GREEN, BLUE), strict=True):
        assert near(Image.open(made[name]).convert("RGB").getpixel((10, 10)), colour, 2)
    first = desk.run("IMAGE_RESIZE", data | {"pages": "first"}).result["renditions"]
    assert [one["name"] for one in first] == ["width-20"]
    large = Image.new("RGB", (4000, 3000))
    source.write_bytes(pictures.saved(pages[0], "TIFF", save_all=True, append_images=[large]))
    desk.settings["images"]["max_pixels"] = 1_000_000
    assert desk.run("IMAGE_RESIZE", data).error.type == "too-many-pixels"  # the header tells of the first page only


@pytest.mark.parametrize("preset", ["instagram-post", "instagram-story", "twitter-post", "facebook-post",
                                    "linkedin-post", "youtube-thumbnail", "pinterest-pin"])  # fmt: skip
def test_presets_have_the_size_that_the_platform_wants(desk: Bench, tmp_path: Path, preset: str) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(pictures.plain("PNG", (2400, 2400)))
    (made,) = desk.run("IMAGE_RESIZE", {"source": source, "presets": [preset]}).result["renditions"]
    wanted = desk.settings["presets"][preset]
    assert (made["width"], made["height"]) == (wanted["width"], wanted["height"])
    assert Image.open(made["path"]).size == (wanted["width"], wanted["height"])


def test_an_unknown_preset_is_refused_at_submission_and_names_the_nearest(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path)) as home:
        for wanted, says in (("instagram-pst", "a preset like 'instagram-post', not"), ("zzz", "one of instagram-")):
            with pytest.raises(PayloadError, match=says):
                home.prepare(Submission(type="IMAGE_RESIZE", data={"source": "photo.png", "presets": [wanted]}))


def test_a_preset_that_the_settings_have_no_more_ends_the_job(desk: Bench, tmp_path: Path) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(pictures.plain("PNG"))
    desk.settings["presets"] = {}
    error = desk.run("IMAGE_RESIZE", {"source": source, "presets": ["instagram-post"]}).error
    assert "[presets] has no 'instagram-post' any more" in error.message
    assert (error.type, error.retryable) == ("unknown-preset", False)


def test_a_rerun_makes_the_very_same_files_and_content_names_tell_them_apart(desk: Bench, tmp_path: Path) -> None:
    desk.settings["images"]["names"] = "content"
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.plain(size=(600, 400)))
    data = {"source": source, "sizes": [64, 128], "output": tmp_path / "out"}
    first = desk.run("THUMBNAIL_GENERATE", data).result
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert desk.run("THUMBNAIL_GENERATE", data).result == first
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert all(one["sha256"][:16] in one["path"] for one in first["renditions"]) and len(before) == 2


def described() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Acme"
    exif[ExifTags.Base.Copyright] = "Ada"
    exif[ExifTags.Base.Orientation] = 3
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    record = b"\x1c\x02\x05\x00\x04Lake\x1c\x02\x19\x00\x04blue"
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(record).to_bytes(4, "big") + record + b"\0" * (len(record) % 2)
    segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    return pictures.plain(exif=exif, xmp=XMP, extra=segment)


def test_what_is_kept_is_what_was_chosen(tmp_path: Path) -> None:
    def made(**settings: Any) -> ImageFile.ImageFile:
        desk = bench(tmp_path / "home", images, images=settings)
        return resized(desk, tmp_path, described(), width=32, format="jpeg")

    bare = made()
    assert not bare.getexif() and "xmp" not in bare.info and "photoshop" not in bare.info
    exif = made(keep=["exif"]).getexif()
    assert exif[ExifTags.Base.Make] == "Acme" and ExifTags.Base.Orientation not in exif
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    rights = made(keep=["copyright"]).getexif()
    assert dict(rights) == {ExifTags.Base.Copyright: "Ada"}
    assert made(keep=["gps"]).getexif().get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
    xmp = made(keep=["xmp"]).info["xmp"]
    assert b"The lake" in xmp and b"GPS" not in xmp
    assert b"GPSLatitude" in made(keep=["xmp", "gps"]).info["xmp"]
    iptc = IptcImagePlugin.getiptcinfo(made(keep=["iptc"]))
    assert iptc is not None and iptc[(2, 5)] == b"Lake"


def test_what_is_kept_is_true_of_the_rendition(tmp_path: Path) -> None:
    exif, tags = Image.Exif(), ExifTags.Base
    inner: dict[int, int] = {
        tags.ExifImageWidth: 64,
        tags.ExifImageHeight: 48,
        tags.ColorSpace: 65535,
        tags.ISOSpeedRatings: 400,
    }
    exif.get_ifd(ExifTags.IFD.Exif).update(inner)
    exif.get_ifd(ExifTags.IFD.Interop).update({1: "R03"})
    about = b'tiff:Orientation="6" exif:PixelXDimension="64" photoshop:ICCProfile="Adobe RGB" xmp:Rating="4"'
    xmp = XMP.replace(b'xmp:Rating="4"', about + b' xmlns:tiff="t" xmlns:photoshop="p"')
    xmp = xmp.replace(b"<dc:title>", b"<exif:ColorSpace>65535</exif:ColorSpace><dc:title>")
    desk = bench(tmp_path / "home", images, images={"keep": ["exif", "xmp"]})
    made = resized(desk, tmp_path, pictures.plain(exif=exif, xmp=xmp), width=32, format="jpeg")
    kept = dict(made.getexif().get_ifd(ExifTags.IFD.Exif))
    assert kept == {tags.ColorSpace: 1, tags.ISOSpeedRatings: 400}
    words = made.info["xmp"]
    assert b"Rating" in words and b"The lake" in words
    assert not [one for one in (b"Orientation", b"Dimension", b"ColorSpace", b"ICCProfile") if one in words]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_what_is_kept_goes_into_a_tiff_and_comes_from_one(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Acme"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] = 400
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 24.0), 3: "E", 4: (11.0, 34.0, 12.0)})
    how: dict[str, Any] = {"exif": exif.tobytes()} | ({"xmp": XMP} if kind == "JPEG" else {})
    content = pictures.plain(kind, (200, 100), **how)
    desk = bench(tmp_path / "home", images, images={"keep": ["exif", "xmp"], "strip_gps": False})
    for wanted in ("tiff", "jpeg"):
        made = resized(desk, tmp_path, content, width=50, format=wanted)
        assert made.size == (50, 25) and near(made.convert("RGB").getpixel((5, 5)), RED, 25)
        kept = made.getexif()
        assert kept[ExifTags.Base.Make] == "Acme"
        assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 400
        assert kept.get_ifd(ExifTags.IFD.GPSInfo)[2] == (48.0, 8.0, 24.0)
        assert kind == "TIFF" or b"The lake" in made.info["xmp"]


def test_metadata_tells_words_motion_and_likeness(desk: Bench, tmp_path: Path) -> None:
    source = tmp_path / "photo"
    source.write_bytes(described())
    about = desk.run("METADATA_EXTRACT", {"source": source}).result
    assert about["xmp"] == {"rating": "4", "title": "The lake", "keywords": ["blue", "water"]}
    assert about["iptc"] == {"title": "Lake", "keywords": ["blue"]}
    assert about["animation"] is None and about["bits"] == 8
    source.write_bytes(moving("GIF", loop=0))
    about = desk.run("METADATA_EXTRACT", {"source": source}).result
    assert about["animation"] == {"frames": 4, "loop": 0, "first_frame_ms": 120}


def test_pictures_that_look_alike_have_hashes_that_are_near(desk: Bench, tmp_path: Path) -> None:
    from jobdesk_processors.likeness import distance

    def hashed(image: Image.Image, **save: Any) -> str:
        source = tmp_path / "photo"
        source.write_bytes(pictures.saved(image, "JPEG", **save))
        found: str = desk.run("METADATA_EXTRACT", {"source": source}).result["phash"]
        return found

    photo = Path(__file__).parents[2] / "assets" / "photos"
    lake, dunes = (Image.open(photo / name).convert("RGB") for name in ("aurora-lake.jpg", "dunes-at-dusk.jpg"))
    assert distance(hashed(lake), hashed(lake.resize((400, 267)), quality=40)) <= 6
    assert distance(hashed(lake), hashed(dunes)) > 12


def test_hostile_xmp_is_not_read(desk: Bench, tmp_path: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for packet in (bomb, b"<not xml", b"\xff\xfe\x00"):
        source = tmp_path / "photo.jpg"
        source.write_bytes(pictures.plain(xmp=packet))
        assert desk.run("METADATA_EXTRACT", {"source": source}).result["xmp"] == {}


def test_metadata_comes_with_renditions_of_the_same_decoding(desk: Bench, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.plain(size=(900, 600)))
    both = desk.run("IMAGE_RESIZE", {"source": source, "widths": [300], "metadata": True}).result["metadata"]
    alone = desk.run("METADATA_EXTRACT", {"source": source}).result
    assert both["checksums"] == alone["checksums"] and both["width"] == alone["width"] == 900


def test_the_fast_resizer_makes_the_pixels_that_pillow_makes() -> None:
    from jobdesk_processors import resizing

    fast = resizing._fast()
    if fast is None:
        pytest.skip("cykooz-resizer is not installed here, or does not fit this Pillow")
    photo = Image.open(Path(__file__).parents[2] / "assets" / "photos" / "aurora-lake.jpg").convert("RGB")
    for mode in ("L", "RGB", "RGBA"):
        image = photo.convert(mode)
        one, other = fast(image, (300, 200), (0, 0, *image.size)), image.resize((300, 200), Image.Resampling.LANCZOS)
        worst = max(abs(a - b) for a, b in zip(one.tobytes(), other.tobytes(), strict=True))
        assert worst <= 3


def test_a_file_of_a_megabyte_of_text_chunks_costs_little(desk: Bench, tmp_path: Path) -> None:
    png = pictures.plain("PNG")
    many = b"".join(pictures.chunk(b"tEXt", b"k%d\0" % number + bytes(1000)) for number in range(2000))
    source = tmp_path / "photo.png"
    source.write_bytes(png[:33] + many + png[33:])
    assert desk.run("THUMBNAIL_GENERATE", {"source": source}).result["renditions"]
    assert io.BytesIO(source.read_bytes()).getbuffer().nbytes > 2_000_000
