"""Jobs in child processes, without the ledger: how many a second, and how soon a stuck child is replaced.

Peer: Pebble's ProcessPool in the same run, started by forkserver, its defaults. It hands a function and its
arguments to a child and takes back what that returns; ours also takes back what the job printed, ends what
it started and measures it. Neither is niced. After the first jobs, and before each that gets stuck, there is a
pause in which the spare child starts.
"""

import contextlib
import ctypes
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from pebble import ProcessPool

from benchmarks.report import pairs, show, timed
from jobdesk import Desk
from jobdesk.core.clock import SystemClock
from jobdesk.core.job import Job
from jobdesk.core.outcome import Completed
from jobdesk.queue.hand import Hand
from jobdesk.runtime.lane import Lane
from jobdesk.runtime.messages import Spec
from jobdesk.runtime.pool import Pool
from jobdesk.runtime.report import Report
from jobdesk.runtime.running import RunningJobs
from jobdesk.runtime.settle import Settler
from jobdesk.runtime.supervise import Supervisor
from jobdesk.runtime.wiring import Wiring

JOBS = 2000
RUNS = 5
KILLS = 5
PAUSE_S = 1.0
PROCESSORS = """
import ctypes
from pathlib import Path
from jobdesk import Context, processor

@processor("nothing")
def nothing(ctx: Context, text: str) -> None:
    pass

@processor("stuck")
def stuck(ctx: Context, began: Path) -> None:
    began.touch()
    ctypes.PyDLL(None).sleep(600)  # C that keeps the interpreter to itself: it hears nothing
"""
TEXT = "x" * 200


class Ours:
    """The supervisor and its children as a consumer has them, without a queue."""

    def __init__(self, desk: Desk, file: Path) -> None:
        self._file = str(file)
        self._clock = desk.clock
        self._home, self._work = str(desk.home.path), str(desk.home.work)
        self._settings = desk.config.images.model_dump()
        self._job = _any_job(desk)
        self._count = 0
        self._lane = Lane(Hand(lambda: None))  # nothing lies ready: each job is a round trip
        self.running = RunningJobs()
        self.pool = Pool(desk.ledger, "con_benchmark", desk.home.run, nice=0)
        settler = Settler(desk.ledger, cast(Wiring, None))  # nothing here submits
        self._supervisor = Supervisor(desk.ledger, settler, self.pool, SystemClock(), cancel_grace_s=2.0)

    def call(self, type_: str, data: dict[str, object]) -> Report:
        self._count += 1
        token = f"{self._job.id}-{self._count}"
        spec: Spec = {
            "token": token, "job": self._job.id, "type": type_, "queue": "default", "user": None, "flow": None,
            "attempt": 1, "max_attempts": 4, "home": self._home, "work": f"{self._work}/{token}",
            "settings": self._settings, "results": {}, "data": data, "timeout_s": 60.0, "memory_limit": 2_000_000_000,
            "module": "", "file": self._file,
        }  # fmt: skip
        report, entry = Report(token=token), self.running.add(self._job)
        self._supervisor.run(spec, entry, report, self._lane)
        return report

    def nothing(self) -> None:
        report = self.call("nothing", {"text": TEXT})
        assert isinstance(report.outcome, Completed), report.outcome

    def replace(self, folder: Path) -> float:
        """Milliseconds from the wish to end a stuck job to the end of the next job of that thread."""
        began = folder / "began"
        began.unlink(missing_ok=True)
        time.sleep(PAUSE_S)
        wished: list[float] = []

        def wish() -> None:
            _until(began.exists)
            wished.append(time.perf_counter())
            for entry in self.running.all():
                self.running.wish(entry, "release", "stuck", self._clock.monotonic())

        killer = threading.Thread(target=wish)
        killer.start()
        self.call("stuck", {"began": str(began)})
        self.nothing()
        ended = time.perf_counter()
        killer.join()
        return (ended - wished[0]) * 1000


def nothing(text: str) -> None:
    """The peer's job that does nothing."""


def stuck(began: str) -> None:
    """The peer's job that hangs."""
    Path(began).touch()
    ctypes.PyDLL(None).sleep(600)


@contextlib.contextmanager
def pebble(workers: int) -> Iterator[ProcessPool]:
    with ProcessPool(max_workers=workers, context=multiprocessing.get_context("forkserver")) as pool:
        yield pool
        pool.stop()


def replace(pool: ProcessPool, folder: Path) -> float:
    """The same of Pebble: from the cancelling of a stuck job to the end of the next."""
    began = folder / "peer_began"
    began.unlink(missing_ok=True)
    time.sleep(PAUSE_S)
    hanging = pool.schedule(stuck, args=(str(began),))
    _until(began.exists)

    def again() -> None:
        hanging.cancel()
        pool.schedule(nothing, args=(TEXT,)).result()

    return timed(again)


def rate(threads: ThreadPoolExecutor, count: int, job: Callable[[], object]) -> float:
    """Jobs a second when each of `count` threads does one after the other."""
    together = threading.Barrier(count)

    def work(_: int) -> None:
        together.wait()
        for _ in range(JOBS):
            job()

    return count * JOBS / timed(lambda: list(threads.map(work, range(count)))) * 1000


def _any_job(desk: Desk) -> Job:
    return desk.job(desk.submit("nothing", {"text": TEXT}).id)


def _until(what: Callable[[], object]) -> None:
    while not what():
        time.sleep(0.001)


def compare(ours: Ours, count: int) -> None:
    """Round trips a second with so many warm children."""
    with ThreadPoolExecutor(count) as threads, pebble(count) as pool:
        rate(threads, count, ours.nothing)
        time.sleep(PAUSE_S)
        mine, theirs = pairs(
            RUNS,
            lambda: rate(threads, count, ours.nothing),
            lambda: rate(threads, count, lambda: pool.schedule(nothing, args=(TEXT,)).result()),
        )
    goal = "goal > 5,000/s" if count == 2 else ""
    show(f"no-op jobs, {count} warm child{'ren' * (count > 1)}", mine, "Pebble", theirs, unit="/s", goal=goal)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        (home / "processors").mkdir(parents=True, mode=0o700)
        own = home / "processors" / "own.py"
        own.write_text(PROCESSORS)
        with contextlib.closing(Desk(home)) as desk:
            ours = Ours(desk, own)
            with contextlib.closing(ours.pool):
                compare(ours, 1)
                compare(ours, 2)
                with pebble(1) as pool:
                    mine, theirs = pairs(KILLS, lambda: ours.replace(folder), lambda: replace(pool, folder))
                show("stuck child killed, next job done", mine, "Pebble", theirs, goal="goal < 100 ms")


if __name__ == "__main__":
    main()
