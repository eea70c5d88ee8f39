"""A backup made while jobs run is one sound state; a restore takes it, keeps what was, and loses nothing."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from tests.support import counting, witness
from tests.support.home import command, consumer, kill, lines, make_home, said, until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    witness.prepare(tmp_path)
    return make_home(tmp_path, witness.PROCESSORS, "[desk]\nworkers = 3\n")


def submit(home: Path, *types: str) -> list[str]:
    desk = Desk(home)
    ids = [desk.submit(type_).id for type_ in types]
    desk.close()
    return ids


def test_a_backup_under_load_is_sound_and_what_ran_then_runs_again_after_a_restore(home: Path) -> None:
    worker = consumer(home)
    words = [sys.executable, "-m", "tests.support.submitter", str(home), "5", "80"]
    with subprocess.Popen(words) as submitter:
        until(lambda: len(lines(home.parent / "stored")) > 30)
        stored_before = list(lines(home.parent / "stored"))
        made = command(home, "backup", str(home.parent / "copy.db"), "--json")
        assert made.code == 0, made.error
        submitter.wait(60)
    submit(home, "quick")
    kill(worker)
    stored = lines(home.parent / "stored")
    assert len(stored_before) <= made.json["jobs"] < 2 * len(stored)

    done = command(home, "restore", str(home.parent / "copy.db"), "--json")
    assert done.code == 0, done.error
    answer = done.json
    assert answer["jobs"] == made.json["jobs"]
    assert answer["missing_jobs"] > 0
    assert set(stored_before) <= counting.states(home).keys()
    assert "processing" not in counting.states(home).values()
    assert counting.doctor(home) == []
    with counting.ledger(home) as ledger:
        assert ledger.execute("SELECT count(*) FROM consumer WHERE stopped_at IS NULL").fetchone() == (0,)

    assert consumer(home, "--drain").wait(120) in (0, 3)
    assert set(counting.states(home).values()) == {"completed", "failed"}
    assert counting.wrong_at_the_end(home, stored_before) == []
    kept = Path(answer["kept"])
    kept.rename(home / "jobdesk.db")  # the former one is whole, with what was only in its -wal
    (kept.parent / f"{kept.name}-wal").rename(home / "jobdesk.db-wal")
    assert counting.wrong(home, stored, whole=True) == []


def test_what_ran_when_the_backup_was_made_goes_back_with_its_attempt(home: Path) -> None:
    desk = Desk(home)
    job = desk.submit("slow", {"ms": 1500}, retries=0)
    worker = consumer(home)
    until(lambda: lines(home.parent / "trace"))
    desk.close()
    assert said(home, "backup", str(home.parent / "copy.db")).code == 0
    kill(worker)
    done = said(home, "restore", str(home.parent / "copy.db"), "--json")
    assert done.json["given_back"] == 1
    desk = Desk(home)
    back = desk.job(job.id)
    assert (back.state, back.attempt) == (State.PENDING, 0)
    with desk:
        assert desk.wait(job.id, timeout=60).state is State.COMPLETED
    assert consumer(home, "--drain").wait(120) == 0  # it looks at the rules of alerts before it ends
    assert [one.rule for one in desk.alerts() if one.rule == "worker-lost"] == []


def test_a_restore_refuses_while_somebody_works_and_names_it(home: Path) -> None:
    (id_,) = submit(home, "quick")
    copy = home.parent / "copy.db"
    assert command(home, "backup", str(copy)).code == 0
    worker = consumer(home)
    until(lambda: counting.states(home)[id_] == "completed")
    for damaged in (False, True):
        if damaged:  # even where the ledger cannot say any more who works on it
            _overwrite(home / "jobdesk.db", 0, b"garbage" * 600)
        before = (home / "jobdesk.db").read_bytes()
        refused = command(home, "restore", str(copy))
        assert refused.code == 1
        assert f"consumer {worker.pid}" in refused.error or damaged
        assert refused.error.endswith("end it first; nothing was changed\n")
        assert (home / "jobdesk.db").read_bytes() == before
    kill(worker)
    done = command(home, "restore", str(copy), "--json")
    assert (done.code, done.json["missing_jobs"]) == (0, None)
    assert counting.states(home) == {id_: "pending"}
    assert Path(done.json["kept"]).read_bytes() == before


def test_a_restore_waits_for_no_program_that_only_reads_and_refuses_it_too(home: Path) -> None:
    submit(home, "quick")
    assert command(home, "backup", str(home.parent / "copy.db")).code == 0
    reader = Desk(home)
    reader.queues()
    refused = command(home, "restore", str(home.parent / "copy.db"), "--json")
    assert refused.code == 1
    assert '"code": "refused"' in refused.error
    reader.close()
    assert command(home, "restore", str(home.parent / "copy.db")).code == 0


def test_a_restore_into_a_new_home_needs_nothing_else(home: Path, tmp_path: Path) -> None:
    (id_,) = submit(home, "quick")
    copy = tmp_path / "copy.db"
    assert said(home, "backup", str(copy)).code == 0
    other = tmp_path / "other"
    done = said(other, "restore", str(copy), "--json")
    assert (done.code, done.json["kept"]) == (0, None)
    assert counting.states(other) == {id_: "pending"}
    assert (other / "jobdesk.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_never_replaces_what_is_no_backup_nor_a_good_one_by_a_bad_one(home: Path, tmp_path: Path) -> None:
    submit(home, "quick")
    copy, letter = tmp_path / "copy.db", tmp_path / "letter.txt"
    letter.write_text("Dear Ada")
    for wrong, says in (
        (letter, "is not a backup of jobdesk"),
        (tmp_path, "is a folder"),
        (tmp_path / "nowhere" / "copy.db", "there is no folder"),
        (home / "jobdesk.db", "is the ledger itself"),
        (home / "jobdesk.db-wal", "is the ledger itself"),
    ):
        (home / "jobdesk.db-wal").touch()
        refused = said(home, "backup", str(wrong))
        assert refused.code == 2, refused
        assert says in refused.error
    assert letter.read_text() == "Dear Ada"
    assert said(home, "backup", str(copy)).code == 0
    good = copy.read_bytes()
    submit(home, *["quick"] * 50)
    assert said(home, "jobs", "list").code == 0  # closes the ledger: all of it is in the one file
    size = (home / "jobdesk.db").stat().st_size
    _overwrite(home / "jobdesk.db", size // 2, os.urandom(8192))
    refused = said(home, "backup", str(copy))
    assert (refused.code, refused.error.count("\n")) == (5, 1)
    assert "is damaged" in refused.error
    assert copy.read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "home", "letter.txt", "locks", "trace"]


def test_a_restore_refuses_what_it_cannot_trust_and_changes_nothing(home: Path, tmp_path: Path) -> None:
    submit(home, *["quick"] * 50)
    copy = tmp_path / "copy.db"
    assert said(home, "backup", str(copy)).code == 0
    good, before = copy.read_bytes(), (home / "jobdesk.db").read_bytes()
    half = len(good) // 2
    for name, content, code, says in (
        ("missing.db", None, 4, "there is no backup"),
        ("empty.db", b"", 1, "is damaged (it is empty)"),
        ("letter.txt", b"Dear Ada, " * 500, 1, "is damaged (file is not a database)"),
        ("cut.db", good[:half], 1, "is damaged"),
        ("rotten.db", good[:half] + os.urandom(8192) + good[half + 8192 :], 1, "is damaged"),
    ):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        refused = said(home, "restore", str(file))
        assert (refused.code, refused.error.count("\n")) == (code, 1), refused
        assert says in refused.error
        assert (home / "jobdesk.db").read_bytes() == before
        assert not (home / "jobdesk.db.restoring").exists()
    assert said(home, "restore", str(home / "jobdesk.db")).code == 2


def test_a_restore_that_was_cut_short_is_finished_by_another(home: Path, tmp_path: Path) -> None:
    (id_,) = submit(home, "quick")
    copy = tmp_path / "copy.db"
    assert said(home, "backup", str(copy)).code == 0
    (home / "jobdesk.db").rename(home / "jobdesk.db.before-restore-1")  # where kill -9 may leave it
    (home / "jobdesk.db.restoring").write_bytes(copy.read_bytes()[:5000])
    refused = said(home, "jobs", "list")
    assert refused.code == 5
    assert "was cut short: run `jobdesk restore FILE` again" in refused.error
    assert said(home, "restore", str(copy)).code == 0
    assert counting.states(home) == {id_: "pending"}


def dies(number: int, home: Path, *words: str) -> bool:
    """Whether a command was killed before the nth change of a name; False if it came to its end."""
    words = ("tests.support.dies", str(number), "--home", str(home), *words)
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, check=False).returncode == -9


def all_jobs(home: Path) -> set[str]:
    """Ids of the jobs in the ledger and in what restores have kept."""
    found: set[str] = set()
    for path in home.glob("jobdesk.db*"):
        if path.suffix == ".db" or (".before-restore-" in path.name and not path.name.endswith(("-wal", "-shm"))):
            with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
                found |= {id_ for (id_,) in connection.execute("SELECT id FROM job")}
    return found


def a_restore_dies(home: Path, number: int) -> bool:
    """Kill a restore at one point, look at what is left, and finish it; False if that point is never reached."""
    (old,) = submit(home, "quick")
    copy = home.parent / "copy.db"
    assert said(home, "backup", str(copy)).code == 0
    script = (
        f"import os; from jobdesk import Desk; print(Desk({str(home)!r}).submit('quick').id, flush=True); os._exit(0)"
    )
    new = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert (home / "jobdesk.db-wal").stat().st_size > 0  # the new job is only there
    if not dies(number, home, "restore", str(copy)):
        return False
    left = said(home, "jobs", "list")
    if left.code == 5:
        assert "a restore of" in left.error
        assert "was cut short: run `jobdesk restore FILE` again" in left.error
    else:
        assert old in left.out
    assert said(home, "restore", str(copy)).code == 0
    assert counting.states(home) == {old: "pending"}
    assert counting.wrong(home, [old], whole=True) == []
    assert all_jobs(home) == {old, new}
    return True


def test_a_restore_that_is_killed_between_two_renames_loses_nothing(home: Path) -> None:
    assert a_restore_dies(home, 9)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, 20))
def test_a_restore_that_is_killed_anywhere_loses_nothing(home: Path, number: int) -> None:
    assert a_restore_dies(home, number) or number > 9


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, 8))
def test_a_backup_that_is_killed_anywhere_leaves_the_former_one(home: Path, number: int) -> None:
    submit(home, "quick")
    copy = home.parent / "copy.db"
    assert said(home, "backup", str(copy)).code == 0
    submit(home, "quick")
    killed = dies(number, home, "backup", str(copy))
    there = said(home.parent / "other", "restore", str(copy), "--json")
    assert (there.code, there.json["jobs"]) == (0, 1 if killed else 2)
    assert said(home, "backup", str(copy)).code == 0
    assert [path.name for path in home.parent.glob("*copy.db*")] == ["copy.db"]


def _overwrite(file: Path, at: int, content: bytes) -> None:
    with file.open("rb+") as stream:
        stream.seek(at)
        stream.write(content)
