"""What other systems call by another name: dead letters as queues, a queue by its priority, files at URLs."""

from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import NotFound, PayloadError
from jobdesk.core.job import State
from jobdesk.core.query import parse
from jobdesk_processors import metadata, taking, upload, video_jobs
from tests.support.context import bench
from tests.support.files import file_server
from tests.support.home import make_home, said
from tests.support.pictures import plain
from tests.support.videos import make_video
from tests.web.conftest import PROCESSORS, Serve

UPLOAD = "IMAGE_UPLOAD_REQUESTED"


def failed(desk: Desk, *queues: str) -> list[str]:
    """Ids of jobs that have failed in these queues, beside one in each that waits."""
    ids = [desk.submit("refuse", queue=queue).id for queue in queues]
    with desk.ledger.write() as tx:
        for id_ in ids:
            move = "UPDATE job SET state = ?, worker = 'w', started_at = 1, finished_at = ? WHERE id = ?"
            tx.run(move, ("processing", None, id_))
            tx.run(move, ("failed", tx.now, id_))
    for queue in queues:
        desk.submit("refuse", queue=queue)
    return ids


def test_dead_letters_are_seen_as_queues(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with_dead, other = failed(Desk(home), "upload.normal", "default")
    shown = said(home, "queues", "show", "upload.normal.dlq", "--json").json
    assert shown["counts"]["failed"] == shown["dead"] == 1 and shown["counts"]["pending"] == 0
    assert (shown["name"], shown["dead_letter_ttl_s"]) == ("upload.normal.dlq", 30 * 86400)
    assert said(home, "queues", "show", "dead-letter", "--json").json["dead"] == 2
    for words in (["jobs", "list"], ["dead", "list"]):
        assert [job["id"] for job in said(home, *words, "queue:upload.normal.dlq", "--json").json] == [with_dead]
        found = {job["id"] for job in said(home, *words, "queue:dead-letter", "--json").json}
        assert found == {with_dead, other}
    assert said(home, "queues", "show", "none.dlq").code == 4
    answer = said(home, "submit", "refuse", "--queue", "upload.normal.dlq")
    assert answer.code == 2 and "is the name of dead letters" in answer.error
    assert said(home, "dead", "retry", "queue:upload.normal.dlq", "--yes").code == 0
    assert said(home, "queues", "show", "upload.normal.dlq", "--json").json["dead"] == 0


def test_such_a_query_reads_back_as_itself() -> None:
    for text in ("queue:a.dlq,b.dlq type:x", "queue:dead-letter", "-queue:a.dlq", "queue:a.dlq,b"):
        assert parse(str(parse(text))) == parse(text)
    assert str(parse("queue:a.dlq,b.dlq")) == "queue:a,b state:failed,expired"


def test_dead_letters_as_queues_over_http(serve: Serve) -> None:
    served = serve()
    dead, other = failed(served.desk, "upload.normal", "default")
    assert served.get("/api/jobs/queues/dead-letter")["data"]["failedJobs"] == 2
    assert served.get("/queues/upload.normal.dlq")["data"]["liveStats"]["total"] == 1
    assert [job["jobId"] for job in served.get("/queues/upload.normal.dlq/jobs")["data"]] == [dead]
    assert {job["jobId"] for job in served.get("/jobs?queue=dead-letter")["data"]} == {dead, other}
    assert served.post("/queues/upload.normal.dlq/pause", status=404)
    assert served.delete("/api/jobs/queues/upload.normal.dlq")["data"]["removed"] == 1
    assert served.delete("/api/jobs/queues/dead-letter")["data"]["removed"] == 1
    assert served.get("/jobs")["pagination"]["total"] == 2, "what waits stays"
    with pytest.raises(NotFound):
        served.desk.job(dead)


def test_a_priority_chooses_the_queue_of_an_upload(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path, settings='[types.IMAGE_UPLOAD_PROCESSING]\nqueue = "own"\n'))
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(plain())
    for priority, queue in (
        ("high", "upload.high-priority"), ("urgent", "upload.high-priority"), (80, "upload.high-priority"),
        ("normal", "upload.normal"), (None, "upload.normal"), ("low", "upload.batch"), (0, "upload.batch"),
    ):  # fmt: skip
        assert desk.submit(UPLOAD, {"source": str(picture)}, priority=priority).queue == queue
    assert desk.submit(UPLOAD, {"source": str(picture)}, priority="low", queue="other").queue == "other"
    own = desk.submit("IMAGE_UPLOAD_PROCESSING", {"source": str(picture)}, priority="high")
    assert own.queue == "own", "what the settings say of the type goes first"
    assert desk.submit("THUMBNAIL_GENERATE", {"source": str(picture)}, priority="low").queue == "processing.images"


