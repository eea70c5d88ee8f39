"""A home is its owner's alone: what jobdesk makes is private, and what others could write is refused."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core import privacy
from tests.support.home import make_home, said
from tests.support.lowly import UID, as_nobody, public_folder

PROCESSORS = """
from jobdesk import Context, processor

@processor("leave")
def leave(ctx: Context) -> None:
    "Leave something behind."
    (ctx.workdir / "note.txt").write_text("note")
    ctx.log.info("done")
"""


def test_all_that_jobdesk_makes_is_private_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = [sys.executable, "-m", "jobdesk", "--home", str(home)]

    def say(*more: str) -> None:
        done = subprocess.run([*words, *more], capture_output=True, text=True, umask=0, check=False, timeout=120)
        assert done.returncode == 0, done

    say("init")
    (home / "processors" / "own.py").write_text(PROCESSORS)
    say("submit", "leave")
    say("submit", "leave", "--delay", "1d")
    say("--consumer", "--drain")
    say("backup", str(tmp_path / "copy.db"))
    say("restore", str(tmp_path / "copy.db"))
    desk = Desk(home)  # -wal and -shm are there as long as somebody has it open
    desk.submit("leave")
    made = {path for path in [home, *home.rglob("*"), tmp_path / "copy.db"] if "processors/" not in str(path)}
    assert {home / name for name in ("jobdesk.toml", "jobdesk.db-wal", "jobdesk.db-shm", "logs/jobdesk.log")} < made
    assert [str(path) for path in privacy.looser(made)] == []
    desk.close()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("", 0o777), ("", 0o770), ("", 0o1777), ("jobdesk.db", 0o660), ("jobdesk.db", 0o606), ("jobdesk.toml", 0o664),
        ("processors", 0o775), ("jobdesk.db-wal", 0o666),
    ],
)  # fmt: skip
def test_what_others_may_write_is_refused_with_the_command_that_mends_it(tmp_path: Path, name: str, mode: int) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    assert said(home, "jobs", "list").code == 0
    desk = Desk(home)
    desk.submit("leave")
    (home / name).chmod(mode)
    for words in (["jobs", "list"], ["submit", "leave"], ["--consumer", "--drain"], ["--read-only", "jobs", "list"]):
        refused = said(home, *words)
        assert (refused.code, refused.out, refused.error.count("\n")) == (5, "", 1), refused
        assert f"others may write to {home / name} (mode {mode:o})" in refused.error.replace(f"{home}/ ", f"{home} ")
    _, mend, _ = refused.error.split("`")
    subprocess.run(shlex.split(mend), check=True)
    assert said(home, "jobs", "list").code == 0
    desk.close()


def test_a_processor_that_others_may_write_is_refused_unless_they_cannot_get_there(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    (home / "processors" / "own.py").chmod(0o666)
    assert said(home, "jobs", "list").code == 0  # the home is closed
    home.chmod(0o755)
    refused = said(home, "jobs", "list")
    assert refused.code == 5
    assert "own.py" in refused.error


def test_an_empty_folder_that_others_may_write_becomes_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    assert said(home, "jobs", "list").code == 0
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_planted_processors_is_not_taken_for_a_home(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    home.chmod(0o777)
    assert said(home, "jobs", "list").code == 5
    assert not (home / "jobdesk.db").exists()


@pytest.mark.parametrize("part", ["", "jobdesk.db", "jobdesk.toml", "processors"])
def test_what_belongs_to_another_user_is_refused_even_to_root(tmp_path: Path, part: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    assert said(home, "jobs", "list").code == 0
    os.chown(home / part, 4321, 4321)
    refused = said(home, "jobs", "list")
    assert (refused.code, refused.error.count("\n")) == (5, 1)
    assert "belongs to 4321" in refused.error
    _, mend, _ = refused.error.split("`")
    subprocess.run(shlex.split(mend), check=True)
    assert said(home, "jobs", "list").code == 0


def test_a_user_may_use_what_is_his_or_roots_and_nothing_of_others() -> None:
    with public_folder() as folder:
        own, others, roots = (make_home(folder / name, PROCESSORS) for name in ("own", "others", "roots"))
        _given(own, UID)
        _given(others, 4321)
        for path in [others, roots, *others.rglob("*"), *roots.rglob("*")]:
            path.chmod(0o755)
        assert said(roots, "submit", "leave").code == 0
        for path in (roots, roots / "jobdesk.db"):
            path.chmod(path.stat().st_mode | 0o055)
        shutil.rmtree(roots / "processors" / "__pycache__", ignore_errors=True)

        def work(home: Path, *words: str) -> Callable[[], tuple[int, str]]:
            def run() -> tuple[int, str]:
                answer = said(home, *words)
                return answer.code, answer.error

            return run

        assert as_nobody(work(own, "submit", "leave")) == [0, ""]
        code, error = as_nobody(work(others, "submit", "leave"))
        assert code == 5
        assert "belongs to 4321" in error
        assert as_nobody(work(roots, "--read-only", "jobs", "list")) == [0, ""]
        code, error = as_nobody(work(roots, "jobs", "list"))
        assert code == 5
        assert error.count("\n") == 1


def _given(home: Path, uid: int) -> None:
    for path in [home.parent, home, *home.rglob("*")]:
        os.chown(path, uid, uid)
