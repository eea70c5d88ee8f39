"""A desk with jobs in every state, at a time that stands still."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk.core.clock import iso
from jobdesk.core.job import JobError, Progress
from jobdesk.desk import Desk
from jobdesk.ledger import claiming, folders, intake, moves, queues, reports, upkeep
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit


@pytest.fixture
def desk(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    """A desk with the settings of the test's module (`SETTINGS`), if it has any."""
    monkeypatch.setenv("TZ", "UTC")
    home = tmp_path / "home"
    if settings := getattr(request.module, "SETTINGS", ""):
        home.mkdir(mode=0o700)
        (home / "jobdesk.toml").write_text(settings)
    opened = Desk(home, clock=clock)
    yield opened
    opened.close()


def photo(number: int) -> dict[str, str]:
    return {"source": f"/photos/IMG_{number:04}.jpg"}


@pytest.fixture
def busy_desk(desk: Desk, clock: FakeClock) -> Desk:
    """Twelve done, two failed alike, one running at 40%, one of every other state, three waiting in a paused queue."""
    ledger = desk.ledger
    desk.sync_queues()

    def store(type_: str, queue: str, data: dict[str, str], **more: object) -> str:
        return submit(ledger, type=type_, queue=queue, data=data, **more)

    for number in range(12):
        store("THUMBNAIL_GENERATE", "processing.images", photo(number))
        job = claim(ledger)
        clock.advance(2)
        with ledger.write() as tx:
            moves.complete(tx, job, {"width": 256})
    for number in (90, 91):
        store("email", "email-sending", {"to": f"ada{number}@example.org"}, max_attempts=1)
        job = claim(ledger)
        clock.advance(1)
        with ledger.write() as tx:
            moves.fail(
                tx, job, JobError("ConnectTimeout", "no answer from mail.example.org", "Traceback …", "f1"), None
            )
    store("email", "email-sending", {"to": "bob@example.org"})
    with ledger.write() as tx:
        retried = claiming.claim(tx, "con_test/1")
        assert retried is not None
        moves.fail(tx, retried, JobError("SMTPError", "closed", None, "f2"), 41.0)
    store("video", "video-scraping", {"url": "https://example.org/clip.mp4"}, expires_at=clock.now() + 1)
    clock.advance(2)
    with ledger.write() as tx:
        upkeep.expire(tx)
    store("email", "email-sending", {"to": "later@example.org"}, run_at=clock.now() + 600)
    root = store("IMAGE_RESIZE", "processing.images", photo(2041))
    store("NOTIFICATION_SEND", "notifications", {"to": "ada@example.org"}, after=(root,))
    running = claim(ledger)
    with ledger.write() as tx:
        reports.progress(tx, running, Progress(40, 100, "1080 px"))
        reports.log(tx, running, [(tx.now, "info", "opened \x1b[31mthe picture\x1b[0m")])
    clock.advance(4)
    desk.cancel(store("video", "video-scraping", {"url": "https://example.org/no.mp4"}), "cancelled by ada")
    for number in (1, 2, 3):
        store("NOTIFICATION_SEND", "notifications", {"to": f"guest{number}@example.org"})
    with ledger.write() as tx:
        queues.pause(tx, "notifications", "ada")
    assert json.dumps(desk.job(running.id).to_json())
    return desk


INBOX_STATES = {
    "beach.jpg": ("done", None, None), "again.jpg": ("duplicate", "duplicate", "the same content as beach.jpg"),
    "notes.jpg": ("rejected", "type-mismatch", "notes.jpg is named like a picture but holds text"),
}  # fmt: skip


@pytest.fixture
def dropped(desk: Desk, clock: FakeClock) -> Desk:
    """A drop folder that is watched, with a file of every kind: done, duplicate, rejected, settling, in quarantine."""
    folder = str(desk.home.inbox)
    desk.home.inbox.mkdir(parents=True, exist_ok=True)
    now = clock.now()
    files = []
    for at, (name, (state, reason, message)) in enumerate(INBOX_STATES.items()):
        kept = desk.home.inbox / ("_rejected" if state == "rejected" else "_done") / "2026-01-01"
        files.append(
            (
                intake.Owned(
                    id=f"file_{at:026}", folder=folder, path=name.encode(), state=state, first_seen=now - 60,
                    claimed_at=now - 58, sha256=f"{at:064x}", size=1000 * (at + 1), reason=reason, message=message,
                    duplicate_of="beach.jpg" if state == "duplicate" else None,
                    moved_to=bytes(kept / f"file_{at:026}-{name}"), finished_at=now - 50,
                ),
                name,
            )
        )  # fmt: skip
    with desk.ledger.write() as tx:
        folders.report(
            tx,
            folders.Status(
                path=folder, pipeline="IMAGE_UPLOAD_REQUESTED", mode="watch", settling=1, scanned_at=now - 5,
                scan_ms=4.0, consumer="con_test",
            ),
        )  # fmt: skip
        intake.take(tx, files)
        intake.sighted(tx, folder, [], [intake.Sighting(b"coming.jpg", "settling", "still changing", 512, now - 1)])
    refused = desk.home.inbox / "_rejected" / "2026-01-01" / f"file_{2:026}-notes.jpg"
    held = desk.home.quarantine / f"file_{7:026}-virus.zip"
    for path, reason, message in (
        (refused, "type-mismatch", "notes.jpg is named like a picture but holds text"),
        (held, "virus", "Eicar-Test-Signature"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hello\n")
        said = {"folder": folder, "reason": reason, "message": message, "job_id": None, "rejected_at": iso(now - 50)}
        path.with_name(path.name + ".error.json").write_text(json.dumps(said))
    return desk
