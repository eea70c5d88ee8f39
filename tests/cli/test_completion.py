"""`jobdesk completion SHELL`: the script really completes, in a real shell."""

import shutil
import subprocess

import pytest

from tests.cli.conftest import Say


def completed(script: str, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    said = subprocess.run(
        ["bash", "--norc", "-c", f'{script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); {ask(script)}\n'
         'printf "%s\\n" "${COMPREPLY[@]}"', "bash", *words],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return said.stdout.split()


def ask(script: str) -> str:
    """The function that the script gives bash for `jobdesk`."""
    line = next(line for line in reversed(script.splitlines()) if line.startswith("complete ") and " -F " in line)
    return line.partition(" -F ")[2].split()[0]


def test_bash_completes_commands_options_and_values(say: Say) -> None:
    script = say("completion", "bash").out
    assert completed(script, "jobdesk", "jo") == ["jobs"]
    assert "hold" in completed(script, "jobdesk", "jobs", "ho")
    assert "--retry-delay" in completed(script, "jobdesk", "submit", "--retry")
    assert completed(script, "jobdesk", "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_get_theirs(say: Say, shell: str) -> None:
    script = say("completion", shell).out
    assert "jobdesk" in script and "schedules" in script
    if shell in ("zsh", "fish") and shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=60)


def test_an_unknown_shell_is_refused(say: Say) -> None:
    refused = say("completion", "cmd")
    assert refused.code == 2
    assert "zsh" in refused.err
