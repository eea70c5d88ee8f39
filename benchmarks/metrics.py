"""Reading metrics of 30 days at 1,000 jobs a minute, and what folding an end costs: `python -m benchmarks.metrics`."""

import random
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.fill import TYPES, fill
from benchmarks.report import timed
from jobdesk.core.clock import SystemClock
from jobdesk.ledger import endings, folding
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.folding import KEPT_S, Rows
from jobdesk.ledger.totals import DAY, HOUR, MINUTE, Sums
from jobdesk.monitoring.metrics import metrics
from jobdesk.runtime.summarizer import LEAST

A_MINUTE, DAYS, WORKERS, ROUNDS, JOBS = 1000, 30, 4, 15, 100_000


def month(ledger: Ledger, now: float) -> None:
    """The rollups that 30 days leave behind: what one minute holds is drawn once, the rest are sums of it."""
    one = minute(ledger, now)
    of = {MINUTE: one}
    for finer, grain in ((MINUTE, HOUR), (HOUR, DAY)):
        of[grain] = Sums()
        for _ in range(grain // finer):
            _add(of[grain], of[finer])
    for grain, sums in of.items():
        last = int(now // grain)
        kept = min(KEPT_S.get(grain, DAYS * DAY), DAYS * DAY) // grain
        rows = folding.rows_of(ledger, sums)
        for start in range(last - kept, last, 500):
            with ledger.write() as tx:
                for at in range(start, min(last, start + 500)):
                    folding.write(tx, _at(rows, grain, at))


def minute(ledger: Ledger, now: float) -> Sums:
    """What the ends of one minute come to."""
    dice = random.Random(1)
    ends = []
    for n in range(A_MINUTE):
        type_, queue = dice.choice(list(TYPES.items()))
        ready, waited, took = now - 100, dice.lognormvariate(0, 1), dice.lognormvariate(-1, 1.5)
        failed = n % 50 == 0
        ends.append(
            (n + 1, ready + waited + took, queue, type_, "failed" if failed else "completed", 1 + (n % 30 == 0),
             f"con_1/{n % WORKERS}", ready, ready, ready + waited, 40, 90_000_000, "ConnectTimeout" if failed else None)
        )  # fmt: skip
    with ledger.write() as tx:
        tx.many(f"INSERT INTO unfolded VALUES ({', '.join('?' * 13)})", ends)
    sums, _ = endings.gather(ledger, 0)
    with ledger.write() as tx:
        tx.run("DELETE FROM unfolded")
    whole = Sums()  # they ended in some minutes; take them for one
    _add(whole, sums)
    return whole


def _add(into: Sums, other: Sums) -> None:
    for key, totals in other.totals.items():
        into.of((0, 0, *key[2:])).merge(totals)
    for named, n in other.errors.items():
        into.errors[(0, 0, *named[2:])] += n
    for named, worked in other.workers.items():
        into.of_worker((0, 0, *named[2:])).merge(worked)


def _at(rows: Rows, grain: int, at: int) -> Rows:
    totals, errors, workers = (
        [(grain, at, *row[2:]) for row in part] for part in (rows.totals, rows.errors, rows.workers)
    )
    return Rows(totals, errors, workers)


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
        while True:
            step = folding.fold(ledger, LEAST)
            held.append(1000 * step.held_s)
            if not step.more:
                break
        took_s = time.perf_counter() - began
        print(f"folding: {1e6 * took_s / JOBS:.1f} µs an end, others wait {max(held):.1f} ms at most")
        print(f"{JOBS:,} jobs, all folded: {timed(lambda: metrics(ledger, hours=24, now=clock.now())):.0f} ms")
        ledger.close()


if __name__ == "__main__":
    main()
