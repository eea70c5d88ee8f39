"""What becomes of a file when its work is over, and when the work is taken up again."""

import json
import stat
from pathlib import Path

import pytest

from jobdesk.core.events import Kind
from jobdesk.folders.finish import bring_back
from jobdesk.folders.owning import BATCH_FILES
from jobdesk.ledger import moves, reads
from tests.folders.conftest import Desk


def drop(desk: Desk, name: str = "a.jpg", content: bytes = b"content") -> None:
    (desk.inbox / name).write_bytes(content)


def retry(desk: Desk, job: str, *, wired: bool = True) -> None:
    with desk.ledger.write() as tx:
        moves.retry(tx, job)
        if wired:
            bring_back(tx, job)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("unsupported-type", "unsupported-type"),
        ("too-many-pixels", "too-many-pixels"),
        ("WorkerCrashed", "crashed-worker"),
        ("OSError", "storage-failed"),
        ("Timeout", "timeout"),
        ("ValueError", "failed"),
    ],
)
def test_a_failed_file_lies_in_rejected_with_its_reason_beside_it(desk: Desk, error: str, reason: str) -> None:
    drop(desk, "sub.jpg", b"not a picture")
    desk.run(error=error)
    assert desk.ended("_rejected") == {"sub.jpg": b"not a picture"}
    (told,) = desk.sidecars()
    (file,) = desk.files("rejected")
    assert told["reason"] == file["reason"] == reason
    assert told["id"] == file["id"] and told["sha256"] == file["sha256"] and told["size"] == 13
    assert (told["original_path"], told["detected_type"], told["step"]) == ("sub.jpg", "text/plain", "UPLOAD")
    assert told["attempts"] == 1 and told["message"] == f"it is {error}"
    assert told["job_id"] in told["retry"] and told["rejected_at"].endswith("Z")
    assert desk.status()["rejected"] == 1 and desk.claims() == []


def test_the_story_is_told_in_events(desk: Desk) -> None:
    drop(desk, "a.jpg", b"one")
    desk.run(error="corrupt")
    drop(desk, "b.jpg", b"two")
    desk.run()
    drop(desk, "c.jpg", b"two")
    desk.run()
    kinds = [Kind.FILE_ACCEPTED, Kind.FILE_REJECTED, Kind.FILE_DUPLICATE]
    told = [(event.kind, event.data["path"]) for event in reads.events(desk.ledger, kinds=kinds)]
    assert told == [
        (Kind.FILE_ACCEPTED, "a.jpg"),
        (Kind.FILE_REJECTED, "a.jpg"),
        (Kind.FILE_ACCEPTED, "b.jpg"),
        (Kind.FILE_DUPLICATE, "c.jpg"),
    ]


def test_a_deleted_source_leaves_nothing_but_a_rejected_one_stays(desk: Desk) -> None:
    desk.open(source="delete")
    drop(desk, "a.jpg", b"good")
    desk.run()
    drop(desk, "b.jpg", b"bad")
    desk.run(error="corrupt")
    assert not (desk.inbox / "_done").exists()
    assert desk.ended("_rejected") == {"b.jpg": b"bad"}
    assert desk.states() == {"a.jpg": "done", "b.jpg": "rejected"}


def test_a_cancelled_upload_is_rejected_and_never_deleted(desk: Desk) -> None:
    desk.open(source="delete")
    drop(desk)
    desk.settle()
    with desk.ledger.write() as tx:
        moves.cancel(tx, desk.files()[0]["job"], "cancelled by ada")
    desk.look(1)
    assert desk.ended("_rejected") == {"a.jpg": b"content"}
    assert desk.sidecars()[0]["reason"] == "cancelled"


def test_a_file_whose_job_was_deleted_is_rejected(desk: Desk) -> None:
    drop(desk)
    desk.settle()
    with desk.ledger.write() as tx:
        moves.delete(tx, desk.files()[0]["job"])
    desk.look(1)
    assert desk.ended("_rejected") == {"a.jpg": b"content"}
    assert desk.sidecars()[0]["message"] == "its job was deleted"


def test_an_infected_file_leaves_the_folder_for_the_quarantine(desk: Desk) -> None:
    drop(desk, "bad.jpg", b"EICAR")
    desk.run(error="virus")
    (kept,) = [path for path in (desk.home / "quarantine").iterdir() if not path.name.endswith(".json")]
    assert kept.read_bytes() == b"EICAR" and stat.S_IMODE(kept.stat().st_mode) == 0
    assert desk.ended("_rejected") == {}
    assert [told["reason"] for told in desk.sidecars()] == ["virus"]
    (file,) = desk.files("rejected")
    assert file["moved_to"] == str(kept)


