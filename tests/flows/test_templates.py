"""Templates: what is put in when, what keeps its kind, and what a wrong one is told."""

import json
from typing import Any

import pytest

from jobdesk.core.errors import PayloadError
from jobdesk.flows.templates import Binding, begin, finish, parse

STEPS = {
    "steps": {"get": {"state": "completed", "result": {"path": "/a b", "files": [{"n": 1}, {"n": 2}], "ok": True}}}
}


def resolved(data: dict[str, Any], given: dict[str, Any], steps: dict[str, Any] = STEPS) -> dict[str, Any]:
    stored, bindings = begin(data, {"input": given})
    again = [Binding.from_json(json.loads(json.dumps(one.to_json()))) for one in bindings]
    return finish(json.loads(json.dumps(stored)), again, steps)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{input.n}", 7),
        ("n={input.n}", "n=7"),
        ("{ input.n }", 7),
        ("{{input.n}}", "{input.n}"),
        ("{steps.get.result.path}", "/a b"),
        ("{steps.get.result.files[1].n}", 2),
        ("{steps.get.result.files.0.n}", 1),
        ("{steps.get.result.files}", [{"n": 1}, {"n": 2}]),
        ("{steps.get.result.ok}", True),
        ("{input.n} of {steps.get.result.files}: {steps.get.result.ok}", '7 of [{"n": 1}, {"n": 2}]: true'),
        ("plain", "plain"),
    ],
)
def test_a_value_that_is_one_template_keeps_its_kind_and_any_other_becomes_text(text: str, value: Any) -> None:
    assert resolved({"deep": [{"at": text}]}, {"n": 7}) == {"deep": [{"at": value}]}


def test_what_merely_looks_like_a_template_is_never_taken_for_one() -> None:
    evil = "{steps.get.result.path}"
    assert resolved({"name": "{input.name}", "both": "{input.name}{steps.get.state}"}, {"name": evil}) == {
        "name": evil,
        "both": evil + "completed",
    }
    steps = {"steps": {"get": {"result": "{steps.get.result}"}}}
    assert resolved({"v": "{steps.get.result}"}, {}, steps) == {"v": "{steps.get.result}"}


def test_a_value_that_was_edited_by_hand_stands() -> None:
    stored, bindings = begin({"a": "{steps.get.result.path}", "b": "{steps.get.result.path}"}, {})
    assert finish(stored | {"a": "mine"}, bindings, STEPS) == {"a": "mine", "b": "/a b"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "{steps.get.result.size}",
            r"\{steps.get.result.size\} leads nowhere: steps.get.result has no 'size', only path",
        ),
        ("{steps.get.result.files[2]}", "is a list of 2, which has no '2'"),
        ("{steps.get.result.path.x}", "which has no 'x'"),
        ("{steps.put.result}", "there is no step 'put'"),
    ],
)
def test_a_reference_that_leads_nowhere_says_how_far_it_came(text: str, says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        resolved({"v": text}, {})


def test_a_step_without_a_result_says_what_became_of_it() -> None:
    with pytest.raises(PayloadError, match="step 'get' has no result, it is failed"):
        resolved({"v": "{steps.get.result.path}"}, {}, {"steps": {"get": {"state": "failed", "error": "Broken: no"}}})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{step.a.result}", "did you mean 'steps'"),
        ("{a}", "begins with input or steps"),
        ("{}", "begins with input or steps"),
        ("{steps.a}", "must say what of the step"),
        ("{steps.a.output}", "must say what of the step"),
        ("{failed.why}", "must be one of"),
        ("{input.a..b}", "cannot be read"),
        ("a } b", r"a single \}"),
        ("{", r"a single \{"),
    ],
)
def test_a_template_that_cannot_be_read_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)
