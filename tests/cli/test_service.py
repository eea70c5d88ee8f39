"""`jobdesk service`: the unit is one that systemd understands, and what the system is asked to do is asked of it.

No test starts a service of this machine: `systemctl` is a program of the test's own that writes down its words.
"""

import json
import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from jobdesk.autostart import MARK, plan
from jobdesk.core.errors import UsageError
from tests.cli.conftest import Say
from tests.support.home import make_home

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$ASKED"
if [ -e "$ASKED.broken" ]; then echo "Failed to connect to bus" >&2; exit 1; fi
if [ "$2" = show ]; then printf 'ActiveState=%s\\nMainPID=7\\n' "$(cat "$ASKED.state" 2>/dev/null)"; fi
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemctl was asked, a line each time; units go to a folder of the test's own."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    return tmp_path / "asked"


def unit(tmp_path: Path, name: str = "jobdesk") -> Path:
    return tmp_path / "config" / "systemd" / "user" / f"{name}.service"


def test_a_service_is_installed_shown_and_removed(say: Say, home: Path, tmp_path: Path, asked: Path) -> None:
    assert say("service", "status").code == 4
    assert say("service", "install", "--name", "photos").code == 0
    content = unit(tmp_path, "photos").read_text()
    assert f'"--home" "{home}" "--consumer"' in content and "Type=notify" in content and "WatchdogSec=60" in content
    assert asked.read_text().splitlines() == [
        "--user daemon-reload", "--user enable photos.service", "--user restart photos.service",
    ]  # fmt: skip
    asked.with_suffix(".state").write_text("active")
    found = say("service", "status", "--name", "photos", "--json")
    assert (found.code, found.json["active"], found.json["says"]["MainPID"]) == (0, True, "7")
    asked.with_suffix(".state").write_text("failed")
    found = say("service", "status", "--name", "photos")
    assert found.code == 1 and found.out.startswith("it does not run")
    asked.write_text("")
    assert say("service", "install", "--name", "photos").code == 0
    assert asked.read_text().splitlines()[0] == "--user disable --now photos.service"
    asked.write_text("")
    assert say("service", "remove", "--name", "photos").code == 0
    assert asked.read_text().splitlines() == ["--user disable --now photos.service", "--user daemon-reload"]
    assert not unit(tmp_path, "photos").exists()
    assert say("service", "remove", "--name", "photos").code == 4


def test_a_dry_run_changes_nothing(say: Say, tmp_path: Path, asked: Path) -> None:
    shown = say("service", "install", "--dry-run")
    assert shown.code == 0 and MARK in shown.out and "systemctl --user enable jobdesk.service" in shown.out
    document = say("service", "install", "--dry-run", "--json").json
    assert document["dryRun"] and document["file"] == str(unit(tmp_path)) and "[Service]" in document["content"]
    assert not unit(tmp_path).exists() and not asked.exists()
    assert say("service", "install").code == 0
    asked.unlink()
    assert "rm " in say("service", "remove", "--dry-run").out
    assert unit(tmp_path).exists() and not asked.exists()


def test_what_somebody_else_wrote_stays(say: Say, tmp_path: Path, asked: Path) -> None:
    unit(tmp_path).parent.mkdir(parents=True)
    unit(tmp_path).write_text("[Unit]\n")
    for verb in ("install", "remove"):
        refused = say("service", verb)
        assert refused.code == 1 and "was not written by jobdesk" in refused.err
    assert unit(tmp_path).read_text() == "[Unit]\n" and not asked.exists()


def test_a_system_that_does_not_answer_is_said_in_a_sentence(say: Say, tmp_path: Path, asked: Path) -> None:
    asked.with_suffix(".broken").touch()
    refused = say("service", "install")
    assert refused.code == 1 and "is written, but the system did not start it" in refused.err
    assert "Failed to connect to bus" in refused.err
    refused = say("service", "remove")
    assert refused.code == 1 and not unit(tmp_path).exists()


def test_wrong_settings_and_names_are_refused_before_anything_is_written(
    say: Say, home: Path, tmp_path: Path, asked: Path
) -> None:
    assert say("service", "install", "--name", "../evil").code == 2
    (home / "jobdesk.toml").write_text("[desk]\nworker = 3\n")
    assert say("service", "install").code == 2
    assert not unit(tmp_path).exists() and not asked.exists()
    with pytest.raises(UsageError, match="cannot stand in a file"):
        plan(Path("/a\nExecStartPre=rm"), "jobdesk", {}, "linux")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd-analyze")
def test_systemd_understands_the_unit_whatever_the_home_is_called(tmp_path: Path, say: Say) -> None:
    home = make_home(tmp_path / 'a "b"', "").rename(tmp_path / "h ome%i$HOME'\\")
    made = plan(home, "jobdesk-check", os.environ, "linux")
    file = tmp_path / "jobdesk-check.service"
    file.write_text(made.content)
    (tmp_path / "run").mkdir(mode=0o700)
    done = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", str(file)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "jobdesk-check" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_on_macos_it_is_an_agent_of_launchd(home: Path) -> None:
    made = plan(home, "jobdesk", {"HOME": "/Users/ada", "PATH": "/bin"}, "darwin")
    assert made.file == Path("/Users/ada/Library/LaunchAgents/jobdesk.plist") and MARK in made.content
    agent = plistlib.loads(made.content.encode())
    assert agent["ProgramArguments"][-3:] == ["--home", str(home), "--consumer"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False} and agent["EnvironmentVariables"] == {"PATH": "/bin"}
    assert made.install == [("launchctl", "bootstrap", f"gui/{os.getuid()}", str(made.file))]
    assert json.dumps(made.remove)


def test_elsewhere_the_command_to_run_is_said(home: Path) -> None:
    with pytest.raises(UsageError, match="--consumer"):
        plan(home, "jobdesk", {}, "freebsd14")
