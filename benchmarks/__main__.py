"""jobdesk's queue and its peers on the same work in one run: `python -m benchmarks [--quick] [--only jobdesk,huey]`.

Every measurement runs in fresh processes in a fresh folder. It prints the tables and writes them to RESULTS.md.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import machine, peers, table
from benchmarks.goals import OURS, judge
from benchmarks.peers import Missing, Peer
from benchmarks.rounds import Rounds
from benchmarks.trial import WORKERS, Options

RESULTS = Path(__file__).with_name("RESULTS.md")
QUICK = Options(jobs=5_000, cap_s=0.5, backlog=20_000, fill_s=10.0, finished=50_000, pickups=15, idle_s=3.0)
SETTINGS_OF_OURS = ("jobdesk-normal", "jobdesk-full", "jobdesk-process")


def main() -> None:
    asked = _arguments()
    began = time.monotonic()
    how = QUICK if asked.quick else Options()
    how = replace(how, jobs=asked.jobs or how.jobs)
    known = {key: peer for key, peer in peers.everything().items() if key not in SETTINGS_OF_OURS}
    wanted = asked.only.split(",") if asked.only else list(known)
    unknown = [key for key in wanted if key not in known]
    if unknown:
        sys.exit(f"there is no queue {unknown[0]}: choose from {', '.join(known)}")
    there, missing = _there({key: peer for key, peer in known.items() if key in wanted})
    with tempfile.TemporaryDirectory(dir=asked.folder, ignore_cleanup_errors=True) as folder:
        about = machine.describe(Path(folder))
        run = Rounds(there, how, Path(folder), lambda line: print(line, file=sys.stderr, flush=True))
        crash = not asked.quick if asked.crash is None else asked.crash
        results = run.go(asked.rounds or (1 if asked.quick else 3), crash)
    results.notes[:0] = missing
    results.versions = {key: peer.version() for key, peer in there.items()}
    rounds = asked.rounds or (1 if asked.quick else 3)
    servers = [key for key, peer in there.items() if peer.server]
    text = table.render(
        results,
        {key: (peer.title, peer.synchronous) for key, peer in there.items()},
        judge(results, servers, how.backlog, how.finished) if OURS in there else [],
        about | {"took": f"{time.monotonic() - began:.0f} s"},
        _words(how, rounds, asked.quick),
        how.backlog,
        how.finished,
    )
    asked.output.write_text(text)
    print(text)


def _words(how: Options, rounds: int, quick: bool) -> str:
    told = f"medians of {rounds} rounds" if rounds > 1 else "one round"
    return (
        f"`python -m benchmarks{' --quick' if quick else ''}`: {how.jobs:,} no-op jobs with a 200-byte JSON payload, "
        f"one producer, one consumer process with {WORKERS} workers; {told}, each measurement in "
        f"fresh processes and a fresh folder, for at most {how.cap_s} s. The clock of a drain runs from when the "
        "workers have started to the last job done. Read the ratios: the machine is part of every number."
    )


def _there(wanted: dict[str, Peer]) -> tuple[dict[str, Peer], list[str]]:
    there, missing = {}, []
    for key, peer in wanted.items():
        try:
            peer.check()
            there[key] = peer
        except Missing as why:
            missing.append(f"{peer.title}: not measured: {why}.")
            print(missing[-1], file=sys.stderr)
    return there, missing


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, one round: rougher")
    parser.add_argument("--only", metavar="A,B", help="these queues, by their keys")
    parser.add_argument("--jobs", type=int, metavar="N", help="how many jobs a measurement has")
    parser.add_argument("--rounds", type=int, metavar="N", help="the medians are of so many; 3, quick 1")
    parser.add_argument(
        "--crash",
        action=argparse.BooleanOptionalAction,
        help="kill the consumers and see what comes back; not in a quick run",
    )
    parser.add_argument(
        "--folder", type=Path, help="where to measure, on the disk that matters; else the temporary folder"
    )
    parser.add_argument(
        "--output", type=Path, default=RESULTS, help="the file to write, RESULTS.md beside this program"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
