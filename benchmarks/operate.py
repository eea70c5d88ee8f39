"""What operating costs: the drain rate with services that watch the work, against without.

`python -m benchmarks.operate`; `--services` names them (those of `Service.name`), all others run in both. In each
round both drain the same jobs, in turn the one or the other first, each in a process of its own on a fresh copy of the
folder. Beside the rate stands the processor time of a job, which a busy machine disturbs less.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import consumer, peers, work
from benchmarks.trial import WORKERS
from jobdesk.core.service import Service

SERVICES = ["summarizer", "alerter", "notifier"]
GOAL = 0.97
CAP_S = 60.0
AT_ONCE = 2_000
PEER = "jobdesk"


def fill(folder: Path, jobs: int) -> None:
    """A home in which so many wait."""
    peer = peers.everything()[PEER]
    peer.open(folder)
    for start in range(0, jobs, AT_ONCE):
        peer.submit_many([work.payload(n) for n in range(start, min(start + AT_ONCE, jobs))])
    peer.close()


def drain(folder: Path, jobs: int, without: list[str]) -> dict[str, object]:
    """In this process: the rate of draining them, and what ran of the services that were asked for."""
    ran: list[str] = []
    start = Service.start

    def chosen(self: Service) -> None:
        if self.name in without:
            return
        ran.append(self.name)
        start(self)

    Service.start = chosen  # type: ignore[method-assign]
    peer = peers.everything()[PEER]
    peer.open(folder)
    count, ready = work.Count(jobs), threading.Event()
    work.become(count)
    peer.consume(WORKERS, ready.set)
    used_s = time.process_time()
    found = consumer.drain(peer, count, ready, CAP_S)
    used_s = time.process_time() - used_s
    peer.stop()
    return {"rate": found["done"] / found["seconds"], "cpu_us": 1e6 * used_s / found["done"], "ran": ran}


def one(source: Path, jobs: int, without: list[str]) -> tuple[float, float, list[str]]:
    """In a process of its own, on a copy."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.wake"), dirs_exist_ok=True)
        words = [sys.executable, "-m", "benchmarks.operate", "--drain", folder, "--jobs", str(jobs)]
        done = subprocess.run([*words, "--services", ",".join(without)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["rate"]), float(found["cpu_us"]), list(found["ran"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", default=",".join(SERVICES), help="names, with commas (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=60_000)
    parser.add_argument("--folder", type=Path, help="on which disk (default: that of temporary files)")
    parser.add_argument("--drain", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    services = [name for name in args.services.split(",") if name]
    if args.drain is not None:
        print(json.dumps(drain(args.drain, args.jobs, services)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="jobdesk-bench-") as root:
        source = Path(root) / "source"
        source.mkdir()
        fill(source, args.jobs)
        found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        there: set[str] = set()
        for number in range(args.rounds + 1):
            for on in (True, False) if number % 2 else (False, True):
                rate, cpu_us, ran = one(source, args.jobs, [] if on else services)
                there |= set(ran) & set(services) if on else set()
                if number:  # the first round warms up
                    found[on].append((rate, cpu_us))
    missing = f" (not there: {', '.join(sorted(set(services) - there))})" if set(services) - there else ""
    print(f"measured: {', '.join(sorted(there)) or 'nothing'}{missing}; {args.jobs:,} jobs, {args.rounds} rounds")
    for on, word in ((True, "with"), (False, "without")):
        rates, used = zip(*found[on], strict=True)
        print(f"{word:>8}: {statistics.median(rates):9,.0f} /s   {statistics.median(used):7.1f} µs of CPU a job")
    ratios = [[with_[at] / without[at] for with_, without in zip(*found.values(), strict=True)] for at in (0, 1)]
    (rate, low, high), (cpu, *_) = [(statistics.median(each), min(each), max(each)) for each in ratios]
    verdict = "reached" if rate > GOAL else "missed"
    print(f"   ratio: {rate:9.3f} ({low:.3f} to {high:.3f})   {cpu:.3f}; goal of the rate > {GOAL}: {verdict}")


if __name__ == "__main__":
    main()
