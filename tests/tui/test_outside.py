"""What leaves the app, on a real terminal: a page to $PAGER, a payload to $EDITOR and back, an id to the clipboard."""

import contextlib
from base64 import b64encode
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import State
from tests.support.home import make_home
from tests.support.terminal import jobdesk

PROCESSORS = """
from jobdesk import Context, Reject, processor

@processor("fussy", isolation="thread")
def fussy(ctx: Context, name: str) -> str:
    if name == "letter":
        raise Reject("the printer is out of paper")
    return name
"""
PAGER = '#!/bin/sh\necho "The pager has:"\ncat "$1"\nread line\n'
EDITOR = '#!/bin/sh\nsed -i s/letter/parcel/ "$1"\n'
F2 = "\x1bOQ"


def program(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_pager_editor_and_clipboard(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    wants = {"PAGER": program(tmp_path / "pager", PAGER), "VISUAL": program(tmp_path / "editor", EDITOR)}
    with contextlib.closing(Desk(home)) as desk, jobdesk(home, environment=wants) as app:
        app.sees("working here")
        id_ = desk.submit("fussy", {"name": "letter"}).id
        app.press("2")
        app.sees("Jobs · 1", "✗ failed")

        app.press("y")
        app.until(lambda: b"\x1b]52;c;" + b64encode(id_.encode()) in app.output, "the terminal is told what to copy")

        app.press("P")
        app.sees("The pager has:", "Reject: the printer is out of paper", id_)
        app.press("\r")
        app.sees("Jobs · 1", "working here")

        app.press("O")
        app.sees("Edit and retry: fussy", "- name: 'letter'", "+ name: 'parcel'")
        app.press(F2)
        app.until(lambda: desk.job(id_).state is State.COMPLETED, "it is run with that")
        assert desk.job(id_).data == {"name": "parcel"}
        app.sees("✓ completed")
        app.press("q")
        assert app.end() == 0


@pytest.mark.parametrize(
    ("editor", "said"),
    [
        ("nosuchedit --wait", "'nosuchedit' cannot be started"),
        ('vim "unclosed', "EDITOR is no command"),
        ("false", "false ended with exit code 1"),
    ],
)
def test_an_editor_that_cannot_be_used_is_said_on_the_screen(tmp_path: Path, editor: str, said: str) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    wants = {"EDITOR": editor, "VISUAL": ""}
    with contextlib.closing(Desk(home)) as desk, jobdesk(home, environment=wants) as app:
        app.sees("working here")
        desk.submit("fussy", {"name": "letter"})
        app.press("2")
        app.sees("Jobs · 1", "✗ failed")
        app.press("O")
        app.sees("Jobs · 1", said)
        app.press("q")
        assert app.end() == 0
