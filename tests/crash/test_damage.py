"""A damaged ledger is refused in one sentence with the mend by every command that meets the damage; none adds to it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.submission import Submission
from tests.support import counting, witness
from tests.support.home import consumer, kill, make_home, said, until

PAGE = 4096
COMMANDS = [
    "jobs list", "jobs show job_0", "jobs why job_0", "jobs retry job_0", "jobs delete job_0 --yes", "queues list",
    "queues pause default", "dead list", "dead groups", "flows list", "schedules list", "folders list", "assets list",
    "submit quick", "events", "metrics", "doctor", "backup backup.db",
]  # fmt: skip
MEND = "restore a backup with `jobdesk restore FILE`"


def header(good: bytes) -> bytes:
    return os.urandom(100) + good[100:]


def schema(good: bytes) -> bytes:
    return good[:100] + os.urandom(PAGE - 100) + good[PAGE:]


def cut(good: bytes) -> bytes:
    return good[: len(good) // 2 + 100]


def empty(good: bytes) -> bytes:
    return b""


def middle(good: bytes) -> bytes:
    third = len(good) // PAGE // 3 * PAGE
    return good[:third] + os.urandom(third) + good[2 * third :]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with 200 waiting jobs, all in the one file, and a backup of it beside."""
    witness.prepare(tmp_path)
    made = make_home(tmp_path, witness.PROCESSORS)
    desk = Desk(made)
    desk.submit_batch([Submission(type="quick")] * 200)
    desk.close()
    shutil.copy(made / "jobdesk.db", tmp_path / "good.db")
    return made


@pytest.mark.parametrize("damage", [header, schema, cut, empty], ids=lambda one: one.__name__)
def test_every_command_refuses_a_ledger_that_cannot_be_opened(
    home: Path, damage: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    monkeypatch.setattr("jobdesk.ledger.migrating.FIRST_START_S", 0.02)  # nobody starts beside us
    broken = damage((home / "jobdesk.db").read_bytes())
    (home / "jobdesk.db").write_bytes(broken)
    for words in COMMANDS:
        refused = said(home, *words.split())
        assert (refused.code, refused.out, refused.error.count("\n")) == (5, "", 1), words
        assert MEND in refused.error
        assert (home / "jobdesk.db").read_bytes() == broken
        assert sorted(path.name for path in home.glob("jobdesk.db*")) == ["jobdesk.db"], words
    told = said(home, "health", "--json")  # it answers also of a home that is in no good health
    assert (told.code, told.json["checks"]["home"]) == (2, False) and MEND in told.out
    assert (home / "jobdesk.db").read_bytes() == broken
    if damage is header:
        worker = consumer(home)
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 5
        assert MEND in errors.decode()
    restored = said(home, "restore", str(home.parent / "good.db"), "--json")
    assert (restored.code, restored.json["jobs"]) == (0, 200)
    assert Path(restored.json["kept"]).read_bytes() == broken
    assert counting.wrong(home, [], whole=True) == []


def test_damage_in_the_middle_stops_what_meets_it_with_the_mend(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not read the damaged pages may work on; the doctor, a backup and a consumer always meet them."""
    monkeypatch.chdir(home.parent)
    (home / "jobdesk.db").write_bytes(middle((home / "jobdesk.db").read_bytes()))
    codes = {}
    for words in COMMANDS:
        answer = said(home, *words.split())
        codes[words] = answer.code
        assert "something went wrong inside" not in answer.error, words
        if answer.code == 5:
            assert answer.error.count("\n") == 1
            assert MEND in answer.error
        if words == "doctor":
            assert MEND in answer.out + answer.error
    assert codes["doctor"] in (1, 5)
    assert codes["backup backup.db"] == 5
    assert not Path("backup.db").exists()
    worker = consumer(home, "--drain")
    _, errors = worker.communicate(timeout=60)
    assert worker.returncode == 5, errors
    assert MEND in errors.decode()
    assert said(home, "restore", "good.db").code == 0
    assert counting.wrong(home, [], whole=True) == []


@pytest.mark.parametrize("keep", [40_000, *(pytest.param(at, marks=pytest.mark.soak) for at in (0, 1, 100_003))])
def test_a_wal_that_was_cut_off_leaves_a_sound_earlier_state(home: Path, keep: int) -> None:
    """What a cut took is lost with the disk that cut it; what stood before it is whole, and work goes on."""
    reader = sqlite3.connect(home / "jobdesk.db")
    reader.execute("SELECT count(*) FROM job").fetchone()  # whoever has it open keeps the -wal from being folded in
    desk = Desk(home)
    later = [desk.submit("quick").id for _ in range(20)]
    desk.close()
    image = {suffix: (home / f"jobdesk.db{suffix}").read_bytes() for suffix in ("", "-wal")}
    reader.close()
    assert len(image["-wal"]) > 100_003
    for path in home.glob("jobdesk.db*"):
        path.unlink()
    (home / "jobdesk.db").write_bytes(image[""])
    (home / "jobdesk.db-wal").write_bytes(image["-wal"][:keep])
    there = [id_ for id_ in later if id_ in counting.states(home)]
    assert there == later[: len(there)]  # the first so many, none after a gap
    assert counting.wrong(home, there, whole=True) == []
    assert counting.doctor(home) == []
    assert consumer(home, "--drain").wait(120) == 0
    assert counting.wrong_at_the_end(home, there) == []


def test_a_ledger_that_is_gone_is_begun_anew_and_said(tmp_path: Path) -> None:
    home = make_home(tmp_path, "")
    assert said(home, "jobs", "list").error == ""  # a home that is new has lost nothing
    worker = consumer(home)
    until((home / "logs" / "jobdesk.log").exists)
    kill(worker)
    for name in ("jobdesk.db", "jobdesk.db-wal", "jobdesk.db-shm"):
        (home / name).unlink(missing_ok=True)
    answer = said(home, "jobs", "list")
    assert answer.code == 0
    assert "jobdesk.db was gone" in answer.error and "jobdesk restore FILE" in answer.error
    assert "was gone" in (home / "logs" / "jobdesk.log").read_text()
    assert said(home, "jobs", "list").error == ""
