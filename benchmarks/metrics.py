"""Reading metrics of 30 days at 1,000 jobs a minute, and what folding an end costs: `python -m benchmarks.metrics`."""

import random
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.fill import TYPES, fill
from benchmarks.report import timed
from jobdesk.core.clock import SystemClock
from jobdesk.core.job import State
from jobdesk.ledger import folding
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.endings import Ended, Totals
from jobdesk.ledger.folding import DAY, HOUR, KEPT_S, MINUTE, Sums
from jobdesk.monitoring.metrics import metrics

A_MINUTE, DAYS, WORKERS, ROUNDS, JOBS = 1000, 30, 4, 15, 100_000


def month(ledger: Ledger, now: float) -> None:
    """The rollups that 30 days leave behind: what one minute holds is drawn once, the rest are sums of it."""
    dice = random.Random(1)
    one = Sums()
    for n in range(A_MINUTE):
        type_, queue = dice.choice(list(TYPES.items()))
        ready, waited, took = now - 100, dice.lognormvariate(0, 1), dice.lognormvariate(-1, 1.5)
        state = State.FAILED if n % 50 == 0 else State.COMPLETED
        error = "ConnectTimeout" if state is State.FAILED else None
        end = Ended(
            n, ready + waited + took, queue, type_, state, 1 + (n % 30 == 0), f"con_1/{n % WORKERS}", ready, ready,
            ready + waited, 40, 90_000_000, error,
        )  # fmt: skip
        one.add(end, DAY)
    of = {MINUTE: one}
    for finer, grain in ((MINUTE, HOUR), (HOUR, DAY)):
        of[grain] = Sums()
        for _ in range(grain // finer):
            _add(of[grain], of[finer])
    for grain, sums in of.items():
        last = int(now // grain)
        kept = min(KEPT_S.get(grain, DAYS * DAY), DAYS * DAY) // grain
        for start in range(last - kept, last, 500):
            with ledger.write() as tx:
                for at in range(start, min(last, start + 500)):
                    folding._write(tx, _at(sums, grain, at))


def _add(into: Sums, other: Sums) -> None:
    for key, totals in other.totals.items():
        into.totals.setdefault(key, Totals()).merge(totals)
    into.errors.update(other.errors)
    for worker, numbers in other.workers.items():
        into.workers[worker] = list(map(sum, zip(into.workers.get(worker, [0, 0, 0.0]), numbers, strict=True)))


def _at(sums: Sums, grain: int, at: int) -> Sums:
    moved = Sums()
    moved.totals = {(grain, at, *key[2:]): totals for key, totals in sums.totals.items()}
    moved.errors.update({(grain, at, *key[2:]): n for key, n in sums.errors.items()})
    moved.workers = {(grain, at, *key[2:]): numbers for key, numbers in sums.workers.items()}
    return moved


def main() -> None:
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="jobdesk-bench-") as folder:
        ledger = Ledger(Path(folder) / "jobdesk.db", clock)
        now = clock.now()
        month(ledger, now)
        print(f"rollups of 30 days: {ledger.path.stat().st_size / 2**20:.0f} MB")
        for hours in (1, 24, 72, 24 * DAYS):
            took = [timed(lambda: metrics(ledger, hours=hours, now=now)) for _ in range(ROUNDS)]  # noqa: B023
            ended = metrics(ledger, hours=hours, now=now)["window"]["ended"]
            print(f"{hours:4} h, {ended:10,} ends: {statistics.median(took):6.1f} ms, at most {max(took):.1f} ms")
        ledger.close()
    with tempfile.TemporaryDirectory(prefix="jobdesk-bench-") as folder:
        fill(Path(folder), JOBS)
        ledger = Ledger(Path(folder) / "jobdesk.db", clock)
        print(f"{JOBS:,} jobs, none folded: {timed(lambda: metrics(ledger, hours=24, now=clock.now())):.0f} ms")
        held, began = [], time.perf_counter()
        while (step := folding.fold(ledger, 5000)).more:
            held.append(1000 * step.held_s)
        took_s = time.perf_counter() - began
        print(f"folding: {1e6 * took_s / JOBS:.1f} µs an end, others wait {max(held):.1f} ms at most")
        print(f"{JOBS:,} jobs, all folded: {timed(lambda: metrics(ledger, hours=24, now=clock.now())):.0f} ms")
        ledger.close()


if __name__ == "__main__":
    main()
