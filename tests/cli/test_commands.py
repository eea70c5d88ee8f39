"""`jobdesk run` and groups: what a user of pueue does, with real commands and a real consumer."""

import io
import sys
from pathlib import Path

import pytest

from jobdesk import Desk
from tests.support.home import command, consumer, end, make_home, said


def test_a_group_runs_so_many_at_once_as_was_set_while_it_ran(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert said(home, "queues", "set", "gpu", "--concurrency", "2").code == 0
    show = said(home, "queues", "show", "gpu", "--json").json
    assert (show["name"], show["concurrency"]) == ("gpu", 2)
    steps = tmp_path / "steps"
    script = f"echo + >> {steps}; sleep 0.05; echo - >> {steps}"
    for _ in range(8):
        assert said(home, "run", "--group", "gpu", "--", "sh", "-c", script).code == 0
    other = said(home, "run", "--", "true").out.strip()
    working = consumer(home, "--workers", "6", "--drain")
    try:
        assert working.wait(120) == 0
    finally:
        end(working)
    running, most = 0, 0
    for step in steps.read_text().split():
        running += 1 if step == "+" else -1
        most = max(most, running)
    assert most <= 2 and running == 0 and len(steps.read_text().split()) == 16
    assert said(home, "jobs", "show", other, "--json").json["state"] == "completed"
    assert said(home, "queues", "set", "gpu", "--concurrency", "off").code == 0
    assert said(home, "queues", "show", "gpu", "--json").json["concurrency"] is None


def test_what_the_settings_say_of_a_queue_is_changed_there(tmp_path: Path) -> None:
    home = make_home(tmp_path, settings='[queues.gpu]\nconcurrency = 1\n[queues.cpu]\ndescription = "any"\n')
    answer = said(home, "queues", "set", "gpu", "--concurrency", "3")
    assert answer.code == 1 and "concurrency = 1 in jobdesk.toml" in answer.error
    assert said(home, "queues", "set", "cpu", "--concurrency", "3").code == 0
    assert said(home, "run", "--group", "cpu", "--", "true").code == 0  # which makes queues as the settings have them
    assert said(home, "queues", "show", "cpu", "--json").json["concurrency"] == 3
    assert said(home, "queues", "set", "cpu", "--concurrency", "0").code == 2


def test_environment_input_folder_and_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path)
    (tmp_path / "given.txt").write_text("from a file")
    first = said(home, "run", "--env", "WORD=a=b", "--cwd", str(tmp_path), "--", "sh", "-c", "echo $WORD; pwd").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("from a pipe ü".encode())))
    second = said(home, "run", "--stdin", "-", "--after", first.strip(), "--", "cat").out
    third = said(home, "run", "--stdin", str(tmp_path / "given.txt"), "--nice", "3", "--", "cat").out
    coloured = said(home, "run", "--", "printf", "\\033[32mgreen\\033[0m").out
    assert consumer(home, "--drain").wait(120) == 0
    assert said(home, "jobs", "logs", first.strip()).out == f"a=b\n{tmp_path}\n"
    assert said(home, "jobs", "logs", second.strip()).out == "from a pipe ü\n"
    assert said(home, "jobs", "logs", third.strip()).out == "from a file\n"
    assert said(home, "jobs", "logs", coloured.strip()).out == "green\n", "a pipe gets no colours"
    (line,) = said(home, "jobs", "logs", coloured.strip(), "--json").json
    assert line["message"].startswith("\x1b[32mgreen\x1b[0m")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--env", "WORD"], "write it --env NAME=VALUE"),
        (["--stdin", "/none/such"], "/none/such cannot be read"),
        (["--nice", "20"], "'nice' is wrong"),
    ],
)
def test_a_wrong_option_is_one_sentence(tmp_path: Path, words: list[str], says: str) -> None:
    answer = said(make_home(tmp_path), "run", *words, "--", "true")
    assert answer.code == 2 and says in answer.error and answer.error.count("\n") == 1


def test_services_on_the_command_line(tmp_path: Path) -> None:
    home = make_home(tmp_path, settings='[services.shop]\nurl = "http://127.0.0.1:9/v1"\n')
    row = next(one for one in said(home, "services", "list", "--json").json if one["name"] == "shop")
    assert (row["name"], row["state"], row["waiting"]) == ("shop", "closed", 0)
    assert said(home, "services", "open", "shop", "--why", "until noon").code == 0
    found = said(home, "services", "show", "shop", "--json").json
    assert (found["state"], found["reason"], found["until"]) == ("open", "until noon", None)
    assert (
        "shop\topen" in said(home, "services", "list").out
        and "until noon" in said(home, "services", "show", "shop").out
    )
    assert said(home, "services", "test", "shop").code == 1
    assert said(home, "services", "close", "shop", "--json").json["state"] == "closed"
    missing = said(home, "services", "show", "shopp")
    assert missing.code == 4 and "shop" in missing.error
    kinds = [event["event"] for event in said(home, "events", "--json").json]
    assert kinds.count("breaker_opened") == kinds.count("breaker_closed") == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('[services.a]\nurl = "ftp://x"', "write it like https://"),
        ('[services.a]\nurl = "http://x"\ntoken = "clear"', "${env:NAME}"),
        ('[services.a]\nurl = "http://x"\nheaders = { Authorization = "Bearer clear" }', "holds a secret"),
        ('[services.a]\nurl = "http://u:p@x"', "must not hold a password"),
        ('[services.a]\nurl = "http://x"\nhealth_every = "5s"', "greater than or equal to 30"),
        ('[services.a]\nurl = "http://x"\nhealt = "/h"', "'health'"),
        ('[services.a]\nurl = "http://x"\n[providers.a]\nurl = "http://y"', "give one of them another name"),
        ("[breaker]\nfailures = 0", "greater than or equal to 1"),
    ],
)
def test_wrong_settings_of_services_are_refused(tmp_path: Path, settings: str, says: str) -> None:
    answer = said(make_home(tmp_path, settings=settings), "config", "check")
    assert answer.code == 2 and says in answer.error
    assert "clear" not in answer.error and ":p@" not in answer.error


def test_a_provider_has_keys_of_its_own_and_secrets_stay_references(tmp_path: Path) -> None:
    text = '[providers.art]\nurl = "http://x"\ntoken = "${env:ART}"\nmodel = "small"\n'
    home = make_home(tmp_path, settings=text)
    shown = command(home, "config", "show", "--json").json["providers"]["art"]
    assert shown["token"] == "${env:ART}" and shown["model"] == "small"
    with Desk(home) as desk:
        assert desk.service("art").kind == "provider"
