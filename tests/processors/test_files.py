"""`file-processing`: every operation for every kind of file, what may be asked, and what cannot be done."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobdesk.core.errors import PayloadError
from jobdesk_processors import files
from tests.support import clamd, documents, pictures
from tests.support.context import Bench, Ran, bench
from tests.support.videos import make_video

EVERYTHING = ["convert", "thumbnail", "optimize", "validate"]


@pytest.fixture
def home(tmp_path: Path) -> Bench:
    return bench(tmp_path / "home", files)


def process(home: Bench, tmp_path: Path, name: str, content: bytes, *operations: Any, **data: Any) -> Ran:
    source = tmp_path / name
    source.write_bytes(content)
    return home.run("file-processing", {"source": source, "operations": list(operations), **data})


def made(ran: Ran) -> dict[str, dict[str, Any]]:
    """What came of each operation, by its name."""
    return {one["operation"]: one for one in ran.result["operations"]}


def test_a_picture_is_checked_made_smaller_shown_and_converted(home: Bench, tmp_path: Path) -> None:
    content = pictures.plain(size=(800, 600), quality=100)
    ran = process(home, tmp_path, "a.jpg", content, *EVERYTHING, fileId="file-123", userId="u1", productId="p1")
    assert [one["operation"] for one in ran.result["operations"]] == ["validate", "convert", "thumbnail", "optimize"]
    assert {one["status"] for one in ran.result["operations"]} == {"done"} and ran.result["success"] is True
    told = {key: ran.result[key] for key in ("file_id", "file_name", "file_type", "file_size", "user_id", "product_id")}
    assert told == {
        "file_id": "file-123", "file_name": "a.jpg", "file_type": "image/jpeg", "file_size": len(content),
        "user_id": "u1", "product_id": "p1",
    }  # fmt: skip
    operations = made(ran)
    assert operations["validate"]["details"]["width"] == 800
    sizes = {"optimized.jpg": (800, 600), "thumbnail-256.webp": (256, 192), "converted.webp": (800, 600)}
    folder = home.home / "library" / "files" / "file-123"
    for name, size in sizes.items():
        with Image.open(folder / name) as image:
            assert image.size == size
    assert sorted(path.name for path in folder.iterdir()) == sorted(sizes)
    assert sorted(ran.artifacts) == sorted(str(folder / name) for name in sizes)
    assert 0 < operations["optimize"]["saved_bytes"] == len(content) - (folder / "optimized.jpg").stat().st_size
    assert not list((home.home / "library" / ".staging").iterdir())


def test_a_document_is_checked_made_smaller_shown_and_converted(home: Bench, tmp_path: Path) -> None:
    content = documents.pdf("one", "two", "three")
    operations = [*EVERYTHING, {"type": "convert", "format": "txt"}]
    ran = process(home, tmp_path, "a.pdf", content, *operations, sizes=[100], fileType="application/pdf")
    details = made(ran)["validate"]["details"]
    assert (details["pages"], details["contains"], details["repaired"]) == (3, [], [])
    names = [one["name"] for step in ran.result["operations"] for one in step["files"]]
    pages = ["page-001.webp", "page-002.webp", "page-003.webp"]
    assert sorted(names) == sorted([*pages, "converted.txt", "optimized.pdf", "thumbnail-100.webp"])
    folder = Path(ran.artifacts[0]).parent
    assert (folder / "converted.txt").read_text().split() == ["one", "two", "three"]
    with Image.open(folder / "thumbnail-100.webp") as image:
        assert image.height == 100 and min(image.convert("L").tobytes()) < 128  # something is written on it
    assert (folder / "optimized.pdf").read_bytes().startswith(b"%PDF-")


def test_pictures_in_a_document_lose_quality_only_if_one_is_said(home: Bench, tmp_path: Path) -> None:
    content = documents.scanned()
    lossless = process(home, tmp_path, "a.pdf", content, "optimize")
    lossy = process(home, tmp_path, "a.pdf", content, {"type": "optimize", "quality": 20})
    assert made(lossy)["optimize"]["saved_percent"] > 50 > made(lossless)["optimize"]["saved_percent"]
    again = process(home, tmp_path, "b.pdf", Path(lossy.artifacts[0]).read_bytes(), "validate", "thumbnail")
    assert again.result["success"]


def test_what_does_not_get_smaller_stays_as_it_is(home: Bench, tmp_path: Path) -> None:
    small = process(home, tmp_path, "a.jpg", pictures.plain(quality=5), {"type": "optimize", "quality": 100})
    assert made(small)["optimize"] == {
        "operation": "optimize", "status": "done", "files": [], "saved_bytes": 0, "saved_percent": 0.0,
        "original_is_smallest": True,
    }  # fmt: skip
    assert small.artifacts == []


def test_a_signed_document_is_not_written_anew(home: Bench, tmp_path: Path) -> None:
    ran = process(home, tmp_path, "a.pdf", documents.signed(), "optimize", "thumbnail")
    assert (ran.error.type, ran.error.retryable) == ("PartlyDone", False)
    assert "would break the signature" in ran.error.message
    assert [Path(one).name for one in ran.artifacts] == ["thumbnail-256.webp"]


def test_animations_keep_moving_and_pages_are_not_lost(home: Bench, tmp_path: Path) -> None:
    frames = [Image.effect_noise((60, 40), 90).convert("RGB") for _ in range(3)]
    gif = pictures.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    ran = process(home, tmp_path, "a.gif", gif, {"type": "convert", "format": "webp"})
    assert made(ran)["convert"]["files"][0]["frames"] == 3
    tiff = pictures.saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert process(home, tmp_path, "a.tif", tiff, "optimize").error.type == "has-pages"
    converts = [{"type": "convert", "format": "jpg"}, {"type": "convert", "format": "pdf"}]
    both = process(home, tmp_path, "a.tif", tiff, *converts)
    jpegs, document = both.result["operations"]
    assert [one["name"] for one in jpegs["files"]] == [f"converted-p{number}.jpg" for number in (1, 2, 3)]
    assert document["files"][0]["pages"] == 3


def test_a_video_is_described_and_shown(home: Bench, tmp_path: Path) -> None:
    make_video(tmp_path / "film.mp4")
    content = (tmp_path / "film.mp4").read_bytes()
    ran = process(home, tmp_path, "a.mp4", content, "validate", "thumbnail", sizes=[80])
    assert made(ran)["validate"]["details"]["video"]
    with Image.open(ran.artifacts[0]) as image:
        assert max(image.size) == 80


LOOKED_THROUGH: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "a.zip": (
        lambda: documents.zipped({"a.txt": b"x" * 5000, "b/c.txt": b""}), {"files": 2, "unpacked_bytes": 5000},
    ),
    "a.docx": (lambda: documents.zipped({"word/document.xml": b"<w/>"}), {"files": 1}),
    "a.tar": (lambda: documents.tarred({"a": b"1", "b": b"22"}), {"files": 2, "unpacked_bytes": 3}),
    "a.tgz": (lambda: documents.tarred({"a": b"1"}, "w:gz"), {"files": 1, "first": ["a"]}),
    "a.tar.bz2": (lambda: documents.tarred({"a": b"1"}, "w:bz2"), {"files": 1, "first": ["a"]}),
    "a.tar.xz": (lambda: documents.tarred({"a": b"1"}, "w:xz"), {"files": 1, "first": ["a"]}),
    "a.txt": ("Grüße\nan alle".encode, {"encoding": "utf-8", "lines": 2}),
    "b.txt": (lambda: "Grüße\n".encode("utf-16"), {"encoding": "utf-16", "lines": 1}),
    "a.json": (lambda: b'{"a": [1, 2]}\n', {"parsed": True}),
    "a.ndjson": (lambda: b'{"a": 1}\n\n{"a": 2}\n', {"parsed": True, "lines": 3}),
    "a.wav": (
        lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(20),
        {"checked": "only its type, size and checksum are known here"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKED_THROUGH)
def test_other_files_are_looked_through(home: Bench, tmp_path: Path, name: str) -> None:
    content, told = LOOKED_THROUGH[name]
    ran = process(home, tmp_path, name, content(), "validate")
    assert told.items() <= made(ran)["validate"]["details"].items()


def test_what_cannot_be_done_is_said_beside_what_was(home: Bench, tmp_path: Path) -> None:
    ran = process(home, tmp_path, "a.txt", b"words\n", "validate", "thumbnail", "optimize")
    assert (ran.error.type, ran.error.retryable) == ("PartlyDone", False)
    assert ran.error.message.startswith("2 of 3 operations could not be done. thumbnail: a.txt is text/plain: ")
    kept = ran.outcome.result  # type: ignore[union-attr]
    assert [(one["operation"], one["status"]) for one in kept["operations"]] == [
        ("validate", "done"), ("thumbnail", "failed"), ("optimize", "failed"),
    ]  # fmt: skip
    assert kept["operations"][1]["error"]["type"] == "unsupported-type"
    assert process(home, tmp_path, "a.txt", b"words\n", "optimize").error.type == "unsupported-type"


def test_the_ways_of_the_references_to_say_it(home: Bench, tmp_path: Path) -> None:
    picture = tmp_path / "image.jpg"
    picture.write_bytes(pictures.plain())
    size = picture.stat().st_size
    named = {"file": str(picture), "fileName": "image.jpg", "fileType": "image/jpg", "fileSize": size}
    ran = home.run("file-processing", {**named, "processingType": "thumbnail"})
    assert list(made(ran)) == ["thumbnail"]
    switches = {"generateThumbnail": True, "optimizeImage": True, "scanForViruses": False}
    assert set(made(home.run("file-processing", {**named, "options": switches}))) == {"thumbnail", "optimize"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "say which file"),
        ({"file_url": "https://example.org/a.pdf", "source": "a.pdf"}, "say which file"),
        ({"source": "https://example.org/a.pdf", "processing_type": "validate"}, "it is a URL"),
        ({"file_url": "ftp://example.org/a.pdf", "processing_type": "validate"}, "file_url"),
        ({"source": "a.pdf"}, "'processing_type' is wrong: say what to do"),
        ({"source": "a.pdf", "options": {"scanForViruses": False}}, "say what to do"),
        ({"source": "a.pdf", "operations": ["virus"]}, "operations"),
        ({"source": "a.pdf", "operations": ["optimize", "optimize"]}, "twice"),
        ({"source": "a.pdf", "processing_type": "validate", "file_id": "../up"}, "file_id"),
        ({"source": "a.pdf", "processing_type": "validate", "allowed_types": ["pdf"]}, "allowed_types"),
        ({"source": "a.pdf", "operations": [{"type": "thumbnail", "sizes": []}]}, "sizes"),
    ],
)  # fmt: skip
def test_a_wrong_payload_is_refused_at_submission(home: Bench, data: dict[str, Any], says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        home.processors["file-processing"].check(data, home=home.home)


def test_a_scan_that_was_asked_for_is_done_or_says_what_is_missing(home: Bench, tmp_path: Path) -> None:
    refused = process(home, tmp_path, "a.txt", b"words\n", "virus_scan", "validate").error
    assert (refused.type, refused.retryable) == ("NotConfigured", False)
    assert "scanner.address" in refused.message and "jobdesk[yara]" in refused.message
    with clamd.served() as address:
        home.settings["scanner"]["address"] = address
        clean = process(home, tmp_path, "a.txt", b"words\n", "thumbnail", "virus_scan")
        (scanned, _) = clean.outcome.result["operations"]  # type: ignore[union-attr]
        assert (scanned["operation"], scanned["verdict"]) == ("virus_scan", "clean")
        infected = b"words " + clamd.MARK
        assert process(home, tmp_path, "a.exe", infected, "virus_scan").error.type == "virus"  # and not type-mismatch
        lost = process(home, tmp_path, "b.txt", infected, {"type": "virus_scan", "quarantine": True}, fileId="f1")
        assert lost.error.type == "virus" and not (tmp_path / "b.txt").exists()
        kept = home.home / "quarantine" / "f1-b.txt"
        assert json.loads(kept.with_name("f1-b.txt.json").read_text())["name"] == "b.txt"
        again = {
            "source": tmp_path / "b.txt",
            "operations": [{"type": "virus_scan", "quarantine": True}],
            "fileId": "f1",
        }
        assert home.run("file-processing", again, attempt=2).error.type == "virus"


def test_what_is_made_may_be_wanted_elsewhere(home: Bench, tmp_path: Path) -> None:
    ran = process(home, tmp_path, "a.png", pictures.plain("PNG"), "thumbnail", outputPath=str(tmp_path / "out"))
    assert ran.artifacts == [str(tmp_path / "out" / "thumbnail-256.webp")]
    assert Path(ran.artifacts[0]).is_file()


def test_without_its_library_a_document_says_what_to_install(
    home: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    error = process(home, tmp_path, "a.pdf", documents.pdf(), "validate").error
    assert (error.type, error.retryable) == ("not-installed", False) and "jobdesk[pdf]" in error.message
