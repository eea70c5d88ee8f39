"""`image_process` and contact sheets: each operation by pixel, targets kept, nothing half done."""

from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageStat

from jobdesk import Desk
from jobdesk.core.errors import PayloadError
from tests.support import pictures
from tests.support.context import Bench
from tests.support.home import make_home
from tests.support.pictures import near, pixel

RED, GREEN, BLUE, WHITE = (230, 20, 20), (20, 200, 20), (20, 20, 230), (255, 255, 255)


def processed(desk: Bench, tmp_path: Path, *operations: dict[str, Any], content: bytes = b"") -> Image.Image:
    source = tmp_path / "source.png"
    source.write_bytes(content or pictures.plain("PNG", (80, 60)))
    done = desk.run(
        "image_process", {"source": source, "operations": [*operations, {"type": "format", "format": "png"}]}
    )
    image = Image.open(done.result["path"])
    image.load()
    return image


def test_the_references_example_works(desk: Bench, tmp_path: Path) -> None:
    source, output = tmp_path / "photo.jpg", tmp_path / "processed" / "image.webp"
    source.write_bytes(pictures.plain(size=(1600, 1200)))
    operations = [
        {"type": "resize", "width": 800, "height": 600},
        {"type": "optimize", "quality": 85},
        {"type": "format", "format": "webp"},
    ]
    ran = desk.run("image_process", {"source": source, "operations": operations, "output": output})
    assert ran.result["path"] == str(output) and (ran.result["width"], ran.result["quality"]) == (800, 85)
    with Image.open(output) as image:
        assert (image.format, image.size) == ("WEBP", (800, 600))
    again = desk.run("image_process", {"source": source, "operations": operations, "output": output}).result
    assert again == ran.result
    assert [path.name for path in output.parent.iterdir()] == ["image.webp"]
    assert ran.artifacts == [str(output)]


def test_crop_rotate_and_grayscale_by_pixel(desk: Bench, tmp_path: Path) -> None:
    cut = processed(desk, tmp_path, {"type": "crop", "left": 40, "top": 0, "width": 40, "height": 30})
    assert cut.size == (40, 30) and near(cut.getpixel((20, 15)), GREEN)
    turned = processed(desk, tmp_path, {"type": "rotate", "degrees": 90})
    assert turned.size == (60, 80) and near(turned.getpixel((5, 5)), BLUE) and near(turned.getpixel((55, 5)), RED)
    flipped = processed(desk, tmp_path, {"type": "rotate", "flip": "horizontal"})
    assert near(flipped.getpixel((5, 5)), GREEN)
    askew = processed(desk, tmp_path, {"type": "rotate", "degrees": 45, "background": "#000000"})
    assert askew.width > 80 and near(askew.getpixel((1, 1)), (0, 0, 0))
    clear = processed(desk, tmp_path, {"type": "rotate", "degrees": 45})
    assert pixel(clear, (1, 1))[3] == 0
    grey = processed(desk, tmp_path, {"type": "grayscale"})
    assert grey.mode == "L"


def test_a_watermark_lies_where_it_is_wanted(desk: Bench, tmp_path: Path) -> None:
    plain = pictures.saved(Image.new("RGB", (400, 300), (90, 90, 90)), "PNG")
    mark = {"type": "watermark", "text": "© Ada", "opacity": 1.0, "scale": 0.3}
    for position, box in (("bottom-right", (250, 230, 400, 300)), ("top-left", (0, 0, 150, 70))):
        made = processed(desk, tmp_path, mark | {"position": position}, content=plain).convert("L")
        assert ImageStat.Stat(made.crop(box)).extrema[0][1] > 200
        assert ImageStat.Stat(made.crop((100, 100, 300, 200))).extrema[0] == (90, 90)
    logo = tmp_path / "logo.png"
    logo.write_bytes(pictures.saved(Image.new("RGBA", (50, 50), (255, 0, 0, 128)), "PNG"))
    laid = {"type": "watermark", "image": str(logo), "position": "center", "opacity": 1.0, "scale": 0.5}
    made = processed(desk, tmp_path, laid, content=plain)
    assert near(made.getpixel((200, 150)), (173, 45, 45), 3) and near(made.getpixel((5, 5)), (90, 90, 90), 1)


