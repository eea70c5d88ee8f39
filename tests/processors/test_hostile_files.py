"""What strangers send: every file gets its reason from the closed list, quickly and in little memory."""

import os
import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from PIL import Image

from jobdesk import Reject
from jobdesk_processors import formats, headers
from tests.support import pictures
from tests.support.context import Bench

TEN_MEGAPIXELS = 10_000_000


def refused(content: bytes, name: str = "photo.jpg", max_pixels: int = TEN_MEGAPIXELS) -> str:
    """The reason why a file is refused by its header; it must not take memory to find out."""
    tracemalloc.start()
    try:
        with pytest.raises(Reject) as caught:
            headers.inspect(content, name, max_pixels)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    return caught.value.reason


KINDS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_known_by_its_content_and_measured(kind: str) -> None:
    header = headers.inspect(pictures.plain(kind), "no-extension", TEN_MEGAPIXELS)
    assert (header.format.name, header.width, header.height, header.frames) == (kind, 64, 48, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_a_file_cut_short_is_truncated(kind: str, kept: float) -> None:
    noise = Image.effect_noise((96, 96), 90).convert("RGB")
    whole = pictures.saved(noise, kind)
    assert refused(whole[: int(len(whole) * kept)]) in {"truncated", "corrupt"}


def test_a_jpeg_without_its_last_bytes_is_truncated() -> None:
    assert refused(pictures.plain()[:-2]) == "truncated"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_frames_are_counted_without_decoding(kind: str) -> None:
    frames = [
        pictures.quarters((16, 16)),
        Image.new("RGB", (16, 16), (9, 9, 9)),
        Image.new("RGB", (16, 16), (200, 9, 9)),
    ]
    animated = pictures.saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert headers.inspect(animated, "a", TEN_MEGAPIXELS).frames == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pictures.png(30_000, 30_000, b""), "too-many-pixels"),
        (pictures.png(3_000, 3_000, b"\0" * 100), "truncated"),
        (pictures.claiming(pictures.plain(), 30_000, 30_000), "too-many-pixels"),
        (pictures.claiming(pictures.plain(), 3_000, 3_000), "truncated"),
        (pictures.claiming(pictures.plain(), 0, 48), "corrupt"),
        (pictures.many_scans(2_000), "corrupt"),
        (
            b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b"\x2c" + bytes(9) + b"\x02\x01\x00\x00\x3b",
            "too-many-pixels",
        ),
        (
            b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<I", 10) + b"\x2f\xff\xff\xff\x0f" + bytes(5),
            "too-many-pixels",
        ),
        (b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 60_000, -60_000, 1, 24, 1) + bytes(20), "too-many-pixels"),
        (b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8), "corrupt"),
        (
            b"\x89PNG\r\n\x1a\n"
            + pictures.chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0))
            + pictures.chunk(b"IDAT", b"x")
            + pictures.chunk(b"IEND", b""),
            "corrupt",
        ),
    ],
    ids=[
        "png bomb",
        "png lie",
        "jpeg bomb",
        "jpeg lie",
        "no height",
        "scan bomb",
        "gif bomb",
        "webp bomb",
        "bmp bomb",
        "tiff loop",
        "no width",
    ],
)
def test_a_claim_that_would_cost_gigabytes_or_minutes_is_refused_by_its_header(content: bytes, reason: str) -> None:
    assert refused(content) == reason


def test_megabytes_of_metadata_are_refused() -> None:
    jpeg = pictures.plain()
    segment = b"\xff\xe1" + struct.pack(">H", 65_000) + bytes(64_998)
    assert refused(jpeg[:2] + segment * 300 + jpeg[2:]) == "too-large"
    many = b"".join(pictures.chunk(b"zTXt", bytes(1_000_000)) for _ in range(17))
    png = pictures.plain("PNG")
    assert refused(png[:33] + many + png[33:]) == "too-large"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04" + bytes(40), "a ZIP archive"),
        (b"\x7fELF" + bytes(60), "a Linux program"),
        (b"<?xml version='1.0'?><svg onload='x()'/>", "an SVG drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript document"),
        (b"just a note\n", "text"),
        (b"BM is how this text begins, a bitmap it is not", "text"),
        (bytes(range(256)), "data of an unknown kind"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(40), "a video"),
    ],
)
def test_what_only_calls_itself_a_picture_is_named(content: bytes, words: str) -> None:
    assert formats.sniff(content) is None
    assert formats.named(content) == words
    assert refused(content, "cat.jpg") == "type-mismatch"
    assert refused(content, "cat") == "unsupported-type"


