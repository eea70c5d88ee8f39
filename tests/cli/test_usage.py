"""Wrong words, exit codes, and options in any order."""

import json
from pathlib import Path

import pytest

from jobdesk.cli.main import main
from tests.cli.conftest import Say


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["jbos"], "did you mean 'jobs'?"),
        (["jobs", "lst"], "did you mean 'list'?"),
        (["jobs"], "list | show | logs"),
        (["jobs", "list", "--limt", "3"], "did you mean '--limit'?"),
        (["jobs", "list", "--limit", "0"], "whole number"),
        (["jobs", "list", "state:foo"], "'foo' is not a state"),
        (["jobs", "show"], "ID is missing"),
        (["jobs", "show", "a", "b"], "one word too many"),
        (["jobs", "cancel"], "say which jobs"),
        (["submit"], "which job type"),
        (["submit", "greet", "name"], "key=value"),
        (["submit", "greet", "nam=ada"], "did you mean 'name'?"),
        (["submit", "gret", "name=ada"], "did you mean 'greet'?"),
        (["submit", "greet", "--data", "[1]"], "a list"),
        (["submit", "greet", "name=ada", "--delay", "soon"], "not a duration"),
        (["submit", "greet", "name=ada", "--at", "soon"], "not an instant"),
        (["submit", "greet", "name=ada", "--delay", "1s", "--at", "2030-01-01"], "not allowed with"),
        (["run"], "say what to run"),
        (["--drain"], "--consumer --drain"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_exit_code_2(say: Say, words: list[str], says: str) -> None:
    answer = say(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("jobdesk: ") and answer.err.count("\n") == 1
    assert says in answer.err


def test_an_error_is_json_with_json(say: Say) -> None:
    answer = say("jobs", "show", "job_0NOBODY", "--json")
    assert answer.code == 4
    error = json.loads(answer.err)["error"]
    assert error["code"] == "not_found" and "job_0NOBODY" in error["message"]
    assert json.loads(say("jobs", "lst", "--json").err)["error"]["code"] == "usage"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["queues", "show", "nowhere"], 4),
        (["queues", "pause", "nowhere"], 4),
        (["jobs", "show", "\udcff"], 4),  # a word that is no UTF-8
        (["jobs", "list", "id:\U0010ffff"], 0),
        (["schedules", "pause", "\udcff"], 4),
        (["assets", "show", "nothing"], 4),
        (["processors", "show", "gret"], 4),
        (["folders", "scan", "/nowhere"], 4),
        (["metrics", "--queue", "nowhere"], 4),
    ],
)
def test_what_is_not_there_is_exit_code_4(say: Say, words: list[str], code: int) -> None:
    assert say(*words).code == code


def test_a_home_of_something_else_is_exit_code_5_and_stays_untouched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    assert main(["jobs", "list", "--home", str(tmp_path)]) == 5
    assert "diary.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_home_and_json_stand_before_or_after_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path / "home")
    assert main(["--home", home, "--json", "jobs", "list"]) == 0
    assert main(["jobs", "--home", home, "list", "--json"]) == 0
    assert main(["jobs", "list", "--home", home, "--json"]) == 0
    assert capsys.readouterr().out.splitlines() == ["[]"] * 3


def test_without_a_terminal_the_app_says_what_to_use_instead(say: Say) -> None:
    answer = say()
    assert answer.code == 2 and "--consumer" in answer.err


def test_an_unexpected_error_is_one_sentence_with_the_way_to_its_traceback(say: Say, home: Path) -> None:
    (home / "processors" / "odd.py").write_text(
        "from typing import Annotated\nfrom pydantic import AfterValidator\nfrom jobdesk import Context, processor\n"
        "@processor('odd')\ndef odd(ctx: Context, x: Annotated[int, AfterValidator(lambda x: x / 0)]) -> None: ...\n"
    )
    answer = say("submit", "odd", "--data", '{"x": 1}')
    assert answer.code == 1
    assert answer.err.count("\n") == 1 and "JOBDESK_DEBUG=1" in answer.err