def test_a_watermark_has_the_letters_of_its_words(desk: Bench, tmp_path: Path) -> None:
    plain = pictures.saved(Image.new("RGB", (400, 300), (90, 90, 90)), "PNG")

    def drawn(words: str) -> bytes:
        mark = {"type": "watermark", "text": words, "opacity": 1.0, "scale": 0.5}
        return processed(desk, tmp_path, mark, content=plain).tobytes()

    assert len({drawn(words) for words in ("ö", "ß", "Ł", "Я", "Ω")}) == 5  # a sign that the font lacks is a box
    assert drawn("two\nlines") == drawn("two lines")


def test_what_a_resize_leaves_free_gets_the_colour_of_the_settings(desk: Bench, tmp_path: Path) -> None:
    source, output = tmp_path / "photo.png", tmp_path / "made.jpg"
    source.write_bytes(pictures.plain("PNG", (80, 60)))
    desk.settings["images"]["background"] = "#00ff00"
    operations = [{"type": "resize", "width": 100, "height": 100, "fit": "pad"}]
    desk.run("image_process", {"source": source, "operations": operations, "output": output})
    with Image.open(output) as made:
        assert made.size == (100, 100) and near(made.getpixel((3, 3)), (0, 255, 0))


def test_sharpen_makes_edges_steeper(desk: Bench, tmp_path: Path) -> None:
    soft = pictures.saved(Image.linear_gradient("L").resize((200, 40)).convert("RGB"), "PNG")
    before = processed(desk, tmp_path, {"type": "strip"}, content=soft)
    edge = Image.new("RGB", (100, 40), (80, 80, 80))
    edge.paste((160, 160, 160), (50, 0, 100, 40))
    sharp = processed(
        desk, tmp_path, {"type": "sharpen", "amount": 200, "radius": 2}, content=pictures.saved(edge, "PNG")
    )
    assert pixel(sharp, (49, 20))[0] < 80 and pixel(sharp, (50, 20))[0] > 160
    assert before.size == (200, 40)


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
def test_the_best_quality_within_the_wanted_size_is_found(desk: Bench, tmp_path: Path, format: str) -> None:
    source = tmp_path / "noise.png"
    source.write_bytes(pictures.saved(Image.effect_noise((300, 200), 30).convert("RGB"), "PNG"))
    operations: list[dict[str, Any]] = [{"type": "format", "format": format}, {"type": "optimize", "max_kb": 20}]
    made = desk.run("image_process", {"source": source, "operations": operations}).result
    assert made["bytes"] <= 20 * 1024 and made["quality"] >= 10
    operations[1]["max_kb"] = 0.2
    error = desk.run("image_process", {"source": source, "operations": operations}).error
    assert (error.type, error.retryable) == ("too-large", False)


def test_strip_decides_what_stays(desk: Bench, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Copyright] = "Ada"
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.plain(exif=exif))
    for keep, wanted in ((["copyright"], {ExifTags.Base.Copyright: "Ada"}), ([], {})):
        operations = [{"type": "strip", "keep": keep}, {"type": "format", "format": "jpeg"}]
        path = desk.run("image_process", {"source": source, "operations": operations}).result["path"]
        assert dict(Image.open(path).getexif()) == wanted


def test_a_first_resize_is_planned_from_the_full_size(desk: Bench, tmp_path: Path) -> None:
    """The decoder may hand out a smaller picture: rounding twice must not change the size."""
    source = tmp_path / "odd.jpg"
    source.write_bytes(pictures.plain(size=(1999, 1501)))
    made = desk.run("image_process", {"source": source, "operations": [{"type": "resize", "width": 333}]}).result
    assert (made["width"], made["height"]) == (333, 250)
    assert (made["source"]["width"], made["source"]["height"]) == (1999, 1501)


