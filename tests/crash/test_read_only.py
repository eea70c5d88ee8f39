"""`--read-only`: every change is refused, everything else works, and nothing in the home is touched."""

import argparse
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from jobdesk import Desk, JobdeskError
from jobdesk.cli.main import build
from jobdesk.cli.parsing import Parser
from jobdesk.cli.read_only import changes_nothing, refuse_changes
from jobdesk.core.clock import SystemClock
from jobdesk.core.errors import ReadOnly
from jobdesk.core.job import State
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.read_only import ReadOnlyLedger
from tests.cli.conftest import PROCESSORS
from tests.support.former import former_ledger
from tests.support.home import command, consumer, end, kill, make_home, said, until
from tests.support.lowly import as_nobody, public_folder

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
CHANGES = [
    "init", "submit greet name=Ada", "run -- true", "jobs retry JOB", "jobs cancel JOB", "jobs delete JOB",
    "jobs cancel --query type:greet --yes", "queues pause default", "queues resume default",
    "queues clean default --state failed --older-than 1s", "queues drain default", "dead retry", "dead purge",
    "flows start two name=Ada", "flows cancel FLOW", "flows resume FLOW", "folders scan", "demo",
    "schedules add x --cron @daily --type greet", "schedules remove nightly", "schedules pause nightly",
    "schedules resume nightly", "schedules trigger nightly", "backup BACKUP", "restore BACKUP", "doctor --fix",
    "undo", "undo 1", "processors new x", "audit export BACKUP", "jobs run-now JOB", "jobs hold JOB",
    "jobs release JOB", "jobs first JOB", "jobs pause JOB", "jobs continue JOB", "jobs signal JOB INT",
    "jobs send JOB text", "reset", "folders release NAME --to BACKUP", "folders destroy NAME",
    "jobs priority high JOB", "jobs edit JOB name=Bob", "queues set default --concurrency 2", "services test bank",
    "services open bank", "services close bank", "folders add /tmp --pipeline two", "folders set inbox --pipeline two",
    "folders remove inbox", "alerts ack 1", "alerts silence lag", "alerts unsilence lag", "notify test ops",
    "service install", "service remove", "secrets rotate", "mail test",
    "--consumer", "--consumer --drain",
]  # fmt: skip
LOOKS = [
    "jobs list", "jobs list type:greet text:ada", "jobs show JOB", "jobs logs JOB", "jobs history JOB", "jobs why JOB",
    "jobs wait JOB --timeout 10s", "queues list", "queues show default", "flows list", "flows show FLOW",
    "flows define", "dead list", "dead groups", "schedules list", "schedules next nightly", "folders list",
    "folders files", "processors list", "processors show greet", "assets list", "events", "metrics",
    "metrics --prometheus", "health --detailed", "doctor", "config show", "config check", "config schema",
    "jobs cancel --query type:greet --dry-run", "audit", "audit --since 1d --job JOB", "events --updates",
    "jobs watch JOB", "services list", "services show bank", "folders test TOML", "assets show ASSET", "logs",
    "alerts list", "alerts rules", "notify targets", "notify routes", "service install --dry-run", "secrets check",
    "mail templates", "mail preview welcome name=Ada", "payments list", "referrals list", "referrals stats",
    "completion bash", "folders quarantine",
]  # fmt: skip
LAST = {"serve", "web", "watch", "service status"}
"""Look until they are stopped, or at the system: tests of their own start them with --read-only."""


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


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command that can be said."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for one in action.choices.values():
            yield from leaves(one)


def names(words: str, line: str) -> bool:
    """Whether a line says this command."""
    return f"{line} ".startswith(f"{words} ")


