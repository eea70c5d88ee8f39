"""`jobdesk flows` and `submit --after`: what they print and how they exit."""

from pathlib import Path

import pytest

from tests.cli.conftest import PROCESSORS, Say
from tests.support.home import consumer, make_home

SETTINGS = """
[[flows]]
name = "welcome"
description = "Greets twice"
[[flows.steps]]
name = "first"
type = "greet"
data = { name = "{input.name}" }
[[flows.steps]]
name = "second"
type = "greet"
data = { name = "{steps.first.result} again" }
after = ["first"]
[[flows.steps]]
name = "last"
type = "greet"
data = { name = "bye" }
after = ["first", "second"]
on_parent_failure = "ignore"

[[flows]]
name = "doomed"
steps = [
  { name = "only", type = "refuse" },
  { name = "never", type = "greet", data = { name = "x" }, after = ["only"] },
]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS, SETTINGS)


def drain(home: Path) -> int:
    return consumer(home, "--drain").wait(60)


def test_a_flow_is_started_run_and_shown(say: Say, home: Path) -> None:
    id_ = say("flows", "start", "welcome", "name=Ada").id
    assert id_.startswith("flow_")
    assert drain(home) == 0
    shown = say("flows", "show", id_, "--json").json
    assert (shown["state"], shown["progress"], shown["input"]) == (
        "completed",
        {"done": 3, "total": 3},
        {"name": "Ada"},
    )
    assert [(job["step"], job["result"]) for job in shown["jobs"]] == [
        ("first", "hello Ada"),
        ("second", "hello hello Ada again"),
        ("last", "hello bye"),
    ]
    assert shown["critical_path"] == [job["id"] for job in shown["jobs"]]
    page = say("flows", "show", id_[:-2]).out
    assert "first -> second -> last" in page and "completed" in page
    (row,) = say("flows", "list").out.splitlines()
    assert row.split("\t")[:4] == [id_, "completed", "welcome", "3/3"]
    assert [one["id"] for one in say("flows", "list", "--json").json] == [id_]


def test_start_and_wait_exits_3_when_it_failed_and_resume_retries(say: Say, home: Path) -> None:
    worker = consumer(home)
    answer = say("flows", "start", "doomed", "--wait", "--timeout", "30s")
    worker.terminate()
    worker.wait(30)
    assert answer.code == 3
    assert "only" in answer.err and "it never works" in answer.err and answer.err.count("\n") == 1
    assert len(say("flows", "resume", answer.id).out.splitlines()) == 1
    assert say("flows", "cancel", answer.id).code == 0
    assert say("flows", "show", answer.id, "--json").json["state"] == "cancelled"
    again = say("flows", "cancel", answer.id)
    assert (again.code, again.out) == (1, "") and "has ended" in again.err


def test_a_definition_is_drawn_as_a_tree(say: Say) -> None:
    assert say("flows", "define", "welcome").out.splitlines() == [
        "welcome  Greets twice",
        "takes  name",
        "└─ first   greet",
        "   └─ second  greet",
        "      └─ last    greet  (also after first, however they end)",
    ]
    assert [one["name"] for one in say("flows", "define", "--json").json] == ["welcome", "doomed"]
    assert say("flows", "define", "welcome", "--json").json["inputs"] == ["name"]
    assert say("flows", "define").out.splitlines()[0] == "welcome\t3\tname\tGreets twice"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["show", "flow_0NOBODY"], 4, "there is no flow flow_0NOBODY"),
        (["start", "welcom"], 4, "did you mean 'welcome'"),
        (["define", "nothing"], 4, "there are welcome, doomed"),
        (["start", "welcome"], 2, "flow 'welcome' needs 'name'"),
        (["start", "welcome", "nam=Ada"], 2, "did you mean 'name'"),
        (["start", "welcome", "name=[1]"], 2, "flow 'welcome', step 'first': greet: 'name' is wrong"),
        (["start", "welcome", "name=Ada", "--timeout", "1s"], 2, "add --wait"),
        (["cancel", "flow_0NOBODY"], 4, "there is no flow"),
        (["resume", "flow_0NOBODY"], 4, "there is no flow"),
    ],
)
def test_a_wrong_word_is_one_sentence(say: Say, words: list[str], code: int, says: str) -> None:
    answer = say("flows", *words)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err and answer.err.count("\n") == 1


def test_submit_after_cancels_or_ignores_what_failed(say: Say, home: Path) -> None:
    failing = say("submit", "refuse").id
    good = say("submit", "greet", "name=a").id
    strict = say("submit", "greet", "name=b", "--after", failing, good).id
    ignores = say("submit", "greet", "name=c", "--after", failing, strict, "--on-parent-failure", "ignore").id
    assert "refuse" in say("jobs", "why", ignores).out
    assert drain(home) == 3
    found = {job["id"]: job["state"] for job in say("jobs", "list", "--json").json}
    assert found == {failing: "failed", good: "completed", strict: "cancelled", ignores: "completed"}
    assert say("submit", "greet", "name=d", "--after", "job_0NOBODY").code == 4
    assert say("submit", "greet", "name=d", "--after", failing).code == 1


def test_a_template_survives_an_edit_of_another_key(say: Say, home: Path) -> None:
    id_ = say("flows", "start", "welcome", "name=Ada").id
    second = say("flows", "show", id_, "--json").json["jobs"][1]["id"]
    assert drain(home) == 0
    assert say("jobs", "retry", second, "--data", '{"times": 2}').code == 0
    assert drain(home) == 0
    assert say("jobs", "show", second, "--json").json["result"] == "hello hello Ada again hello hello Ada again"
