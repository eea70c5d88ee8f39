"""How long until something is there: help, a list out of a million jobs, the first frame of the app.

Peers: a bare interpreter for the commands (what no Python program can undercut), the same query by
the sqlite3 module alone for the list, and a Textual app with one label for the frame.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fill import fill
from benchmarks.report import pairs, show, timed

JOBDESK = [sys.executable, "-m", "jobdesk"]
LIST = """
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT * FROM job ORDER BY seq DESC LIMIT 50").fetchall())
"""
LABEL = """
from textual.app import App
from textual.widgets import Label
class Hello(App):
    def compose(self):
        yield Label("OVERVIEW Overview")
Hello().run()
"""


def run(command: list[str]) -> float:
    return timed(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True))


def first_frame(command: list[str], sign: bytes = b"Overview") -> float:
    """Milliseconds from starting the command on a 120x40 terminal until it has drawn `sign`."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        os.execvp(command[0], command)
    seen = b""
    while sign not in seen:
        if not select.select([terminal], [], [], 10)[0]:
            raise SystemExit(f"{command} drew nothing like {sign!r} in 10 s")
        seen += os.read(terminal, 65536)
    took = (time.perf_counter() - began) * 1000
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return took


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home, count)
        bare = [sys.executable, "-c", "pass"]
        show(
            "jobdesk --help",
            *_named(pairs(9, lambda: run([*JOBDESK, "--help"]), lambda: run(bare)), "bare python"),
            goal="goal < 150 ms",
        )
        database = [sys.executable, "-c", LIST, str(home / "jobdesk.db")]
        at_home = [*JOBDESK, "--home", str(home)]
        show(f"jobs list, {count:,} jobs",
             *_named(pairs(9, lambda: run([*at_home, "jobs", "list"]), lambda: run(database)), "sqlite3 alone"),
             goal="goal < 300 ms")  # fmt: skip
        label = [sys.executable, "-c", LABEL]
        show(f"first frame, {count:,} jobs",
             *_named(pairs(9, lambda: first_frame(at_home), lambda: first_frame(label)), "Textual, one label"),
             goal="goal < 700 ms")  # fmt: skip


def _named(found: tuple[list[float], list[float]], peer: str) -> tuple[list[float], str, list[float]]:
    return found[0], peer, found[1]


if __name__ == "__main__":
    main()
