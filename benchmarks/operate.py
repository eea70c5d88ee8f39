"""What operating costs: the drain rate with services that watch the work, against without.

`python -m benchmarks.operate`; `--services` names them (those of `Service.name`), all others run in both. In each
round both drain the same jobs, in turn the one or the other first, each in a process of its own on a fresh copy of the
folder. Beside the rate stand the processor time of a job and that of the services' own threads,
which a busy machine disturbs less.
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
from typing import Any

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


def drain(folder: Path, jobs: int, services: list[str], on: bool) -> dict[str, object]:
    """In this process: the rate of draining them, CPU of a job, and what of it these services took themselves."""
    own: dict[str, float] = {}
    start = Service.start

    def chosen(self: Service) -> None:
        if self.name in services:
            if not on:
                return
            _measure(self, own)
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
    done, own_now = found["done"], dict(own)
    peer.stop()
    return {
        "rate": done / found["seconds"],
        "cpu_us": 1e6 * used_s / done,
        "own_us": {name: 1e6 * own_s / done for name, own_s in own_now.items()},
    }


def _measure(service: Service, own: dict[str, float]) -> None:
    """Add up the CPU time that its thread takes."""
    own[service.name] = 0.0
    run_once = service.run_once

    def measured() -> float | None:
        began = time.thread_time()
        try:
            return run_once()
        finally:
            own[service.name] += time.thread_time() - began

    service.run_once = measured  # type: ignore[method-assign]


def one(source: Path, jobs: int, services: list[str], on: bool) -> dict[str, Any]:
    """In a process of its own, on a copy."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.wake"), dirs_exist_ok=True)
        words = [sys.executable, "-m", "benchmarks.operate", "--drain", folder, "--jobs", str(jobs)]
        words += ["--services", ",".join(services), *(["--off"] if not on else [])]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", default=",".join(SERVICES), help="names, with commas (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=60_000)
    parser.add_argument("--folder", type=Path, help="on which disk (default: that of temporary files)")
    parser.add_argument("--drain", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--off", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    services = [name for name in args.services.split(",") if name]
    if args.drain is not None:
        print(json.dumps(drain(args.drain, args.jobs, services, not args.off)))
        return
    found: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="jobdesk-bench-") as root:
        source = Path(root) / "source"
        source.mkdir()
        fill(source, args.jobs)
        for number in range(args.rounds + 1):
            for on in (True, False) if number % 2 else (False, True):
                answer = one(source, args.jobs, services, on)
                if number:  # the first round warms up
                    found[on].append(answer)
    print(f"{args.jobs:,} jobs, {args.rounds} rounds")
    show(found, services)


def show(found: dict[bool, list[dict[str, Any]]], services: list[str]) -> None:
    for on, word in ((True, "with"), (False, "without")):
        rate, cpu = (statistics.median(one[key] for one in found[on]) for key in ("rate", "cpu_us"))
        print(f"{word:>10}: {rate:9,.0f} /s   {cpu:6.1f} µs of CPU a job")
    rates = [with_["rate"] / without["rate"] for with_, without in zip(found[True], found[False], strict=True)]
    ratio = statistics.median(rates)
    verdict = "reached" if ratio > GOAL else "missed"
    print(f"     ratio: {ratio:9.3f} ({min(rates):.3f} to {max(rates):.3f}); goal > {GOAL}: {verdict}")
    costs = [with_["cpu_us"] / without["cpu_us"] for with_, without in zip(found[True], found[False], strict=True)]
    print(f"  CPU ratio: {statistics.median(costs):7.3f} ({min(costs):.3f} to {max(costs):.3f}); says more under load")
    for name in services:
        if all(name in one["own_us"] for one in found[True]):
            own = statistics.median(one["own_us"][name] for one in found[True])
            part = statistics.median(one["own_us"][name] / one["cpu_us"] for one in found[True])
            print(f"{name:>10}: {own:6.2f} µs of CPU a job in its own thread, {100 * part:.1f} % of all")
        else:
            print(f"{name:>10}: there is no such service")


if __name__ == "__main__":
    main()