def test_heic_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "reads_heic", lambda: False)
    with pytest.raises(Reject, match=r"pip install .jobdesk\[heic\]"):
        headers.inspect(b"\x00\x00\x00\x18ftypheic" + bytes(12), "a.heic", TEN_MEGAPIXELS)


def test_the_wrong_name_of_a_good_picture_is_only_remarked(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(pictures.plain("JPEG"))
    ran = desk.run("IMAGE_UPLOAD_REQUESTED", {"source": photo})
    assert ran.result["staged"].endswith("original.jpg")
    assert "its content decides" in ran.lines[0]


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "device", "missing", "locked", "empty", "large"])
def test_what_is_no_readable_file_is_refused_at_once(desk: Bench, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.jpg"
    reason = "unreadable"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        (tmp_path / "real.jpg").write_bytes(pictures.plain())
        path.symlink_to(tmp_path / "real.jpg")
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "locked":
        if os.geteuid() == 0:
            pytest.skip("nothing is locked for root")
        path.write_bytes(pictures.plain())
        path.chmod(0)
    elif kind == "empty":
        path.touch()
        reason = "empty"
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(desk.settings["images"]["max_bytes"] + 1)
        reason = "too-large"
    failed = desk.run("IMAGE_UPLOAD_REQUESTED", {"source": path}).error
    assert (failed.type, failed.retryable) == (reason, False)
    assert not (desk.home / "library").exists()


def test_half_a_picture_is_never_published(desk: Bench, tmp_path: Path) -> None:
    rows = zlib.compress(bytes(41 * 40 * 3))
    broken = pictures.png(40, 40, b"")
    at = broken.index(b"IDAT") - 4
    body = rows[:20] + b"\xff\xff\xff" + rows[23:]
    photo = tmp_path / "a.png"
    photo.write_bytes(broken[:at] + pictures.chunk(b"IDAT", body) + pictures.chunk(b"IEND", b""))
    for type_ in ("METADATA_EXTRACT", "THUMBNAIL_GENERATE", "IMAGE_RESIZE"):
        for attempt in (1, 2):
            assert desk.run(type_, {"source": photo}, attempt=attempt).error.type in {"corrupt", "truncated"}
    assert not (desk.home / "library").exists()


def test_no_cut_or_flipped_file_does_more_than_be_refused(desk: Bench, tmp_path: Path) -> None:
    """Every failure of a decoder is a Reject with a reason of the closed list."""
    chance = random.Random(3)
    reasons = set()
    for kind in KINDS:
        whole = pictures.plain(kind, size=(32, 24))
        for _ in range(40):
            content = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            photo = tmp_path / "x"
            photo.write_bytes(bytes(content))
            ran = desk.run("METADATA_EXTRACT", {"source": photo})
            if not hasattr(ran.outcome, "result"):
                reasons.add(ran.error.type)
    assert reasons <= {"corrupt", "truncated", "too-many-pixels", "unsupported-type", "too-many-frames", "too-large"}


def test_a_large_picture_of_next_to_nothing_is_a_bomb_and_a_small_or_a_full_one_is_none() -> None:
    def png(edge: int, kept: int) -> bytes:
        row = bytes(1 + 3 * edge)
        packer = zlib.compressobj(9)
        body = b"".join(packer.compress(row) for _ in range(edge)) + packer.flush()
        head = pictures.png(edge, edge, b"")[:33]
        return head + pictures.chunk(b"IDAT", body + bytes(kept)) + pictures.chunk(b"IEND", b"")

    assert refused(png(8_000, 0), max_pixels=100_000_000) == "too-many-pixels"
    assert headers.inspect(png(8_000, 500_000), "a.png", 100_000_000).width == 8_000
    assert headers.inspect(png(7_000, 0), "a.png", 100_000_000).width == 7_000


def test_a_large_progressive_jpeg_of_one_colour_is_a_bomb_and_a_plain_one_is_none() -> None:
    """All of a progressive one is held until its last scan, at whatever scale it is decoded."""
    image = Image.new("L", (15_000, 10_000))
    assert refused(pictures.saved(image, "JPEG", progressive=True), max_pixels=200_000_000) == "too-many-pixels"
    assert headers.inspect(pictures.saved(image, "JPEG"), "a.jpg", 200_000_000).width == 15_000


def test_a_tiff_that_points_beyond_every_file_is_cut_short() -> None:
    assert refused(b"II+\0" + struct.pack("<HHQ", 8, 0, 2**64 - 1) + bytes(64), "a.tif") == "truncated"
