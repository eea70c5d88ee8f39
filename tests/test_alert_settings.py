"""`[alerts]` and `[notify]`: what holds without a word, what one line changes, and what is refused."""

from pathlib import Path

import pytest

from jobdesk.config import load
from jobdesk.core.alert import ABOUT, Measure, Severity
from jobdesk.core.errors import ConfigError


def rules(home: Path, text: str = "") -> dict[str, object]:
    (home / "jobdesk.toml").write_text(text)
    return {rule.name: rule for rule in load(home, {}).alerts.active}


def test_the_defaults_watch_everything_that_can_be_measured(tmp_path: Path) -> None:
    found = load(tmp_path, {}).alerts.active
    assert {rule.measure for rule in found} == set(Measure) - {Measure.QUERY} == set(ABOUT) - {Measure.QUERY}
    said = {rule.name: rule.limit() for rule in found}
    assert said["failure-rate"] == "above 10%" and said["queue-depth"] == "above 100 jobs"
    assert (said["memory"], said["slow-job"], said["disk-low"]) == ("above 85%", "above 2 times", "below 1.0 GB")
    (rate,) = [rule for rule in found if rule.name == "failure-rate"]
    assert (rate.window_s, rate.minimum, rate.cooldown_s, rate.severity) == (3600, 10, 300, Severity.ERROR)


def test_one_line_changes_a_rule_adds_one_or_takes_it_out(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        '[alerts.rules.lag]\nabove = "2m"\nfor = "30s"\n[alerts.rules.memory]\nenabled = false\n'
        '[alerts.rules.own]\nquery = "type:email -state:completed"\nabove = 3\n',
    )
    lag, own = found["lag"], found["own"]
    assert (lag.above, lag.for_s, own.measure, own.above) == (120.0, 30.0, Measure.QUERY, 3.0)  # type: ignore[attr-defined]
    assert "memory" not in found
    assert rules(tmp_path, "[alerts]\nenabled = false\n") == {}


TARGET = '[notify.targets]\nops = "ntfy://s3cr3t"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[alerts.rules.lag]\nabov = 3\n",
            r"line 2: 'alerts\.rules\.lag\.abov' is not a setting, did you mean 'above'",
        ),
        ('[alerts.rules.lag]\nfro = "3m"\n', "did you mean 'for'"),
        ('[alerts.rules.lag]\nabove = "soon"\n', r"line 1: 'alerts\.rules\.lag' is wrong: 'soon' is not a duration"),
        ('[alerts.rules.lag]\nbelow = "1m"\n', "either above or below"),
        ('[alerts.rules.lag]\nquery = "state:failed"\n', "either a measure or a query"),
        ("[alerts.rules.new]\nabove = 1\n", "either a measure or a query"),
        ('[alerts.rules.new]\nquery = "stat:failed"\nabove = 1\n', "there is no field 'stat'"),
        ('[alerts.rules.new]\nmeasure = "memori"\nabove = 1\n', "'memory'"),
        ('[alerts.rules.memory]\nwindow = "1h"\n', "'window' means nothing to memory"),
        ('[alerts.rules.disk-low]\nqueues = ["a"]\n', "'queues' means nothing to disk_free"),
        ("[alerts.rules.lag]\nminimum = 3\n", "'minimum' means nothing to lag"),
        ('[alerts.rules.failure-rate]\nwindow = "8d"\n', "less than or equal to 604800"),
        ('[alerts]\nlook = "10ms"\n', "alerts.look"),
        ('[notify.targets]\nops = "s3cr3t"\n', r"'notify\.targets\.ops' is wrong: a target is an Apprise URL"),
        ('[notify.targets]\nops = "ntfy://${s3cr3t}"\n', r"a secret is written \$\{env:NAME\}"),
        (TARGET + '[[notify.routes]]\nto = ["opps"]\n', "no target 'opps', did you mean 'ops'"),
        (TARGET + '[[notify.routes]]\nto = ["ops"]\nquery = "type:a"\n', "a query chooses jobs"),
        (TARGET + '[[notify.routes]]\nto = ["ops"]\ntitle = "{tilte}"\n', "no field 'tilte', did you mean 'title'"),
        (TARGET + '[[notify.routes]]\nto = ["ops"]\nbody = "{job.x}"\n', "no field 'job.x'"),
        (TARGET + '[[notify.routes]]\nto = ["ops"]\nbody = "{"\n', "is no template"),
        (TARGET + '[[notify.routes]]\nto = ["ops"]\nevents = ["job_log"]\n', "job_failed"),
        ('[notify]\nrate_limit = "often"\n', "'often' is not a rate"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason_and_no_secret(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "jobdesk.toml").write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        load(tmp_path, {})
    assert "s3cr3t" not in str(caught.value)
