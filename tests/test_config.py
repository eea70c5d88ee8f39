"""Settings: defaults, file and environment in this order; a wrong one is named with line and mend."""

from pathlib import Path

import pytest

from jobdesk.config import load
from jobdesk.core.errors import ConfigError


def write(home: Path, text: str) -> Path:
    (home / "jobdesk.toml").write_text(text, "utf-8")
    return home


def test_an_empty_home_has_the_defaults_of_the_contract(tmp_path: Path) -> None:
    config = load(tmp_path, {})
    own = config.defaults
    assert (own.retries, own.retry_delay, own.backoff, own.factor, own.max_delay, own.timeout) == (
        3, 5.0, "exponential", 2, 30.0, 300.0,
    )  # fmt: skip
    assert config.queues["upload.high-priority"].ttl == 3600
    assert config.queues["upload.normal"].dead_letter_ttl == 30 * 86400
    assert config.workers >= 2


def test_the_file_overrides_the_defaults_and_the_environment_the_file(tmp_path: Path) -> None:
    home = write(tmp_path, '[desk]\nworkers = 3\nnice = 5\n[queues.mail]\nttl = "2m"\npriority = "high"\n')
    config = load(home, {"JOBDESK_DESK__WORKERS": "8", "JOBDESK_HOME": "/x", "PATH": "/bin"})
    assert (config.desk.workers, config.desk.nice) == (8, 5)
    assert (config.queues["mail"].ttl, config.queues["mail"].priority) == (120.0, 75)
    assert "upload.normal" in config.queues


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[desk]\nworker = 3\n", r"line 2: 'desk\.worker' is not a setting, did you mean 'workers'"),
        ("[dask]\nworkers = 3\n", r"line 1: 'dask' is not a setting, did you mean 'desk'"),
        ('[defaults]\ntimeout = "soon"\n', r"line 2: 'defaults\.timeout' is wrong: 'soon' is not a duration"),
        ('\n[queues."a.b"]\npriority = "top"\n', r"line 3: 'queues\.a\.b\.priority' is wrong: 'top' is not a priority"),
        ("[desk]\nworkers = -1\n", r"line 2: 'desk\.workers' is wrong"),
        ("[desk\n", r"jobdesk\.toml: "),
    ],
)
def test_a_wrong_setting_is_named_with_its_line_and_what_would_fit(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(write(tmp_path, text), {})


def test_a_wrong_environment_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the environment: 'desk\.workers' is wrong"):
        load(tmp_path, {"JOBDESK_DESK__WORKERS": "many"})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobdesk.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})
