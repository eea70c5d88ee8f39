"""Flows of the settings: a wrong one is refused when it is read, with line, flow and step."""

import re
from pathlib import Path

import pytest

from jobdesk.config import load
from jobdesk.core.errors import ConfigError
from jobdesk.flows import order

GOOD = """
[[flows]]
name = "photos"
description = "What becomes of a photo"
on_failure = { type = "mourns", data = { what = "{input.url}", why = "{failed.message}" } }
[[flows.steps]]
name = "report"
type = "sums"
data = { sizes = ["{steps.thumb.result}", "{steps.meta.result.size}"] }
after = ["thumb", "meta"]
[[flows.steps]]
name = "get"
type = "fetch"
data = { url = "{input.url}" }
priority = "high"
timeout = "2m"
[[flows.steps]]
name = "thumb"
type = "shrink"
data = { source = "{steps.get.result.path}" }
after = ["get"]
[[flows.steps]]
name = "meta"
type = "look"
data = { source = "{steps.get.result.path}", album = "{input.album}" }
after = ["get"]
on_parent_failure = "ignore"
optional = true
"""


def write(home: Path, text: str) -> Path:
    (home / "jobdesk.toml").write_text(text, "utf-8")
    return home


def test_a_flow_is_read_with_its_order_and_what_it_takes(tmp_path: Path) -> None:
    (flow,) = load(write(tmp_path, GOOD), {}).flows
    made = flow.definition
    assert [step.name for step in made.ordered] == ["get", "thumb", "meta", "report"]
    assert made.inputs == frozenset({"url", "album"})
    assert (made.ordered[0].priority, made.ordered[0].timeout) == (75, 120.0)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('after = ["thumb", "meta"]', 'after = ["thum"]',
         "line 2: 'flows.0' is wrong: flow 'photos', step 'report' comes after 'thum', which is no step of the flow, "
         "did you mean 'thumb'"),
        ('name = "meta"', 'name = "thumb"', "flow 'photos' has two steps named 'thumb'"),
        ('name = "meta"', 'name = "me ta"', "step 'me ta': the name of a step may only have"),
        ('{ url = "{input.url}" }\n', '{ url = "x" }\nafter = ["report"]\n',
         "flow 'photos' goes round in a circle and could never begin: report -> get -> thumb -> report"),
        ("{steps.meta.result.size}", "{steps.mta.result.size}",
         "flow 'photos', step 'report': 'mta' is no step of the flow, did you mean 'meta'"),
        ('after = ["thumb", "meta"]', 'after = ["thumb"]',
         "step 'report': it uses what step 'meta' gives and does not come after it: add it to `after`"),
        ("{steps.meta.result.size}", "{stesp.meta.result}",
         r"step 'report': data.sizes\[1\]: '\{stesp.meta.result\}' is not a template, did you mean 'steps'"),
        ("{input.album}", "{failed.type}", "step 'meta': {failed…} is known to the flow's on_failure only"),
        ("{failed.message}", "{steps.get.result}", "flow 'photos', on_failure: steps may not have run"),
        ('type = "shrink"', 'typo = "shrink"',
         "line 19: 'flows.0.steps.2.typo' is not a setting, did you mean 'type'"),
        ('type = "shrink"', 'type = "shrink"\ntimeout = "soon"', "line 20: 'flows.0.steps.2.timeout' is wrong: 'soon'"),
        ('name = "photos"', 'name = "my photos"', "the name of flow 'my photos' may only have letters"),
    ],
)  # fmt: skip
def test_a_wrong_flow_is_named_with_its_step_and_the_mend(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as error:
        load(write(tmp_path, GOOD.replace(old, new)), {})
    assert re.search(says, str(error.value)), error.value


def test_two_flows_of_one_name_and_one_without_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two flows are named 'photos'"):
        load(write(tmp_path, GOOD + GOOD), {})
    with pytest.raises(ConfigError, match=r"line 31: 'flows.1' is wrong: flow 'empty' has no steps"):
        load(write(tmp_path, GOOD + '\n\n[[flows]]\nname = "empty"\nsteps = []\n'), {})


def test_a_step_that_waits_for_itself_is_a_circle() -> None:
    assert order.cycle({"a": ["a"]}) == ["a", "a"]
    assert order.cycle({"a": [], "b": ["a"], "c": ["a", "b"]}) is None


def test_the_longest_chain_counts_time_not_steps() -> None:
    after = {"a": [], "b": ["a"], "c": ["b"], "d": ["a"], "e": ["c", "d"]}
    assert order.longest(after, {"a": 1, "b": 2, "c": 2, "d": 5, "e": 1}) == ["a", "d", "e"]
    assert order.longest({}, {}) == []


def test_a_steps_own_limits_are_read_and_wrong_ones_refused(tmp_path: Path) -> None:
    own = 'concurrency_key = "{input.url}/{input.user}"\nfactor = 3\nmax_delay = "1m"\njitter = 0.5\nexpires = "1h"\n'
    (flow,) = load(write(tmp_path, GOOD.replace('timeout = "2m"\n', own + 'delay = "5s"\n')), {}).flows
    step = flow.definition.ordered[0]
    assert (step.factor, step.max_delay, step.jitter, step.expires, step.delay) == (3, 60.0, 0.5, 3600.0, 5.0)
    assert flow.definition.inputs == frozenset({"url", "album", "user"})
    for wrong, says in [
        ('after = ["get"]\nconcurrency_key = "{steps.get.result}"', "must be known when the flow starts"),
        ('after = ["get"]\nconcurrency_key = "{input"', "step 'thumb': concurrency_key: a single {"),
        ('after = ["get"]\njitter = 2', "'flows.0.steps.2.jitter' is wrong"),
        ('after = ["get"]\nunique = "k"', "'flows.0.steps.2.unique' is not a setting"),
    ]:
        with pytest.raises(ConfigError, match=re.escape(says)):
            load(write(tmp_path, GOOD.replace('after = ["get"]', wrong, 1)), {})
