"""The terminal app on a pseudo terminal of 120x40 with 1,000,000 jobs: `python -m benchmarks.terminal`.

It prints one table, with each goal and a peer measured in the same run, and writes it to TERMINAL.md.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import idle, machine, terminal_peers
from benchmarks.fill import fill
from benchmarks.screen import Screen, cpu_s, memory_mb, python
from benchmarks.terminal_keys import (
    BURST,
    END,
    HOME,
    UP,
    Seen,
    burst,
    end,
    ended,
    filters,
    held,
    line,
    press_jobs,
    row,
    said,
    top,
)  # fmt: skip
from benchmarks.terminal_log import add_log
from benchmarks.terminal_peers import LABEL, TABLE
from benchmarks.terminal_table import Found, render
from jobdesk import Desk
from jobdesk.ledger import indexing
from jobdesk.runtime.indexer import Indexer
from jobdesk.runtime.summarizer import Summarizer

RESULTS = Path(__file__).with_name("TERMINAL.md")
SETTLE_S = 40.0
"""Until what a start sets in motion is over."""
ROW = b"processing.images"
"""What stands in a row of the first screen."""
SPIN = "while True: pass"
LEAPS = 5


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory(dir=asked.folder, ignore_cleanup_errors=True) as folder:
        about = machine.describe(Path(folder))
        home = Path(folder) / "home"
        if asked.home:
            shutil.copytree(asked.home, home, ignore=shutil.ignore_patterns("run"))
        else:
            fill(home, asked.jobs)
        settle(home)
        began = time.monotonic()
        found = measure(home, asked)
        about["took"] = f"{time.monotonic() - began:.0f} s"
    text = render(found, about, asked.jobs)
    print(text)
    asked.output.write_text(text)


def settle(home: Path) -> None:
    """Let the services behind have their fill, as they have on a desk that has worked for some time."""
    desk = Desk(home)
    indexer, summarizer = Indexer(desk.ledger, desk.clock), Summarizer(desk.ledger, desk.clock)
    while indexing.is_behind(desk.ledger):
        if indexer.run_once() is None:
            time.sleep(0.01)
    while summarizer.run_once() is not None:
        pass
    desk.close()


def measure(home: Path, asked: argparse.Namespace) -> list[Found]:
    found = starts(python("-m", "jobdesk", "--home", str(home)), asked.runs)
    app = python("-m", "benchmarks.plain", "--home", str(home))
    found += lists(app, home, asked.keys, asked.rest)
    return [*found, *logs(app, home, asked.keys, asked.log)] if asked.log else found


def starts(app: Sequence[str], runs: int) -> list[Found]:
    """First frames of the app and its peers, by turns, after one round that does not count."""
    said("first frames")
    programs = {"": (app, ROW), LABEL: (terminal_peers.own("label"), ROW), **terminal_peers.installed()}
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(runs + 1):
        for name, (command, sign) in programs.items():
            took[name].append(first_frame(command, sign))
    wall, cpu = ({name: statistics.median(one[at] for one in took[name][1:]) for name in programs} for at in (0, 1))
    found = [Found("first frame, with rows in it", 300, "ms", wall[""], LABEL, wall[LABEL])]
    peers = [name for name in programs if name]
    return found + [Found("processor time until the first frame", None, "ms", cpu[""], one, cpu[one]) for one in peers]


def lists(app: Sequence[str], home: Path, keys: int, rest_s: float) -> list[Found]:
    """The app at rest, and the list of jobs under filters and keys."""
    rows = row(ended)
    with Screen(terminal_peers.own("table")) as screen:
        said(TABLE)
        screen.until(b"IMG_")
        screen.quiet(1.0)
        peer = held(screen, keys, row())
        peer_burst, peer_end = leaps(screen, row(), b"\x1b[1;5F", b"\x1b[1;5H", 0)
    with Screen(terminal_peers.own("label")) as screen:
        screen.until(ROW)
        screen.pause(3.0)
        peer_memory, peer_idle = memory_mb(screen.pid), idle.cpu(screen.pid, [], rest_s / 2)
    with Screen(app) as screen:
        said("at rest")
        screen.until(ROW)
        screen.pause(SETTLE_S)
        before = screen.received
        idle_cpu = resting(screen, rest_s)
        at_rest = screen.received - before
        memory = memory_mb(screen.pid)
        press_jobs(screen)
        said("filters")
        filtered = filters(screen, home)
        said("keys")
        alone = held(screen, keys, rows)
        burst_ms, end_ms = leaps(screen, rows, END, HOME, 99)
        with companion(python("-m", "benchmarks.changes", str(home))):
            said("keys while 500 jobs a second change")
            changed = held(screen, keys, rows)
        top(screen)
        with companion(python("-c", SPIN)), companion(python("-c", SPIN)):
            said("keys while both cores are busy")
            loaded = held(screen, keys, rows)
        worked_memory = memory_mb(screen.pid)
    return [
        Found("key to its frame, median", 15, "ms", alone.part(0.5), TABLE, peer.part(0.5)),
        Found("key to its frame, p95", 30, "ms", alone.part(0.95), TABLE, peer.part(0.95)),
        Found("processor time of a key", None, "ms", alone.cpu_ms, TABLE, peer.cpu_ms),
        Found("the same while 500 jobs a second change, median", 15, "ms", changed.part(0.5), TABLE, peer.part(0.5)),
        Found("the same while 500 jobs a second change, p95", 30, "ms", changed.part(0.95), TABLE, peer.part(0.95)),
        Found(
            "the same with two programs that compute, median, as a multiple of without",
            2, "x", loaded.part(0.5) / alone.part(0.5),
        ),
        Found(f"{BURST} keys at once", 60, "ms", burst_ms, TABLE, peer_burst),
        Found("jump to the end", 50, "ms", end_ms, TABLE, peer_end),
        *(Found(f"filter {term}: first rows", 50, "ms", took) for term, took in filtered.items()),
        Found("CPU while scrolling, 500 jobs a second change", 25, "% of a core", changed.cpu, TABLE, peer.cpu),
        Found("CPU at rest, consumer included", 0.3, "% of a core", idle_cpu, LABEL, peer_idle),
        Found("memory at rest, consumer included, children apart", 90, "MB", memory, LABEL, peer_memory),
        Found("memory after all of this", None, "MB", worked_memory),
        Found(f"bytes to the terminal in {rest_s:.0f} s at rest", 0, "bytes", at_rest),
    ]  # fmt: skip


def leaps(screen: Screen, seen: Seen, end_key: bytes, home_key: bytes, last: int) -> tuple[float, float]:
    """Milliseconds that many keys at once take, and the jump to the end; medians."""
    bursts, ends = list[float](), list[float]()
    for _ in range(LEAPS):
        top(screen, home_key)
        bursts.append(burst(screen, seen))
        ends.append(end(screen, end_key, last))
    top(screen, home_key)
    return statistics.median(bursts), statistics.median(ends)


def logs(app: Sequence[str], home: Path, keys: int, size_mb: int) -> list[Found]:
    """Keys in a log of very many lines."""
    said(f"a log of {size_mb} MB")
    id_, count = add_log(home, size_mb)
    with Screen([*app, "--attach"]) as screen:
        screen.until(b"Just finished")
        press_jobs(screen)
        screen.press(b"/")
        screen.quiet()
        screen.press(f"id:{id_}\r".encode())
        screen.quiet(1.0)
        screen.press(b"\r")
        screen.quiet(1.0)
        before = len(screen.frames)
        screen.press(b"l")  # to the page Log
        screen.until(f"line {count - 1:07}".encode(), before)
        screen.press(b"\tw")  # the focus to it, and a row for each line
        screen.pause(5.0)
        up = held(screen, keys, line, UP)
        memory = memory_mb(screen.pid)
    return [
        Found(f"key to its frame in a log of {size_mb} MB, median", 15, "ms", up.part(0.5)),
        Found(f"key to its frame in a log of {size_mb} MB, p95", 30, "ms", up.part(0.95)),
        Found("processor time of a key there", None, "ms", up.cpu_ms),
        Found("memory there, without a consumer", None, "MB", memory),
    ]


def first_frame(command: Sequence[str], sign: bytes) -> tuple[float, float]:
    """Milliseconds, and those of processor time, from starting a program until the frame with the sign is complete."""
    with Screen(command) as screen:
        took_ms = (screen.until(sign) - screen.began) * 1000
        return took_ms, cpu_s(screen.pid) * 1000


def resting(screen: Screen, span_s: float) -> float:
    """Per cent of a core that the program and its children use at rest; what it writes is taken in."""
    before, began = idle.used_s(screen.pid), time.monotonic()
    screen.pause(span_s)
    return 100 * (idle.used_s(screen.pid) - before) / (time.monotonic() - began)


@contextmanager
def companion(command: Sequence[str]) -> Iterator[None]:
    """A program that runs beside; one that has anything to say has begun when it says it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if "-c" not in command and process.stdout is not None and not process.stdout.readline():
            raise SystemExit(f"{command} ended early")
        yield
    finally:
        process.kill()
        process.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.terminal", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000, metavar="N", help="in the ledger")
    parser.add_argument("--home", type=Path, help="a home that `python -m benchmarks.fill` has filled; it is copied")
    parser.add_argument("--runs", type=int, default=9, metavar="N", help="first frames; the median is told")
    parser.add_argument("--keys", type=int, default=150, metavar="N", help="keys of each measurement")
    parser.add_argument("--rest", type=float, default=30.0, metavar="S", help="how long it is watched at rest")
    parser.add_argument("--log", type=int, default=100, metavar="MB", help="size of the log that is scrolled; 0: none")
    parser.add_argument("--folder", type=Path, help="where to measure; else the temporary folder")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the file to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
