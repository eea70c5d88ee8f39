"""An archive that is killed at any moment has lost no job, and archives none twice."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import BackupError, Refused
from tests.support.home import DEADLINE_S, make_home

PROCESSORS = '''
from jobdesk import Context, processor

@processor("tick", isolation="thread")
def tick(ctx: Context, n: int) -> int:
    """Ticks."""
    return n
'''
JOBS = 35


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = make_home(tmp_path, PROCESSORS)
    with Desk(home) as desk:
        desk.wait(*[desk.submit("tick", {"n": n}).id for n in range(JOBS)], timeout=60)
    return home


def in_files(home: Path) -> list[str]:
    files = sorted((home / "archive").glob("jobs-*.ndjson.gz"))
    return [json.loads(line)["id"] for file in files for line in gzip.open(file, "rt")]


def in_ledger(desk: Desk) -> set[str]:
    return {job.id for job in desk.jobs(limit=100).jobs}


@pytest.mark.parametrize(("where", "count"), [("writing", 1), ("writing", 35), ("removing", 1), ("removing", 3)])
def test_a_killed_archive_is_taken_up_where_it_was(home: Path, where: str, count: int) -> None:
    words = [sys.executable, "-m", "tests.support.archiver", str(home), where, str(count)]
    assert subprocess.run(words, timeout=DEADLINE_S, check=False).returncode == -9
    desk = Desk(home)
    try:
        left = in_ledger(desk)
        assert len(left) == (15 if (where, count) == ("removing", 3) else JOBS)
        assert in_files(home) == []  # none is done
        assert len(list((home / "archive").glob("*.pending"))) == (where == "removing")
        done = desk.archive(older_than=0.0)
        assert sum(one["jobs"] for one in done["files"]) == JOBS and done["jobs"] == len(left)
        assert in_ledger(desk) == set() and len(set(in_files(home))) == len(in_files(home)) == JOBS
        assert sorted(one.suffix for one in (home / "archive").iterdir()) == [".gz"]
    finally:
        desk.close()


def test_a_job_that_runs_again_after_it_was_read_stays(home: Path) -> None:
    desk = Desk(home)
    try:
        first = desk.jobs(limit=1).jobs[0].id
        told = []

        def tell(jobs: int) -> None:
            told.append(jobs)
            if len(told) == JOBS:  # all are written
                desk.retry(first)

        (file,) = desk.archive(older_than=0.0, told=tell)["files"]
        assert (file["jobs"], file["removed"]) == (JOBS, JOBS - 1)
        assert in_ledger(desk) == {first} and desk.job(first).state == "pending"
    finally:
        desk.close()


def test_two_do_not_archive_at_once_and_a_damaged_file_keeps_its_jobs_in_the_ledger(home: Path) -> None:
    desk = Desk(home)
    try:

        def tell(jobs: int) -> None:
            with pytest.raises(Refused, match="another job archives"):
                desk.archive(older_than=0.0)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            desk.archive(older_than=0.0, told=tell)
        assert list((home / "archive").iterdir()) == [] and len(in_ledger(desk)) == JOBS
        damaged = home / "archive" / "jobs-20260101T000000Z.ndjson.gz.pending"
        damaged.write_bytes(gzip.compress(b'{"id": "x"}\n' * 1000)[:-9])
        with pytest.raises(BackupError, match=r"is damaged .* move the file away"):
            desk.archive(older_than=0.0)
        assert len(in_ledger(desk)) == JOBS and damaged.exists()
    finally:
        desk.close()
