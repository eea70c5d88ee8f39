"""A home in which all kinds of things lie, and what of it anybody has touched."""

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import PROCESSORS
from tests.support.home import make_home

MORE = """
from jobdesk import Secret

@processor("keeps_secret", isolation="thread")
def keeps_secret(ctx: Context, word: Secret[str]) -> None:
    "Does nothing with it."

@processor("keeps", isolation="thread")
def keeps(ctx: Context) -> None:
    ctx.asset({"id": "asset_1", "name": "a.txt", "type": "text/plain", "sha256": "0" * 64, "bytes": 1})
"""
SETTINGS = """
[services.bank]
url = "http://127.0.0.1:9"

[[flows]]
name = "two"
[[flows.steps]]
name = "one"
type = "greet"
data = { name = "{input.name}" }

[[schedules]]
name = "nightly"
type = "greet"
cron = "@daily"
data = { name = "Eve" }
"""


_SCRIPT = """
import sys
from jobdesk import Desk
with Desk(sys.argv[1]) as desk:
    desk.wait(desk.submit("greet", {"name": "Ada"}).id, timeout=60)
    desk.wait_flow(desk.start_flow("two", {"name": "Bob"}).id, timeout=60)
    desk.wait(desk.submit("refuse").id, desk.submit("keeps").id, timeout=60)
    desk.submit("greet", {"name": "later"}, delay="1d")
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a few things have happened; nobody has it open."""
    made = make_home(tmp_path_factory.mktemp("used"), PROCESSORS + MORE, SETTINGS)
    subprocess.run([sys.executable, "-c", _SCRIPT, str(made)], check=True, timeout=180)
    shutil.rmtree(made / "processors" / "__pycache__", ignore_errors=True)
    assert not (made / "jobdesk.db-wal").exists()
    return made


@pytest.fixture
def home(used: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used, tmp_path / "home"))


def filled_in(home: Path, words: str) -> list[str]:
    """The words of a command, with ids of what there is."""
    with closing(sqlite3.connect(f"file:{home / 'jobdesk.db'}?mode=ro&immutable=1", uri=True)) as found:
        (job,) = found.execute("SELECT id FROM job WHERE state = 'completed' LIMIT 1").fetchone()
        (flow,) = found.execute("SELECT id FROM flow WHERE name = 'two'").fetchone()
    places = {"BACKUP": str(home.parent / "copy.db"), "TOML": str(home / "jobdesk.toml")}
    known = places | {"JOB": job, "FLOW": flow, "ASSET": "asset_1"}
    return [known.get(word, word) for word in words.split()]


def tree(home: Path) -> dict[str, tuple[int, int, str]]:
    """All that lies in the home: mode, time of change and content."""
    return {
        str(path.relative_to(home)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [home, *home.rglob("*")]
    }
