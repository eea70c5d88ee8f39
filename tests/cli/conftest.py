"""What every test of the command line needs: a home, and a way to say a command and see what came of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobdesk.cli.main import main
from tests.support.home import make_home

PROCESSORS = """
from jobdesk import Context, Reject, processor

@processor("greet", isolation="thread")
def greet(ctx: Context, name: str, times: int = 1) -> str:
    "Say hello."
    ctx.log.info(f"hello {name}")
    return " ".join(["hello " + name] * times)

@processor("refuse", isolation="thread")
def refuse(ctx: Context) -> None:
    "Never works."
    raise Reject("it never works")
"""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def id(self) -> str:
        (line,) = self.out.splitlines()
        return line


Say = Callable[..., Answer]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS)


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command line on the home, in this process."""

    def run(*words: str) -> Answer:
        capsys.readouterr()
        code = main(["--home", str(home), *words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run