def test_an_infected_file_that_the_scan_moved_away_itself_is_told_of_just_the_same(desk: Desk) -> None:
    drop(desk, "bad.jpg", b"EICAR")
    desk.settle()
    with desk.ledger.write() as tx:
        ((data,),) = tx.rows("SELECT data FROM job")
    source = Path(json.loads(data)["source"])
    desk.work(error="virus")
    source.unlink()
    desk.look(1)
    assert [told["reason"] for told in desk.sidecars()] == ["virus"] and desk.claims() == []


def test_a_retry_brings_the_rejected_file_back_and_its_success_moves_it_to_done(desk: Desk) -> None:
    drop(desk)
    desk.run(error="storage-failed")
    retry(desk, desk.files("rejected")[0]["job"])
    assert desk.states() == {"a.jpg": "queued"} and desk.sidecars() == []
    assert desk.work() == 1 and desk.read == [b"content"]
    desk.look(1)
    assert desk.ended("_done") == {"a.jpg": b"content"} and desk.ended("_rejected") == {}
    assert desk.status()["rejected"] == 0 and desk.status()["done"] == 1


def test_work_that_was_done_finds_its_file_when_it_is_run_again(desk: Desk) -> None:
    drop(desk)
    desk.run()
    retry(desk, desk.files("done")[0]["job"])
    assert desk.work() == 1 and desk.read == [b"content", b"content"]
    desk.look(1)
    assert desk.ended("_done") == {"a.jpg": b"content"} and desk.status()["done"] == 1


def test_a_retry_that_fails_again_rejects_again(desk: Desk) -> None:
    drop(desk)
    desk.run(error="storage-failed")
    retry(desk, desk.files("rejected")[0]["job"])
    desk.work(error="corrupt")
    desk.look(1)
    assert desk.ended("_rejected") == {"a.jpg": b"content"}
    assert [told["reason"] for told in desk.sidecars()] == ["corrupt"]


def test_a_retry_that_nobody_told_the_folder_of_is_found(desk: Desk) -> None:
    drop(desk)
    desk.run(error="storage-failed")
    retry(desk, desk.files("rejected")[0]["job"], wired=False)
    desk.look(60)
    assert desk.states() == {"a.jpg": "queued"} and desk.ended("_rejected") == {}
    desk.work()
    desk.look(1)
    assert desk.ended("_done") == {"a.jpg": b"content"}


def test_work_taken_up_again_while_its_file_is_moved_gets_the_file_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(desk)
    desk.settle()
    job = desk.files()[0]["job"]
    desk.work(error="storage-failed")
    ledger_write, ender = desk.ledger.write, desk.service._ender
    move = ender._move

    def retried_meanwhile(*args: object) -> bytes | None:
        moved = move(*args)  # type: ignore[arg-type]
        with ledger_write() as tx:
            moves.retry(tx, job)
        return moved

    monkeypatch.setattr(ender, "_move", retried_meanwhile)
    desk.look(1)
    monkeypatch.undo()
    assert desk.work() == 1 and desk.read == [b"content"]
    desk.look(1)
    assert desk.ended("_done") == {"a.jpg": b"content"} and desk.ended("_rejected") == {}


def test_a_rejected_file_moved_back_by_hand_is_a_new_try_under_its_own_name(desk: Desk) -> None:
    drop(desk)
    desk.run(error="corrupt")
    (rejected,) = (path for path in (desk.inbox / "_rejected").glob("*/*") if not path.name.endswith(".json"))
    rejected.rename(desk.inbox / rejected.name)
    desk.run()
    assert desk.read == [b"content"] and desk.ended("_done") == {"a.jpg": b"content"}


def test_a_pipeline_that_refuses_keeps_the_file_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobdesk.core.errors import UnknownType

    def refuse(*_: object, **__: object) -> tuple[str, None]:
        raise UnknownType("no processor has the job type 'UPLOAD'")

    monkeypatch.setattr(desk, "submit", refuse)
    desk.open()
    for number in range(300):
        drop(desk, f"{number}.jpg", b"%d" % number)
    desk.settle()
    assert "no processor has the job type 'UPLOAD'" in desk.status()["message"]
    assert len(desk.left()) + len(desk.claims()) == 300 and len(desk.claims()) <= BATCH_FILES
    monkeypatch.undo()
    desk.service._owner._submit = desk.submit
    for _ in range(6):
        desk.run()
    assert len(desk.read) == 300 and desk.status()["message"] is None