def test_each_command_either_looks_or_is_refused() -> None:
    refused = set()
    for parser in leaves(build()):
        assert isinstance(parser, Parser)
        words = parser.prog.removeprefix("jobdesk ")
        try:
            refuse_changes(argparse.Namespace(parser=parser, read_only=True))
            assert changes_nothing(words)
            assert words in LAST or any(names(words, line) for line in LOOKS), f"{words} is not tried"
        except ReadOnly:
            refused.add(words)
            assert not any(names(words, line) and "--dry-run" not in line for line in LOOKS), words
            assert any(names(words, line) for line in CHANGES), f"{words} is not tried"
    assert {"submit", "run", "init", "restore", "jobs cancel", "queues pause", "dead purge"} <= refused


@pytest.mark.parametrize("words", CHANGES)
def test_a_change_is_refused_before_anything_is_touched(home: Path, words: str) -> None:
    before = tree(home)
    said_words = filled_in(home, words)
    for line in (["--read-only", *said_words], _after(said_words)):
        answer = said(home, *line)
        assert (answer.code, answer.out, answer.error.count("\n")) == (2, "", 1), answer
        assert "--read-only" in answer.error
    assert tree(home) == before
    assert not (home.parent / "copy.db").exists()


def _after(words: Sequence[str]) -> list[str]:
    """The same with --read-only behind the command, as far as its words are its own."""
    own = words.index("--") if "--" in words else len(words)
    return [*words[:own], "--read-only", *words[own:]]


def check_looks(home: Path, which: Sequence[str] = LOOKS) -> None:
    before = tree(home)
    for words in which:
        answer = said(home, "--read-only", *filled_in(home, words))
        assert (answer.code == 0 or words.startswith(("doctor", "health"))) and not answer.error, (words, answer)
    assert tree(home) == before


def test_all_that_looks_works_and_leaves_no_trace(home: Path) -> None:
    check_looks(home)


