"""Drop folders: from a file to its job, thousands at once, and what they cost at rest: `python -m benchmarks.folders`.

Goals: a whole file is a stored job within 50 ms (median); 10,000 small files are claimed and submitted at 1,000 a
second or more; with 100,000 files there at the start the first job is stored within 2 s of the start of the process
(settings as they come); at rest the threads of the folders cost less than 0.3 ms of CPU a second together. Files that
are taken in must not be felt: the lateness of a 10 ms ticker in the same process, beside that at rest and that next to
a thread that computes.

The process starts as an installed one does, with the bytecode of its modules kept, and once more without any: where
PYTHONDONTWRITEBYTECODE is set each start compiles everything. Its CPU until then is what an idle machine would need.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from jobdesk import Desk, dropping
from jobdesk.folders.keeper import Keeper

PROCESSOR = '''
from pathlib import Path

from jobdesk import Context, processor


@processor("TAKE", isolation="thread")
def take(ctx: Context, source: Path) -> dict:
    """Does nothing."""
    return {}
'''
LIMIT_S = 120.0
_COUNT = "SELECT count(*) FROM job"


def home(folder: Path, settings: str) -> Path:
    """A home with one drop folder, `inbox`, whose files become jobs that do nothing."""
    made = folder / "home"
    (made / "processors").mkdir(parents=True)
    (made / "inbox").mkdir()
    (made / "processors" / "take.py").write_text(PROCESSOR)
    (made / "jobdesk.toml").write_text(f'[[folders]]\npath = "inbox"\npipeline = "TAKE"\n{settings}')
    return made


@contextmanager
def kept(where: Path) -> Iterator[tuple[Desk, Keeper]]:
    """The folders of a home, kept in this process; nobody runs the jobs."""
    desk = Desk(where)
    desk.sync_queues()
    desk.registry.get("TAKE")
    keeper = dropping.keeper(desk, "con_benchmark")
    keeper.start()
    try:
        until(lambda: bool(keeper.folders) and not keeper.busy)
        yield desk, keeper
    finally:
        keeper.stop()
        desk.close()


def until(true: Callable[[], bool], look_s: float = 0.002) -> None:
    end = time.monotonic() + LIMIT_S
    while not true():
        if time.monotonic() > end:
            sys.exit(f"it took longer than {LIMIT_S:.0f} s")
        time.sleep(look_s)


def latency(folder: Path, count: int, settle_s: float) -> list[float]:
    """Milliseconds from the moment when a file is whole (closed, and at rest as long as it must) to its stored job."""
    found = []
    stored = threading.Event()
    with kept(home(folder, f'settle = "{settle_s}s"\n')) as (desk, _):
        desk.ledger.on_commit.append(lambda wakes: stored.set() if wakes else None)
        for number in range(count):
            stored.clear()
            (desk.home.inbox / f"{number}.txt").write_text(f"file {number}")
            closed = time.monotonic()
            if not stored.wait(LIMIT_S):
                sys.exit("a file was not taken")
            found.append((time.monotonic() - closed - settle_s) * 1000)
            time.sleep(0.02)
    return found


def burst(folder: Path, count: int) -> dict[str, float]:
    """Files a second that are claimed and submitted, of those that lie in the folder; with claims on this disk."""
    where = home(folder, f'settle = "0s"\nahead = {count}\n')
    for number in range(count):
        (where / "inbox" / f"{number}.txt").write_bytes(b"%d " % number * 200)
    os.sync()  # the first fsync of the ledger must not pay for writing these
    desk = Desk(where)
    desk.sync_queues()
    desk.registry.get("TAKE")
    keeper = dropping.keeper(desk, "con_benchmark")
    with Ticker() as quiet:
        time.sleep(2.0)
    computing = threading.Thread(target=_compute, args=(2.0,))
    with Ticker() as beside:
        computing.start()
        computing.join()
    with Ticker() as ticker:
        began, before = time.monotonic(), time.process_time()
        keeper.start()
        until(lambda: (desk.ledger.row(_COUNT) or (0,))[0] >= count, look_s=0.05)
        took, cpu = time.monotonic() - began, time.process_time() - before
    keeper.stop()
    files = desk.ledger.row("SELECT count(*), count(DISTINCT sha256) FROM intake WHERE state = 'queued'")
    desk.close()
    if files != (count, count):
        sys.exit(f"{count} files became {files} jobs")
    found = {f"files/s of {count:,}": count / took, "files per CPU second": count / cpu}
    states = {"at rest": quiet, "beside a thread that computes": beside, f"while {count:,} files are taken in": ticker}
    for name, one in states.items():
        found |= {f"ms a 10 ms ticker is late, {name}, {part}": late for part, late in one.late_ms().items()}
    return found


def _compute(seconds: float) -> None:
    """Hold what Python threads share as one that only computes does: what any thread at work costs the others."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