def test_what_cannot_be_done_is_refused(desk: Bench, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.plain())
    for wrong in (
        [],
        [{"type": "melt"}],
        [{"type": "resize"}],
        [{"type": "watermark"}],
        [{"type": "crop", "width": 0}],
    ):
        with pytest.raises(PayloadError):
            desk.processors["image_process"].check({"source": source, "operations": wrong})
    huge = [{"type": "resize", "width": 16000, "height": 16000, "fit": "pad"}]
    assert desk.run("image_process", {"source": source, "operations": huge}).error.type == "too-many-pixels"
    outside = [{"type": "crop", "left": 5000, "width": 10, "height": 10}]
    assert not desk.run("image_process", {"source": source, "operations": outside}).error.retryable
    assert not (desk.home / "library").exists()


def test_an_operation_without_a_type_or_with_a_wrong_one_is_told_with_those_there_are(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path)) as desk:
        for operation, says in (
            ({"width": 10}, "'operations.0.type' is missing"),
            ({"type": "resise"}, "'operations.0.type' is wrong: it should be one of 'resize', "),
            ({"type": "resise"}, ", not 'resise'"),
        ):
            with pytest.raises(PayloadError) as refused:
                desk.submit("image_process", {"source": "photo.jpg", "operations": [operation]})
            assert says in str(refused.value)
        assert not desk.jobs("").jobs


def test_progress_names_each_step(desk: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobdesk.runtime.context.PROGRESS_EVERY_S", 0.0)
    processed(desk, tmp_path, {"type": "grayscale"}, {"type": "sharpen"})
    said = [message["progress"][2] for message in desk.ran[-1].said if "progress" in message]
    assert [one for one in said if one] == ["decoding", "grayscale", "sharpen", "format", "encoding"]


def test_a_contact_sheet_shows_every_picture_and_says_which_it_could_not(desk: Bench, tmp_path: Path) -> None:
    sources = []
    for number, colour in enumerate((RED, GREEN, BLUE)):
        sources.append(tmp_path / f"{number}.png")
        sources[-1].write_bytes(pictures.saved(Image.new("RGB", (100, 60), colour), "PNG"))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    data = {"sources": [*sources, broken], "columns": 2, "cell": 64, "gap": 10, "format": "png"}
    made = desk.run("CONTACT_SHEET", data).result
    assert (made["pictures"], [one["reason"] for one in made["left_out"]]) == (3, ["type-mismatch"])
    sheet = Image.open(made["path"]).convert("RGB")
    assert sheet.size == (made["width"], made["height"]) == (158, 202)
    assert near(sheet.getpixel((42, 42)), RED) and near(sheet.getpixel((116, 42)), GREEN)
    assert near(sheet.getpixel((42, 138)), BLUE) and near(sheet.getpixel((2, 2)), WHITE)
    assert "none of the 1 pictures" in desk.run("CONTACT_SHEET", {"sources": [broken]}).error.message


@pytest.mark.parametrize("format", ["webp", "jpeg", "gif", "avif"])
def test_what_a_format_has_no_room_for_is_said_and_not_tried_again(desk: Bench, tmp_path: Path, format: str) -> None:
    source = tmp_path / "wide.png"
    source.write_bytes(pictures.saved(Image.effect_noise((66_000, 4), 50), "PNG"))
    operations = [{"type": "grayscale"}, {"type": "format", "format": format}]
    error = desk.run("image_process", {"source": source, "operations": operations}).error
    assert error.type == "too-large" and not error.retryable and f"do not fit into {format}" in error.message


def test_a_source_is_only_replaced_where_it_is_named_itself(desk: Bench, tmp_path: Path) -> None:
    source = tmp_path / f"{'ö' * 120}.jpg"
    source.write_bytes(pictures.plain(size=(80, 60)))
    before = source.read_bytes()
    data = {"source": source, "operations": [{"type": "resize", "width": 20}, {"type": "format", "format": "webp"}]}
    made = desk.run("image_process", data | {"output": tmp_path}).result  # a name as long as names may be
    assert Path(made["path"]).parent == tmp_path
    short = source.rename(tmp_path / "photo.jpg")
    data = {"source": short, "operations": [{"type": "resize", "width": 20}, {"type": "format", "format": "jpeg"}]}
    assert "would replace its source" in desk.run("image_process", data | {"output": tmp_path}).error.message
    assert short.read_bytes() == before
    assert desk.run("image_process", data | {"output": short}).result["width"] == 20