def test_it_works_on_a_read_only_file_system(used: Path, small_disk: Path) -> None:
    home = Path(shutil.copytree(used, small_disk / "home"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    check_looks(home)


@pytest.mark.parametrize("shared", [True, False])
def test_what_a_killed_program_left_in_the_wal_is_read_there_too(used: Path, small_disk: Path, shared: bool) -> None:
    home = Path(shutil.copytree(used, small_disk / "home"))
    script = (
        f"import os; from jobdesk import Desk; print(Desk({str(home)!r}).submit('refuse').id, flush=True); os._exit(0)"
    )
    id_ = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert (home / "jobdesk.db-wal").stat().st_size > 0
    if not shared:
        (home / "jobdesk.db-shm").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    before = tree(home)
    shown = said(home, "--read-only", "jobs", "show", id_, "--json")
    assert (shown.code, shown.json["state"]) == (0, "pending"), shown
    assert tree(home) == before


def test_it_works_without_the_right_to_write(used: Path) -> None:
    with public_folder() as folder:
        home = Path(shutil.copytree(used, folder / "home"))
        for path in [home, *home.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        looks = [words for words in LOOKS if not words.startswith("config")]
        lines = [["--read-only", *filled_in(home, words)] for words in looks]
        for line in lines:
            said(home, *line)  # as root, so that all modules are there
        shutil.rmtree(home / "processors" / "__pycache__", ignore_errors=True)
        before = tree(home)
        answers = as_nobody(lambda: [(answer.code, answer.error) for answer in (said(home, *line) for line in lines)])
        wrong = [
            (words, code, error)
            for words, (code, error) in zip(looks, answers, strict=True)
            if error or (code and not words.startswith(("doctor", "health")))
        ]
        assert wrong == []
        assert tree(home) == before


def test_no_home_is_made(tmp_path: Path) -> None:
    answer = said(tmp_path / "none", "--read-only", "jobs", "list")
    assert (answer.code, answer.out, answer.error.count("\n")) == (5, "", 1)
    assert "there is no jobdesk home" in answer.error
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_of_an_older_version_stays_as_it_is(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    former_ledger(home / "jobdesk.db", 1)
    before = tree(home)
    answer = said(home, "--read-only", "jobs", "list")
    assert (answer.code, answer.error.count("\n")) == (5, 1)
    assert "without --read-only" in answer.error
    assert tree(home) == before


def test_a_desk_that_only_reads_refuses_every_method_that_changes(home: Path) -> None:
    before = tree(home.parent)
    with Desk(home, read_only=True) as desk:
        assert desk.consumers() == []
        (job,) = desk.jobs("type:refuse").jobs
        for change in (
            lambda: desk.submit("greet", {"name": "Ada"}),
            lambda: desk.retry(job.id),
            lambda: desk.delete(job.id),
            lambda: desk.pause("default"),
            lambda: desk.start_flow("two", {"name": "Ada"}),
            lambda: desk.add_schedule("x", "greet", cron="@daily", data={"name": "Ada"}),
            lambda: desk.engine("consumer"),
            lambda: desk.submit("keeps_secret", {"word": "hush"}),
            lambda: desk.backup(home.parent / "copy.db"),
            lambda: desk.add_folder(home.parent / "drop", "VIRUS_SCAN"),
            lambda: desk.prune(older_than=1),
            lambda: desk.archive(older_than=1),
            lambda: desk.clean("default", State.FAILED, 2e9),
            lambda: desk.silence("lag", "1h"),
            lambda: desk.open_service("bank"),
        ):
            with pytest.raises(ReadOnly, match="--read-only"):
                change()
    assert tree(home.parent) == before


def test_what_others_do_meanwhile_is_seen(home: Path) -> None:
    """The reader is open before anybody writes, while they do, and after they are gone."""
    reader = ReadOnlyLedger(home / "jobdesk.db", SystemClock())
    seen = reader.version()

    def count() -> int:
        row = reader.row("SELECT count(*) FROM job")
        assert row is not None
        return int(row[0])

    first = count()
    for round_ in range(1, 4):
        writer = Desk(home)
        writer.submit("greet", {"name": "Ada"})
        assert count() == first + 2 * round_ - 1
        writer.submit("greet", {"name": "Bob"})
        assert count() == first + 2 * round_
        assert reader.version() != seen
        writer.close()
        assert count() == first + 2 * round_
        seen = reader.version()
    reader.close()


def test_each_read_is_of_one_state_while_writers_come_and_go(home: Path) -> None:
    file, over, wrong = home / "jobdesk.db", threading.Event(), list[object]()
    reader = ReadOnlyLedger(file, SystemClock())

    def read() -> None:
        try:
            while not over.is_set():
                row = reader.row("SELECT (SELECT count(*) FROM job), (SELECT sum(n) FROM tally)")
                if row is None or row[0] != row[1]:
                    wrong.append(row)
        except JobdeskError as error:
            wrong.append(error)
        finally:
            reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    script = (
        "import sys; from jobdesk import Desk, Submission\n"
        f"for _ in range(15):\n    desk = Desk({str(home)!r})\n"
        "    desk.submit_batch([Submission(type='refuse') for _ in range(40)])\n    desk.close()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    over.set()
    thread.join(60)
    assert wrong == []
    check = Ledger(file, SystemClock())
    assert check.row("SELECT count(*) FROM job WHERE type = 'refuse' AND state = 'pending'") == (600,)
    check.close()


def test_waiting_and_following_see_a_consumer_at_work(home: Path) -> None:
    desk = Desk(home)
    id_ = desk.submit("greet", {"name": "Zoe"}, delay="1s").id
    desk.close()
    words = [
        sys.executable,
        "-m",
        "jobdesk",
        "--home",
        str(home),
        "--read-only",
        "jobs",
        "wait",
        id_,
        "--timeout",
        "60s",
    ]
    waiting = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    worker = consumer(home)
    try:
        assert waiting.wait(90) == 0, waiting.communicate()
        listed = command(home, "jobs", "list", "id:" + id_, "--read-only", "--json")
        assert listed.json[0]["state"] == "completed"
        pid = str(worker.pid)
        until(lambda: pid in command(home, "health", "--detailed", "--json", "--read-only").out)
    finally:
        kill(worker)
        end(waiting, worker)
    assert os.path.lexists(home / "jobdesk.db-wal")
    assert command(home, "--read-only", "jobs", "list").code == 0
