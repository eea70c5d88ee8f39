"""The terminal app on a pseudo terminal of 120x40 with 1,000,000 jobs: `python -m benchmarks.terminal`.

It prints one table, with each goal and a peer measured in the same run, and writes it to TERMINAL.md.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import idle, machine
from benchmarks.fill import fill
from benchmarks.report import pairs
from benchmarks.screen import PATIENCE_S, Picture, Screen, cpu_s, memory_mb, python
from benchmarks.terminal_peers import LABEL, TABLE
from jobdesk import Desk
from jobdesk.ledger import indexing
from jobdesk.runtime.indexer import Indexer
from jobdesk.runtime.summarizer import Summarizer

RESULTS = Path(__file__).with_name("TERMINAL.md")
PHOTO = re.compile(r"IMG_(\d{7})")
DOWN = b"\x1b[B"
Place = Callable[[int], int]
EACH_S = 1 / 30
"""A key that is held down comes so often."""
BURST = 200
SETTLE_S = 40.0
"""Until what a start sets in motion is over."""
ROW = b"processing.images"
"""What stands in a row of the first screen."""
SPIN = "while True: pass"
FILTERS = (
    "state:failed", "type:email", "queue:notifications", "state:failed type:email", "error:ConnectTimeout",
    "text:img_0123456", "id:{id}", "fingerprint:f",
)  # fmt: skip


@dataclass
class Found:
    """One line of the table. `most` is the goal, in the unit of the values; None: there is none."""

    what: str
    most: float | None
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None

    @property
    def reached(self) -> str:
        if self.most is None:
            return ""
        return "reached" if self.ours <= self.most else "**not reached**"


@dataclass
class Keys:
    """How long keys took, from the key to the end of the frame that shows what it did, in milliseconds."""

    took_ms: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """Per cent of a core that the program used meanwhile."""

    def part(self, share: float) -> float:
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


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
        found = measure(home, asked.jobs, asked.runs, asked.keys, asked.rest)
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


def measure(home: Path, count: int, runs: int, keys: int, rest_s: float) -> list[Found]:
    app = python("-m", "jobdesk", "--home", str(home))
    label, table = (python("-m", "benchmarks.terminal_peers", name) for name in ("label", "table"))
    said("first frames")
    ours, theirs = pairs(runs, lambda: first_frame(app), lambda: first_frame(label))
    found = [Found("first frame, with rows in it", 300, "ms", _median(ours), LABEL, _median(theirs))]
    with Screen(table) as screen:
        said(TABLE)
        screen.until(b"IMG_")
        screen.quiet(1.0)
        peer = held(screen, keys)
        peer_burst, peer_end = burst(screen), end(screen, b"\x1b[1;5F", 0)
    with Screen(label) as screen:
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
        alone = held(screen, keys, ended)
        burst_ms, end_ms = burst(screen, ended), end(screen, b"\x1b[F", 99)
        top(screen)
        with companion(python("-m", "benchmarks.changes", str(home))):
            said("keys while 500 jobs a second change")
            changed = held(screen, keys, ended)
        top(screen)
        with companion(python("-c", SPIN)), companion(python("-c", SPIN)):
            said("keys while both cores are busy")
            loaded = held(screen, keys, ended)
        worked_memory = memory_mb(screen.pid)
    found += [
        Found("key to its frame, median", 15, "ms", alone.part(0.5), TABLE, peer.part(0.5)),
        Found("key to its frame, p95", 30, "ms", alone.part(0.95), TABLE, peer.part(0.95)),
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
    return found


def ended(number: int) -> int:
    """The place of a filled job: of a hundred one waits, and stands below the others of its batch."""
    return number - number // 100


def said(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def first_frame(command: Sequence[str]) -> float:
    """Milliseconds from starting the program until the frame that has a row in it is complete."""
    with Screen(command) as screen:
        return (screen.until(ROW) - screen.began) * 1000


def resting(screen: Screen, span_s: float) -> float:
    """Per cent of a core that the program and its children use at rest; what it writes is taken in."""
    before, began = idle.used_s(screen.pid), time.monotonic()
    screen.pause(span_s)
    return 100 * (idle.used_s(screen.pid) - before) / (time.monotonic() - began)


def press_jobs(screen: Screen) -> None:
    screen.press(b"2")
    screen.until(b"IMG_", len(screen.frames))
    screen.quiet()


def top(screen: Screen) -> None:
    """Back to the first row."""
    screen.press(b"\x1b[H")
    screen.quiet()


def held(screen: Screen, count: int, place: Place = int) -> Keys:
    """Hold the key down that goes to the row below; `place` is that of a row's number, counted from the end."""
    first = len(screen.frames)
    pressed, used = [], cpu_s(screen.pid)
    began = due = time.perf_counter()
    for _ in range(count):
        while (left_s := due - time.perf_counter()) > 0:
            screen.read(left_s)
        pressed.append(screen.press(DOWN))
        due += EACH_S
    screen.pause(0.5)
    used = cpu_s(screen.pid) - used
    found = Keys(cpu=100 * used / (time.perf_counter() - began))
    picture, done = Picture(screen), 0
    while picture.drawn < first:
        picture.draw()
    start = picture.chosen(PHOTO)
    assert start is not None, str(picture)
    while picture.drawn < len(screen.frames):
        at = picture.draw()
        here = picture.chosen(PHOTO)
        if here is not None:
            while done < count and place(start) - place(here) > done:
                found.took_ms.append((at - pressed[done]) * 1000)
                done += 1
    if done < count:
        raise SystemExit(f"of {count} keys {done} were seen to do something:\n{picture}")
    said(f"  median {found.part(0.5):.1f} ms, p95 {found.part(0.95):.1f} ms, CPU {found.cpu:.0f} %")
    return found


