"""What strangers send that is no picture: refused for good, with a reason, before anything is made of it."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.outcome import Failed
from jobdesk_processors import files
from tests.support import documents, pictures
from tests.support.context import Bench, Ran, bench

ALL = ["validate", "optimize", "thumbnail", "convert"]
PDF, ZIP = documents.pdf("one", "two"), documents.zipped({"a.txt": b"hello"})
REASONS = {"truncated", "corrupt", "encrypted", "too-large", "type-mismatch", "unsupported-type", "unsafe-archive"}


@pytest.fixture
def home(tmp_path: Path) -> Bench:
    return bench(tmp_path / "home", files)


def run(home: Bench, tmp_path: Path, name: str, content: bytes, **data: Any) -> Ran:
    source = tmp_path / name
    source.write_bytes(content)
    return home.run("file-processing", {"source": source, "operations": ["validate"], **data})


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "half a PDF": ("a.pdf", lambda: PDF[: len(PDF) // 2], "truncated"),
    "a PDF without its end": ("a.pdf", lambda: PDF[:-30], "truncated"),
    "noise in a PDF's clothes": ("a.pdf", lambda: b"%PDF-1.7\n" + bytes(range(256)) + b"\n%%EOF\n", "corrupt"),
    "a PDF without pages": ("a.pdf", documents.empty, "corrupt"),
    "a PDF with a password": ("a.pdf", lambda: documents.encrypted("secret"), "encrypted"),
    "a PDF with a password to change it": ("a.pdf", lambda: documents.encrypted(""), "encrypted"),
    "a PDF bomb": ("a.pdf", lambda: documents.bomb(30_000_000), "too-large"),
    "a PDF bomb in a bomb": ("a.pdf", lambda: documents.bomb(30_000_000, times=2), "too-large"),
    "a PDF and ZIP": ("a.pdf", lambda: PDF + ZIP, "type-mismatch"),
    "a JPEG and ZIP": ("a.jpg", lambda: pictures.plain() + ZIP, "type-mismatch"),
    "a JPEG and ZIP that says two things": (
        "a.jpg",
        lambda: pictures.plain() + documents.told_twice(ZIP),
        "type-mismatch",
    ),
    "a JPEG and PHP": ("a.jpg", lambda: pictures.plain(comment=b"<?php system($_GET[1]); ?>"), "type-mismatch"),
    "a GIF and PDF": ("a.gif", lambda: pictures.plain("GIF", comment=b"%PDF-1.4") + b"%%EOF", "type-mismatch"),
    "a JPEG named PDF": ("a.pdf", pictures.plain, "type-mismatch"),
    "a PDF named JPEG": ("a.jpg", lambda: PDF, "type-mismatch"),
    "a JPEG named PNG": ("a.png", pictures.plain, "type-mismatch"),
    "a program named text": ("a.txt", lambda: b"MZ\x90\0" + bytes(100), "type-mismatch"),
    "noise named PDF": ("a.pdf", lambda: bytes(range(256)), "type-mismatch"),
    "a program of Windows": ("run.exe", lambda: b"MZ\x90\0" + bytes(100), "unsupported-type"),
    "a program of Linux": ("run", lambda: b"\x7fELF" + bytes(100), "unsupported-type"),
    "a script": ("a.sh", lambda: b"#!/bin/sh\nrm -rf /\n", "unsupported-type"),
    "a script by its name": ("a.php", lambda: b"just words\n", "unsupported-type"),
    "a page": ("a.html", lambda: b"<!doctype html><script>alert(1)</script>", "unsupported-type"),
    "a drawing": ("a.svg", lambda: b"<svg onload='x()'/>", "unsupported-type"),
    "an archive of another kind": ("a.rar", lambda: b"Rar!\x1a\x07\0" + bytes(40), "unsupported-type"),
    "noise": ("unknown", lambda: bytes(range(256)), "unsupported-type"),
    "nothing": ("a.txt", lambda: b"", "empty"),
    "JSON nested too deep": ("a.json", lambda: b"[" * 200_000, "corrupt"),
    "half of JSON": ("a.json", lambda: b'{"a": ', "corrupt"),
    "text and noise": ("a.txt", lambda: b"words " * 1000 + b"\xff\xfe\xfd", "corrupt"),
    "a ZIP without its end": ("a.zip", lambda: ZIP[:-30], "truncated"),
    "a ZIP whose file changed": ("a.zip", lambda: ZIP.replace(b"\xcbH", b"\xcbJ"), "corrupt"),
    "a ZIP that climbs": ("a.zip", lambda: documents.zipped({"../../etc/passwd": b"x"}), "unsafe-archive"),
    "a ZIP for a drive": ("a.zip", lambda: documents.zipped({"C:\\windows\\x": b"x"}), "unsafe-archive"),
    "a ZIP with a link": ("a.zip", documents.zipped_link, "unsafe-archive"),
    "a ZIP with a password": ("a.zip", documents.with_password, "encrypted"),
    "a ZIP whose files overlap": ("a.zip", documents.overlapping, "too-large"),
    "a ZIP bomb": ("a.zip", lambda: documents.zipped({"zeros": bytes(30_000_000)}), "too-large"),
    "a ZIP that hides how many files it has": (
        "a.zip",
        lambda: documents.told_twice(documents.zipped({str(n): b"" for n in range(10_001)})),
        "too-large",
    ),
    "a ZIP that hides its files": ("a.zip", documents.hiding, "corrupt"),
    "a ZIP of too many files": (
        "a.zip",
        lambda: ZIP + documents.zipped({str(n): b"" for n in range(11_000)}),
        "too-large",
    ),
    "a drawing behind comments": ("a.txt", lambda: b"<!---->" * 500 + b" <svg/>", "type-mismatch"),
    "a page behind comments": ("page", lambda: b"<!-- -->\n" * 300 + b"<script>", "unsupported-type"),
    "a tar with a root": ("a.tar", lambda: documents.tarred({"/etc/passwd": b"x"}), "unsafe-archive"),
    "a tar with a link": ("a.tar", lambda: documents.tarred({"a": b"x"}, link="/etc/passwd"), "unsafe-archive"),
    "a packed tar that climbs": ("a.tgz", lambda: documents.tarred({"../a": b"x"}, "w:gz"), "unsafe-archive"),
    "a tar cut short": ("a.tar", lambda: documents.tarred({"a": bytes(5000)})[:3000], "truncated"),
    "a gzip bomb": ("a.gz", lambda: gzip.compress(bytes(30_000_000)), "too-large"),
    "a gzip cut short": ("a.gz", lambda: gzip.compress(b"hello" * 100)[:-6], "truncated"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_it_is_refused_for_good_with_its_reason(home: Bench, tmp_path: Path, case: str) -> None:
    name, content, reason = HOSTILE[case]
    error = run(home, tmp_path, name, content(), operations=ALL).error
    assert (error.type, error.retryable) == (reason, False), error.message
    assert name in error.message and "\n" not in error.message
    assert not (home.home / "library" / "files").exists()


@pytest.mark.parametrize("operation", ["optimize", "thumbnail", "convert"])
def test_each_operation_looks_before_it_draws(home: Bench, tmp_path: Path, operation: str) -> None:
    for content, reason in ((documents.bomb(30_000_000), "too-large"), (documents.encrypted("x"), "encrypted")):
        error = run(home, tmp_path, "a.pdf", content, operations=[operation]).error
        assert (error.type, error.retryable) == (reason, False)


def test_what_acts_in_a_document_is_named(home: Bench, tmp_path: Path) -> None:
    ran = run(home, tmp_path, "a.pdf", documents.acting())
    assert ran.result["operations"][0]["details"]["contains"] == ["attachments", "javascript"]
    assert any("more than its pages: attachments, javascript" in line for line in ran.lines)


def test_a_document_with_a_wrong_table_is_read_and_that_is_said(home: Bench, tmp_path: Path) -> None:
    at = PDF.rindex(b"startxref") + 10
    content = PDF[:at] + b"7" + PDF[at:]
    details = run(home, tmp_path, "a.pdf", content).result["operations"][0]["details"]
    assert details["pages"] == 2 and details["repaired"]


def test_limits_of_size_and_type_are_those_of_the_settings_and_the_job_may_ask_for_less(
    home: Bench, tmp_path: Path
) -> None:
    assert home.settings["files"]["max_bytes"] == 104_857_600
    error = run(home, tmp_path, "a.pdf", PDF, max_bytes=1000).error
    assert error.type == "too-large" and "max_bytes of the job" in error.message
    assert run(home, tmp_path, "a.pdf", PDF, maxBytes=10**12).result["success"]
    assert run(home, tmp_path, "a.pdf", PDF, allowed_types=["image/*", "text/plain"]).error.type == "unsupported-type"
    assert run(home, tmp_path, "a.pdf", PDF, allowedTypes=["application/pdf"]).result["success"]
    home.settings["files"] |= {"allowed_types": ["image/*"], "max_bytes": 1000}
    error = run(home, tmp_path, "a.pdf", PDF).error
    assert error.type == "too-large" and "files.max_bytes" in error.message
    assert run(home, tmp_path, "a.txt", b"words", allowed_types=["text/*"]).error.type == "unsupported-type"


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"fileType": "image/png"}, "type-mismatch"),
        ({"fileSize": 104_857_601}, "too-large"),
        ({"fileSize": len(PDF) + 1}, "truncated"),
        ({"fileSize": len(PDF) - 1}, "corrupt"),
        ({"fileName": "photo.jpg"}, "type-mismatch"),
    ],
)
def test_what_its_sender_says_must_be_so(home: Bench, tmp_path: Path, declared: dict[str, Any], reason: str) -> None:
    error = run(home, tmp_path, "a.pdf", PDF, **declared).error
    assert (error.type, error.retryable) == (reason, False)


def test_no_cut_or_flipped_file_does_more_than_be_refused(home: Bench, tmp_path: Path) -> None:
    chance = random.Random(5)
    wholes = [
        ("a.pdf", PDF), ("a.pdf", documents.acting()), ("a.zip", ZIP), ("a.tar", documents.tarred({"a": b"12"})),
        ("a.tgz", documents.tarred({"a": b"12"}, "w:gz")), ("a.tar.xz", documents.tarred({"a": b"12"}, "w:xz")),
    ]  # fmt: skip
    for name, whole in wholes:
        for _ in range(25):
            content = bytearray(whole[: chance.randint(1, len(whole))] if chance.random() < 0.3 else whole)
            for _ in range(chance.randint(1, 6)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            outcome = run(home, tmp_path, name, bytes(content), operations=["validate", "thumbnail"]).outcome
            if isinstance(outcome, Failed):
                assert not outcome.error.retryable, (outcome.error, bytes(content))
                assert outcome.error.type in {*REASONS, "PartlyDone"}, (outcome.error, bytes(content))
