"""`init` and `config`."""

from pathlib import Path

from jobdesk import config as settings
from jobdesk.core.redaction import shown
from tests.cli.conftest import Say


def test_init_writes_settings_that_change_nothing_and_never_overwrites(say: Say, home: Path) -> None:
    before = settings.load(home)
    assert say("init").out == f"{home / 'jobdesk.toml'}\n"
    text = (home / "jobdesk.toml").read_text()
    assert settings.load(home) == before
    assert (home / "jobdesk.toml").stat().st_mode & 0o777 == 0o600
    again = say("init")
    assert again.code == 1 and "stays as it is" in again.err
    assert (home / "jobdesk.toml").read_text() == text


def test_one_line_uncommented_is_one_setting_changed(say: Say, home: Path) -> None:
    say("init")
    path = home / "jobdesk.toml"
    path.write_text(path.read_text().replace("#workers = 0", "workers = 7"))
    assert say("config", "show", "--json").json["desk"]["workers"] == 7
    assert say("config", "check").code == 0


def test_check_says_what_is_wrong_and_where(say: Say, home: Path) -> None:
    (home / "jobdesk.toml").write_text("[desk]\nwokers = 3\n")
    answer = say("config", "check")
    assert answer.code == 2 and "line 2" in answer.err and "did you mean 'workers'?" in answer.err


def test_show_is_toml_that_reads_back(say: Say, home: Path) -> None:
    before = settings.load(home)
    shown = say("config", "show").out
    (home / "jobdesk.toml").write_text(shown)
    assert settings.load(home) == before


def test_secrets_are_never_shown() -> None:
    seen = shown(
        {"types": {"mail": {"password": "hunter2", "api_key": "${env:KEY}", "url": "smtp://ada:hunter2@host:25"}}}
    )
    assert seen == {
        "types": {"mail": {"password": "********", "api_key": "${env:KEY}", "url": "smtp://ada:********@host:25"}}
    }


def test_the_schema_asks_for_nothing_but_what_a_folder_needs(say: Say) -> None:
    schema = say("config", "schema").json
    assert "required" not in schema
    assert set(schema["$defs"]["FolderSettings"]["required"]) == {"path", "pipeline"}
