"""Virus scanning: a real clamd where there is one, the protocol everywhere, and never a scan that did not happen."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk_processors import clamd
from tests.support import clamd as scanners
from tests.support import pictures
from tests.support.context import Bench

INFECTED = pictures.plain("JPEG", comment=b"hello " + scanners.MARK)


@pytest.fixture(
    scope="module",
    params=[
        "served",
        pytest.param("real", marks=pytest.mark.skipif(scanners.CLAMD is None, reason="clamd is not installed here")),
    ],
)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with scanners.real() if request.param == "real" else scanners.served() as found:
        yield found


def test_a_clean_photo_passes_and_says_who_looked(desk: Bench, tmp_path: Path, address: str) -> None:
    desk.settings["scanner"]["address"] = address
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    result = desk.run("VIRUS_SCAN", {"source": photo}).result
    assert (result["scanned"], result["verdict"], result["bytes"]) == (True, "clean", photo.stat().st_size)
    assert result["scanner"].startswith("ClamAV ")


def test_an_infected_upload_ends_in_the_quarantine_and_nowhere_else(desk: Bench, tmp_path: Path, address: str) -> None:
    desk.settings["scanner"]["address"] = address
    photo = tmp_path / "gift.jpg"
    photo.write_bytes(INFECTED)
    done = desk.flow("IMAGE_UPLOAD_REQUESTED", {"source": photo})
    assert list(done) == ["IMAGE_UPLOAD_REQUESTED", "VIRUS_SCAN", "IMAGE_UPLOAD_FAILED", "NOTIFICATION_SEND"]
    error = done["VIRUS_SCAN"].error
    assert (error.type, error.retryable) == ("virus", False) and "Test.Mark" in error.message
    quarantine = desk.home / "quarantine"
    kept, note = sorted(quarantine.iterdir())
    mode = stat.S_IMODE(kept.stat().st_mode)
    kept.chmod(0o600)
    assert kept.read_bytes() == INFECTED
    assert mode == 0 and stat.S_IMODE(quarantine.stat().st_mode) == 0o700
    assert json.loads(note.read_text())["name"] == "gift.jpg"
    assert not [one for one in (desk.home / "library").rglob("*") if one.is_file()]

    staged = done["IMAGE_UPLOAD_REQUESTED"].result
    again = {"source": staged["staged"], "upload_id": staged["upload_id"], "quarantine": True, "name": "gift.jpg"}
    assert desk.run("VIRUS_SCAN", again, attempt=2).error.type == "virus"  # an attempt killed after the move
    assert photo.exists()


def test_a_file_that_is_only_looked_at_stays_where_it_is(desk: Bench, tmp_path: Path, address: str) -> None:
    desk.settings["scanner"]["address"] = address
    photo = tmp_path / "gift.jpg"
    photo.write_bytes(INFECTED)
    assert desk.run("VIRUS_SCAN", {"source": photo}).error.type == "virus"
    assert photo.exists() and not (desk.home / "quarantine").exists()


@pytest.mark.skipif(scanners.CLAMD is None, reason="clamd is not installed here")
def test_a_file_too_large_for_clamd_is_not_clean(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "large.bin"
    photo.write_bytes(bytes(3_000_000))
    with scanners.real() as found:
        desk.settings["scanner"]["address"] = found
        error = desk.run("VIRUS_SCAN", {"source": photo}).error
    assert (error.type, error.retryable) == ("Retry", True) and "StreamMaxLength" in error.message


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: OK, I think\0", b"OK\0", b"stream: ok\0", b"stream: Can't allocate memory ERROR\0", b"\xff\xfe\0"],
)
def test_only_the_exact_word_is_clean(desk: Bench, tmp_path: Path, answer: bytes) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    with scanners.served(answer) as found:
        desk.settings["scanner"]["address"] = found
        error = desk.run("VIRUS_SCAN", {"source": photo}).error
    assert (error.type, error.retryable) == ("Retry", True)


@pytest.mark.parametrize("address", ["/nowhere/clamd.sock", "127.0.0.1:1"])
def test_a_scanner_that_does_not_answer_is_tried_again(desk: Bench, tmp_path: Path, address: str) -> None:
    desk.settings["scanner"]["address"] = address
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    error = desk.run("VIRUS_SCAN", {"source": photo}).error
    assert (error.type, error.retryable) == ("Retry", True) and address in error.message


def test_without_a_scanner_it_says_so_or_fails_as_the_settings_have_it(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain())
    skipped = desk.run("VIRUS_SCAN", {"source": photo})
    assert skipped.result == {"scanned": False, "verdict": "not scanned: no scanner"}
    assert skipped.said[0]["log"][1] == "warning"
    desk.settings["scanner"]["on_missing"] = "fail"
    error = desk.run("VIRUS_SCAN", {"source": photo}).error
    assert not error.retryable and "start clamd" in error.message


def test_a_scanner_in_its_usual_place_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with scanners.served() as found:
        monkeypatch.setattr(clamd, "USUAL_SOCKETS", (str(tmp_path / "none"), found))
        assert clamd.find("") == clamd.Scanner(found)
        assert clamd.find("127.0.0.1:3310") == clamd.Scanner("127.0.0.1:3310")