def test_the_steps_of_an_upload_go_where_its_priority_says(tmp_path: Path) -> None:
    desk = bench(tmp_path, upload, metadata)
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(plain())
    ran = desk.run(UPLOAD, {"source": str(picture)}, queue="upload.batch")
    queues = {child["type"]: child.get("queue") for child in ran.children}
    assert (queues["IMAGE_UPLOAD_PROCESSING"], queues["DATABASE_UPDATE"]) == ("upload.batch", "upload.batch")
    assert queues["VIRUS_SCAN"] == "upload.high-priority"


def test_an_upload_comes_from_a_url(tmp_path: Path) -> None:
    desk = bench(tmp_path, upload, metadata)
    with file_server(plain(), type="image/jpeg") as server:
        ran = desk.run(UPLOAD, {"sourceUrl": f"{server.url}/holiday.jpg"})
    assert (ran.result["name"], ran.result["source"]) == ("holiday.jpg", f"{server.url}/holiday.jpg")
    assert Path(ran.result["staged"]).read_bytes() == plain()
    for data, words in (
        ({}, "either source, a path, or its URL"),
        ({"source": "https://example.com/a.jpg"}, "give it as source_url"),
        ({"source": "/a.jpg", "source_url": "https://example.com/a.jpg"}, "either source, a path, or its URL"),
    ):
        with pytest.raises(PayloadError, match=words):
            desk.run(UPLOAD, data)
    assert taking.called(None, "https://example.com/a/b%20c.jpg?x=1") == "b c.jpg"


def test_a_video_at_a_url_is_fetched_and_looked_at(tmp_path: Path) -> None:
    desk = bench(tmp_path, video_jobs)
    with file_server(make_video(tmp_path / "clip.mp4").read_bytes()) as server:
        url = f"{server.url}/clip.mp4"
        ran = desk.run("analyze-video-content", {"videoId": "v1", "videoUrl": url, "analysisType": "technical"})
        told = desk.run("extract-metadata", {"videoUrl": url})
    assert ran.result["path"] == told.result["path"] == url
    assert ran.result["metadata"]["width"] == told.result["width"] > 0 and ran.result["frames"]
    error = desk.run("extract-metadata", {"videoUrl": url, "videoPath": "/v.mp4"}).error
    assert "not both" in error.message
    with pytest.raises(PayloadError, match="give it as videoUrl"):
        desk.run("extract-metadata", {"videoPath": url})


def test_small_numbers_are_priorities_where_the_settings_say_so(serve: Serve) -> None:
    served = serve("[http]\npriorities = 10\n")
    for number, rank in ((5, 50), (2, 20), (10, 100), (0, 0)):
        made = served.post("/jobs", {"type": "greet", "data": {"name": "a"}, "options": {"priority": number}}, 201)
        assert served.desk.job(made["data"]["jobId"]).priority == rank
    assert served.post("/jobs", {"type": "greet", "data": {"name": "a"}, "priority": 11}, 400)
    word = served.post("/jobs", {"type": "greet", "data": {"name": "a"}, "priority": "high"}, 201)["data"]["jobId"]
    assert served.desk.job(word).priority == 75
    assert served.desk.job(word).state is State.PENDING