class Ticker:
    """A thread that wants to wake every 10 ms, as a screen does."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> "Ticker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _tick(self) -> None:
        while not self._done.is_set():
            due = time.monotonic() + 0.01
            time.sleep(0.01)
            self._late.append((time.monotonic() - due) * 1000)

    def late_ms(self) -> dict[str, float]:
        cuts = statistics.quantiles(self._late, n=100)
        return {"median": cuts[49], "99 %": cuts[98], "most": max(self._late)}


def first_job(folder: Path, count: int, *, compiled: bool) -> dict[str, float]:
    """Seconds from the start of a consumer process to the first job stored, and started, with so many files there."""
    where, environment = home(folder, ""), dict(os.environ) | {"PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-m", "jobdesk", "--home", str(where), "--consumer"]
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    if compiled:
        del environment["PYTHONDONTWRITEBYTECODE"]
        (where / "inbox" / "first.txt").write_bytes(b"first")
        subprocess.run([*words, "--drain"], env=environment, check=True, stdout=subprocess.DEVNULL)
    for number in range(count):
        (where / "inbox" / f"{number}.txt").write_bytes(b"%d" % number)
    os.sync()  # the first fsync of the ledger must not pay for writing these
    time.sleep(2.0)  # as long as the last of them must rest
    desk = Desk(where)
    newest = (desk.ledger.row("SELECT max(seq) FROM job") or (None,))[0] or 0
    began = time.monotonic()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, env=environment)
    try:
        until(lambda: desk.ledger.row("SELECT 1 FROM job WHERE seq > ? LIMIT 1", (newest,)) is not None)
        stored, cpu = time.monotonic() - began, psutil.Process(process.pid).cpu_times()
        started = "SELECT 1 FROM job WHERE seq > ? AND started_at IS NOT NULL LIMIT 1"
        until(lambda: desk.ledger.row(started, (newest,)) is not None)
        kept = "bytecode kept" if compiled else "no bytecode"
        return {
            f"s to the first job stored, {count:,} files there, {kept}": stored,
            f"s of CPU until then, {kept}": cpu.user + cpu.system,
            f"s to the first job started, {kept}": time.monotonic() - began,
            f"load average of the machine, {kept}": os.getloadavg()[0],
        }
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)
        desk.close()


def rest(folder: Path, seconds: float, folders: int) -> float:
    """Milliseconds of CPU that all threads of the folders use in a second while nothing happens."""
    where = home(folder, "")
    with (where / "jobdesk.toml").open("a") as settings:
        for number in range(1, folders):
            (folder / f"inbox{number}").mkdir()
            settings.write(f'[[folders]]\npath = "{folder}/inbox{number}"\npipeline = "TAKE"\n')
    with kept(where):
        time.sleep(3.0)
        before, began = _used_ns(), time.monotonic()
        time.sleep(seconds)
        return (_used_ns() - before) / 1e6 / (time.monotonic() - began)


def _used_ns() -> int:
    threads = [one for one in threading.enumerate() if one.name.startswith("jobdesk-folders")]
    return sum(int(Path(f"/proc/self/task/{one.native_id}/schedstat").read_text().split()[0]) for one in threads)


class Told(dict[str, float]):
    """Says each number as it is found."""

    def __setitem__(self, name: str, value: float) -> None:
        super().__setitem__(name, value)
        print(f"{name}: {value:.3f}", file=sys.stderr, flush=True)

    def take(self, more: dict[str, float]) -> None:
        for name, value in more.items():
            self[name] = value


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folders", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer files, a shorter rest")
    parser.add_argument("--folder", type=Path, help="on which disk")
    asked = parser.parse_args()
    many = 20_000 if asked.quick else 100_000
    seconds = 10.0 if asked.quick else 65.0
    found = Told()

    def fresh() -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(dir=asked.folder, ignore_cleanup_errors=True)

    for settle_s in (0.0, 0.2):
        with fresh() as folder:
            times = latency(Path(folder), 40, settle_s)
        found[f"ms from whole to job, settle {settle_s:g} s, median"] = statistics.median(times)
        found[f"ms from whole to job, settle {settle_s:g} s, 95 %"] = statistics.quantiles(times, n=20)[-1]
    with fresh() as folder:
        found.take(burst(Path(folder), 10_000))
    for compiled in (True, False):
        with fresh() as folder:
            found.take(first_job(Path(folder), many, compiled=compiled))
    for folders in (1, 20):
        with fresh() as folder:
            found[f"ms CPU a second at rest, {folders} folders"] = rest(Path(folder), seconds, folders)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
