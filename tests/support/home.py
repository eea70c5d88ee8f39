"""A home with processors of the test's own, and consumers in processes of their own."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TypeVarTuple

import psutil

from jobdesk.cli.main import main

DEADLINE_S = 60.0
Given = TypeVarTuple("Given")


def make_home(folder: Path, processors: str = "", settings: str = "") -> Path:
    """A home whose HOME/processors/own.py holds `processors`."""
    home = folder / "home"
    (home / "processors").mkdir(parents=True)
    home.chmod(0o700)
    if processors:
        (home / "processors" / "own.py").write_text(processors)
    if settings:
        (home / "jobdesk.toml").write_text(settings)
    return home


def consumer(home: Path, *options: str) -> subprocess.Popen[bytes]:
    """`jobdesk --consumer` on the home, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "--consumer", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def impatient(home: Path, lost_after_s: float, *options: str) -> subprocess.Popen[bytes]:
    """A consumer that gives away the jobs of others after so long a silence."""
    words = ["tests.support.impatient", str(lost_after_s), "--home", str(home), "--consumer", *options]
    return subprocess.Popen(
        [sys.executable, "-m", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def end(*processes: subprocess.Popen[Any]) -> None:
    """Kill what still runs, stopped or not."""
    for one in processes:
        one.kill()
        one.wait()


def kill(process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> None:
    """Send the signal and collect the process."""
    os.kill(process.pid, how)
    process.wait(DEADLINE_S)


def stop(process: subprocess.Popen[bytes], home: Path) -> None:
    """SIGSTOP, but not in the middle of a write, where nobody else could write either."""
    with closing(sqlite3.connect(home / "jobdesk.db", timeout=0.0, isolation_level=None)) as ledger:
        while True:
            process.send_signal(signal.SIGSTOP)
            until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
            try:
                ledger.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
            else:
                ledger.execute("ROLLBACK")
                return


def until(what: Callable[[*Given], object], *given: *Given, seconds: float = DEADLINE_S) -> None:
    """Wait for another process to make `what` true; the test fails when it does not in time.

    Args:
        given: what it is called with: in a loop, the values of this turn.
    """
    end = time.monotonic() + seconds
    while not what(*given):
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.005)


def lines(file: Path) -> Sequence[str]:
    """The lines of a file that may not exist yet."""
    return file.read_text().splitlines() if file.exists() else ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def said(home: Path, *words: str) -> Answer:
    """One `jobdesk` command on the home, in this process: only where the test has no ledger open itself."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as error:
        code = main(["--home", str(home), *words])
    return Answer(code, out.getvalue(), error.getvalue())


def command(home: Path, *words: str) -> Answer:
    """One `jobdesk` command on the home, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "jobdesk", "--home", str(home), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE_S,
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr)
