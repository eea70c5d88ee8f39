"""`--read-only`: every change is refused, everything else works, and nothing in the home is touched."""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobdesk.cli.main import build
from jobdesk.cli.parsing import Parser
from jobdesk.cli.read_only import changes_nothing, refuse_changes
from jobdesk.core.errors import ReadOnly
from tests.crash.read_only.conftest import filled_in, tree
from tests.support.home import said
from tests.support.lowly import as_nobody, public_folder

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