def burst(screen: Screen, place: Place = int) -> float:
    """Milliseconds until the frame that shows what 200 keys at once have done."""
    picture = Picture(screen)
    picture.draw_all()
    start = picture.chosen(PHOTO)
    assert start is not None, str(picture)

    def there() -> bool:
        here = picture.chosen(PHOTO)
        return here is not None and place(start) - place(here) == BURST

    return shown(screen, picture, DOWN * BURST, there)


def end(screen: Screen, key: bytes, last: int) -> float:
    """Milliseconds until the frame that shows the row with the number `last`, after the key that goes there."""
    picture = Picture(screen)
    picture.draw_all()
    return shown(screen, picture, key, lambda: picture.chosen(PHOTO) == last)


def shown(screen: Screen, picture: Picture, keys: bytes, there: Callable[[], bool]) -> float:
    """Milliseconds from the keys to the first frame in which it is there."""
    pressed = screen.press(keys)
    deadline = pressed + PATIENCE_S
    while time.perf_counter() < deadline:
        screen.quiet(1.0)
        while picture.drawn < len(screen.frames):
            at = picture.draw()
            if there():
                return (at - pressed) * 1000
        screen.read(1.0)
    raise SystemExit(f"{keys[:10]!r} did not lead where it should:\n{picture}")


def filters(screen: Screen, home: Path) -> dict[str, float]:
    """Milliseconds from a filter, typed at once, to the first frame with other rows than before."""
    desk = Desk(home)
    (job,) = desk.jobs("state:completed", limit=1).jobs
    desk.close()
    found = {}
    for filter_ in FILTERS:
        term = filter_.format(id=job.id)
        screen.press(b"/")
        screen.quiet()
        picture = Picture(screen)
        picture.draw_all()
        before = picture.numbers(PHOTO)

        def other(picture: Picture = picture, before: list[int] = before) -> bool:
            rows = picture.numbers(PHOTO)
            return bool(rows) and rows != before[: len(rows)]

        found[filter_.replace("{id}", "ID")] = shown(screen, picture, term.encode() + b"\r", other)
        screen.press(b"/")
        screen.quiet()
        screen.press(b"\x1b")
        screen.quiet(1.0)
    return found


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


def render(found: Sequence[Found], about: dict[str, str], count: int) -> str:
    lines = [
        "# The terminal app measured",
        "",
        f"`python -m benchmarks.terminal`: a pseudo terminal of 120x40, {count:,} jobs in the ledger, the app works on "
        "it with a consumer of its own. A frame is complete when the terminal has got the end of its synchronized "
        "update; which row it shows is found by a terminal emulator afterwards. Keys are held down, 30 a second. Read "
        "the ratios: the machine is part of every number.",
        "",
        " · ".join(f"{name}: {value}" for name, value in about.items()),
        "",
        "| what | goal | measured | | peer | it takes | ratio |",
        "|---|---:|---:|---|---|---:|---:|",
    ]
    for one in found:
        goal = "" if one.most is None else f"{one.most:g} {one.unit}"
        theirs = "" if one.theirs is None else f"{_short(one.theirs)} {one.unit}"
        ratio = f"{one.ours / one.theirs:.2f}" if one.theirs else ""
        measured = f"{_short(one.ours)} {one.unit}"
        lines.append(f"| {one.what} | {goal} | {measured} | {one.reached} | {one.peer} | {theirs} | {ratio} |")
    return "\n".join(lines) + "\n"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.terminal", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000, metavar="N", help="in the ledger")
    parser.add_argument("--home", type=Path, help="a home that `python -m benchmarks.fill` has filled; it is copied")
    parser.add_argument("--runs", type=int, default=9, metavar="N", help="first frames; the median is told")
    parser.add_argument("--keys", type=int, default=150, metavar="N", help="keys of each measurement")
    parser.add_argument("--rest", type=float, default=30.0, metavar="S", help="how long it is watched at rest")
    parser.add_argument("--folder", type=Path, help="where to measure; else the temporary folder")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the file to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
