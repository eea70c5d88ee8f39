"""Other programs on the terminal of the app: it steps aside for them, and comes back."""

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from jobdesk.core.errors import UsageError


def pager() -> list[str]:
    """What shows long text. Raises UsageError as `editor` does."""
    return _named("PAGER") or ["less"]


def editor() -> list[str]:
    """What edits text.

    Raises:
        UsageError: the variable that names it is no command.
    """
    return _named("VISUAL") or _named("EDITOR") or ["vi"]


def _named(variable: str) -> list[str]:
    value = os.environ.get(variable, "")
    try:
        return shlex.split(value)
    except ValueError as error:
        raise UsageError(f"{variable} is no command ({error}): it is {value}") from None


@contextmanager
def private_file(suffix: str) -> Iterator[Path]:
    """A file that nobody else may read, gone afterwards."""
    number, name = tempfile.mkstemp(suffix, "jobdesk-")
    os.close(number)
    try:
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def run(app: App[Any], command: list[str], file: Path) -> None:
    """Run a program on a file, on the whole terminal, until it has ended.

    Raises:
        UsageError: there is no such program, it failed, or there is no terminal to give away.
    """
    name = command[0]
    try:
        with stepped_aside(app), _ours():
            code = subprocess.run([*command, str(file)], check=False).returncode
    except SuspendNotSupported:
        raise UsageError(f"{name} needs a terminal of its own: this app runs in none") from None
    except OSError as error:
        raise UsageError(f"'{name}' cannot be started ({error.strerror}): set PAGER or EDITOR") from None
    if code not in (0, -signal.SIGPIPE):
        raise UsageError(f"{name} ended with exit code {code}: what it left is not used")


@contextmanager
def stepped_aside(app: App[Any]) -> Iterator[None]:
    """The terminal is another's meanwhile, and then the app's again, also after an error: Textual alone would keep off.

    Raises:
        SuspendNotSupported: there is no terminal to give away.
    """
    failed: Exception | None = None
    with app.suspend():
        try:
            yield
        except Exception as error:  # raised again below, on a screen that can show it
            failed = error
    if failed is not None:
        raise failed


@contextmanager
def _ours() -> Iterator[None]:
    """ctrl+c is the program's meanwhile, though the terminal sends it to both; ctrl+z stops both."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),  # not SIG_IGN, which the program would inherit
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, signal.SIG_DFL),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
