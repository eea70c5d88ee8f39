"""Files through a consumer: each operation of the references, from a folder, from a URL, and what fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobdesk import Desk
from jobdesk.core.job import Job, State
from tests.support import clamd, documents, pictures
from tests.support.factory import error_of
from tests.support.files import file_server
from tests.support.home import make_home, until
from tests.support.web import Answer, server

SETTINGS = """
[scanner]
engine = "clamd"
address = "{address}"

[[folders]]
path = "inbox"
pipeline = "file-processing"
settle = "100ms"
data = {{ operations = ["virus_scan", "thumbnail"] }}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with clamd.served() as address:
        home = make_home(tmp_path, settings=SETTINGS.format(address=address))
        with Desk(home) as desk:
            yield desk


def ended(desk: Desk, type_: str = "file-processing", **data: Any) -> Job:
    return desk.wait(desk.submit(type_, data, retry_delay="10ms").id, timeout=60)


def file(tmp_path: Path, name: str, content: bytes) -> str:
    (tmp_path / name).write_bytes(content)
    return str(tmp_path / name)


def names(job: Job) -> list[str]:
    assert job.state is State.COMPLETED, job.error
    return [one["name"] for step in job.result["operations"] for one in step["files"]]


def test_every_operation_on_each_kind_of_file(desk: Desk, tmp_path: Path) -> None:
    picture = file(tmp_path, "photo.jpg", pictures.plain(size=(400, 300), quality=100))
    document = file(tmp_path, "paper.pdf", documents.pdf("one", "two"))
    expected = {
        "virus_scan": ([], []),
        "validate": ([], []),
        "optimize": (["optimized.jpg"], ["optimized.pdf"]),
        "thumbnail": (["thumbnail-256.webp"], ["thumbnail-256.webp"]),
        "convert": (["converted.webp"], ["page-001.webp", "page-002.webp"]),
    }
    for operation, (of_picture, of_document) in expected.items():
        job = ended(desk, source=picture, processingType=operation)
        assert (job.queue, job.priority, names(job)) == ("file-processing", 75, of_picture)
        assert names(ended(desk, source=document, processingType=operation)) == of_document
    archive = file(tmp_path, "all.zip", documents.zipped({"a.txt": b"a"}))
    job = ended(desk, source=archive, operations=["virus_scan", "validate"])
    assert [one["status"] for one in job.result["operations"]] == ["done", "done"]


def test_the_example_of_the_references(desk: Desk) -> None:
    """`addFileProcessingJob`; the first connection breaks off, and the second attempt goes on."""
    content = documents.scanned()
    with file_server(content, type="application/pdf", cuts=[20_000, 0]) as at:
        job = ended(
            desk, fileId="file-123", fileUrl=f"{at.url}/file.pdf", fileName="document.pdf", fileType="application/pdf",
            fileSize=len(content), userId="user-123", processingType="virus_scan",
        )  # fmt: skip
    assert (job.state, job.attempt) == (State.COMPLETED, 2), job.error
    assert job.result["file_id"] == "file-123" and job.result["operations"][0]["verdict"] == "clean"
    assert at.asked[-1]["range"] == "bytes=20000-"
    assert not list((desk.home.path / "library" / ".staging").iterdir())


def test_what_cannot_be_fetched_fails_as_its_status_says(desk: Desk) -> None:
    with server(lambda asked: Answer(404)) as at:
        job = ended(desk, fileUrl=f"{at.url}/a.pdf", processingType="validate")
        assert (job.state, job.attempt) == (State.FAILED, 1) and "HTTP 404" in error_of(job).message
        at.answer = lambda asked: Answer(200, documents.pdf()[:-40])
        job = ended(desk, fileUrl=f"{at.url}/a.pdf", operations=["validate", "thumbnail"])
        assert (error_of(job).type, job.attempt) == ("truncated", 1)
        at.answer = lambda asked: Answer(200, bytes(2000))
        job = ended(desk, fileUrl=f"{at.url}/a.pdf", processingType="validate", max_bytes=1000)
        assert (error_of(job).type, job.attempt) == ("TooLong", 1)
    assert not list((desk.home.path / "library" / ".staging").iterdir())


def test_an_infected_file_is_not_worked_on(desk: Desk, tmp_path: Path) -> None:
    infected = file(tmp_path, "gift.jpg", pictures.plain(comment=clamd.MARK))
    job = ended(desk, source=infected, options={"scanForViruses": True, "generateThumbnail": True})
    assert job.state is State.FAILED and job.error is not None and error_of(job).type == "virus"
    assert not job.artifacts and not (desk.home.path / "library" / "files").exists()


def test_what_was_done_is_in_the_result_of_a_job_that_failed_in_part(desk: Desk, tmp_path: Path) -> None:
    signed = file(tmp_path, "contract.pdf", documents.signed())
    job = ended(desk, source=signed, operations=["optimize", "thumbnail"])
    assert (job.state, job.attempt) == (State.FAILED, 1)
    assert job.error is not None and error_of(job).type == "PartlyDone"
    lost, done = job.result["operations"]
    assert (lost["status"], lost["error"]["type"], done["status"]) == ("failed", "signed", "done")
    assert Path(done["files"][0]["path"]).is_file() and len(job.artifacts) == 1


def test_dropped_files_are_scanned_and_shown_and_lies_rejected(desk: Desk) -> None:
    folder = desk.home.path / "inbox"
    (folder / "photo.png").write_bytes(pictures.plain("PNG"))
    (folder / "paper.pdf").write_bytes(pictures.plain("PNG", size=(40, 30)))
    until(lambda: len(desk.jobs("type:file-processing").jobs) == 2)
    jobs = desk.jobs("type:file-processing").jobs
    done = {job.data["name"]: desk.wait(job.id, timeout=60) for job in jobs}
    assert names(done["photo.png"]) == ["thumbnail-256.webp"]
    lie = done["paper.pdf"]
    assert lie.error is not None and lie.error.type == "type-mismatch"
    until(lambda: list(folder.glob("_rejected/*/*paper.pdf.error.json")))
    (told,) = folder.glob("_rejected/*/*paper.pdf.error.json")
    assert json.loads(told.read_text())["reason"] == "type-mismatch"


def test_the_example_of_image_process_from_a_url(desk: Desk, tmp_path: Path) -> None:
    operations = [
        {"type": "resize", "width": 80, "height": 60},
        {"type": "optimize", "quality": 85},
        {"type": "format", "format": "webp"},
    ]
    output = tmp_path / "processed" / "image.webp"
    with file_server(pictures.plain(size=(160, 120)), type="image/jpeg") as at:
        job = ended(
            desk, "image_process", sourceUrl=f"{at.url}/image.jpg", operations=operations, outputPath=str(output)
        )
    assert job.state is State.COMPLETED, job.error
    assert (job.max_attempts, job.result["outputPath"]) == (3, str(output))
    assert job.result["fileSize"] == output.stat().st_size
    with Image.open(output) as image:
        assert (image.format, image.size) == ("WEBP", (80, 60))
    again = ended(desk, "image_process", file=file(tmp_path, "a.jpg", pictures.plain()), operations=operations[:1])
    assert again.result["width"] == 64
