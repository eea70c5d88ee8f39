"""Clean-up jobs through a real consumer: what is old goes, what is young, in use, linked or somebody else's stays."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk, JobdeskError
from jobdesk.core.job import State
from tests.support.factory import result_of
from tests.support.home import make_home

DAY_S = 86_400.0
FILE = "file_01K00000000000000000000000-{}.jpg"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    with Desk(home) as desk:
        yield desk


def put(path: Path, days: float, content: str = "12345") -> Path:
    """A file that was last written so many days ago, and so were the folders around it that are new."""
    made = [one for one in path.parents if not one.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    for one in (path, *made):
        os.utime(one, (time.time() - days * DAY_S,) * 2)
    return path


def test_temporary_files_go_when_they_are_old_and_nobody_needs_them(desk: Desk, home: Path, tmp_path: Path) -> None:
    library, outside = home / "library", tmp_path / "outside"
    needed = desk.submit("CLEANUP_TEMP_FILES", {"upload_id": "upload_needed"}, delay="1h")
    gone = [
        put(library / ".staging" / "upload_old" / "made" / "a.webp", 9),
        put(home / "run" / "work" / "job_01K00000000000000000000000-3" / "left", 9),
        put(library / "2026" / ".photo.jpg.part", 9),
    ]
    kept = [
        put(library / ".staging" / "upload_young" / "original.jpg", 3),
        put(library / ".staging" / "upload_needed" / "original.jpg", 9),
        put(library / ".staging" / needed.id / "original.jpg", 9),
        put(library / "2026" / "photo.jpg", 900),
        put(library / "2026" / ".young.jpg.part", 3),
        put(outside / "upload_linked" / "theirs", 900),
        put(outside / ".theirs.part", 900),
    ]
    (library / ".staging" / "upload_link").symlink_to(outside / "upload_linked")
    (library / "album").symlink_to(outside)
    (gone[0].parent / "link").symlink_to(outside)
    os.utime(gone[0].parent, (time.time() - 9 * DAY_S,) * 2)
    os.utime(gone[0].parent / "link", (time.time() - 9 * DAY_S,) * 2, follow_symlinks=False)
    dry = result_of(desk, "cleanup", action="temp_files", dryRun=True)
    assert all(one.exists() for one in gone) and (dry["files"], dry["dry_run"]) == (4, True)
    done = result_of(desk, "cleanup", action="temp_files")
    assert done == dry | {"dry_run": False}
    assert done["bytes"] == 15 + len(os.fsencode(outside))  # a link is as long as what it says
    assert set(done["paths"]) == {str(gone[0].parent.parent), str(gone[1].parent), str(gone[2])}
    assert [one for one in gone if one.exists()] == [] and [one for one in kept if not one.exists()] == []
    assert result_of(desk, "file-cleanup", type="temp-files", olderThanDays=2)["files"] == 2
    written = put(library / "2026" / ".written-now.jpg.part", 0)
    assert result_of(desk, "file-cleanup", type="temp-files", olderThanDays=0)["files"] == 0
    assert written.exists(), "somebody may be writing it"


def test_a_staging_folder_that_is_a_link_is_left_alone(desk: Desk, home: Path, tmp_path: Path) -> None:
    theirs = put(tmp_path / "outside" / "upload_1" / "theirs", 900)
    (home / "library" / ".staging").symlink_to(tmp_path / "outside")
    assert result_of(desk, "file-cleanup", type="temp-files", olderThanDays=0)["files"] == 0
    assert theirs.exists()


def test_failed_generations_go_with_their_jobs_and_what_was_recorded_stays(desk: Desk, home: Path) -> None:
    wanted = {"prompt": "A lake", "platforms": ["instagram-post"]}
    good = desk.submit("image-generation", {**wanted, "provider": "placeholder", "generationId": "gen_good"})
    assert desk.wait(good.id, timeout=60).state is State.COMPLETED
    again = desk.submit("image-generation", {**wanted, "generationId": "gen_good"})  # no provider: it fails
    old, new = (desk.submit("image-generation", {**wanted, "generationId": f"gen_{n}"}) for n in ("old", "new"))
    desk.wait(again.id, old.id, new.id, timeout=60)
    with desk.ledger.write() as tx:
        tx.many("UPDATE job SET finished_at = finished_at - ? WHERE id = ?",
                [(31 * DAY_S, one.id) for one in (good, again, old)])  # fmt: skip
    library = home / "library"
    gone = [put(library / ".staging" / old.id / "made.json", 31), put(library / "generated" / "gen_old" / "a.webp", 31)]
    kept = [put(library / ".staging" / new.id / "made.json", 1), put(library / "generated" / "gen_new" / "a.webp", 1)]
    kept += list((library / "generated" / "gen_good").iterdir())
    dry = result_of(desk, "file-cleanup", type="failed-generations", olderThanDays=30, dryRun=True)
    assert (dry["jobs"], dry["files"], dry["bytes"]) == (2, 2, 10) and gone[0].exists() and desk.job(old.id)
    done = result_of(desk, "file-cleanup", type="failed-generations", olderThanDays=30)
    assert done == dry | {"dry_run": False}
    assert not any(one.exists() for one in gone) and all(one.exists() for one in kept) and len(kept) >= 4
    assert {job.id for job in desk.jobs("type:image-generation").jobs} == {good.id, new.id}
    assert desk.undo().jobs == 2 and desk.job(old.id).state is State.FAILED  # for a day


def test_former_logs_go_and_the_one_that_is_written_stays(desk: Desk, home: Path) -> None:
    gone = [put(home / "logs" / "jobdesk.log.3", 31), put(home / "logs" / "jobdesk.log.4", 90)]
    kept = [
        put(home / "logs" / "jobdesk.log.1", 3),
        put(home / "logs" / "mine.log.3", 90),
        home / "logs" / "jobdesk.log",
    ]
    (home / "logs" / "jobdesk.log.5").symlink_to(home / "logs" / "mine.log.3")
    done = result_of(desk, "cleanup", action="remove_old_logs", olderThan="30 days")
    assert (done["files"], done["bytes"]) == (2, 10)
    assert not any(one.exists() for one in gone) and all(one.exists() for one in kept)


def test_all_takes_everything_but_what_people_dropped(desk: Desk, home: Path) -> None:
    gone = [put(home / "logs" / "jobdesk.log.3", 31), put(home / "library" / ".staging" / "upload_old" / "a", 31)]
    dropped = put(home / "inbox" / "_done" / "2020-01-31" / FILE.format("a"), 900)
    done = result_of(desk, "file-cleanup", olderThanDays=30)
    assert set(done["of"]) == {"temp-files", "failed-generations", "old-logs"}
    assert not any(one.exists() for one in gone) and dropped.exists()


def test_ended_files_of_drop_folders_go_by_the_day_of_their_end(desk: Desk, home: Path, tmp_path: Path) -> None:
    today = time.strftime("%Y-%m-%d")
    done_, rejected = home / "inbox" / "_done", home / "inbox" / "_rejected"
    gone = [
        put(rejected / "2020-01-31" / FILE.format("a"), 0),  # the file keeps the time at which it was taken
        put(rejected / "2020-01-31" / (FILE.format("a") + ".error.json"), 0),
    ]
    kept = [
        put(rejected / today / FILE.format("b"), 3000),
        put(rejected / "2020-02-01" / "mine.jpg", 3000),
        put(rejected / "holiday" / FILE.format("c"), 3000),
        put(done_ / "2020-01-31" / FILE.format("d"), 3000),
        put(tmp_path / "outside" / FILE.format("e"), 3000),
    ]
    (rejected / "2020-03-01").symlink_to(tmp_path / "outside")
    done = result_of(desk, "cleanup", type="rejected-files", olderThan="1 week")
    assert (done["files"], done["paths"]) == (2, [str(one) for one in gone])
    assert not gone[0].parent.exists() and all(one.exists() for one in kept)
    assert result_of(desk, "cleanup", type="done-files")["files"] == 1 and not kept[3].exists()


def test_a_wrong_payload_is_refused_when_it_is_submitted(desk: Desk) -> None:
    for data, says in (
        ({"type": "everything"}, "type"),
        ({"olderThan": "some time"}, "is not an age"),
        ({"olderThanDays": -1}, "olderThanDays"),
    ):
        with pytest.raises(JobdeskError, match=says):
            desk.submit("file-cleanup", data)
    both = desk.wait(desk.submit("cleanup", {"olderThan": "1d", "olderThanDays": 1}).id, timeout=60)
    assert both.state is State.FAILED and both.attempt == 1
