"""What a desk adds to work on pictures, and what its screen feels of it: `python -m benchmarks.pictures.desk PHOTOS`.

The same photos, four renditions and metadata each, are worked on bare in one process and as jobs of a desk, turn by
turn: the CPU of its own process and of its child is counted, from the submission to the stored result. Then two of its
children work at once while a thread of the desk's process wants to wake every 10 ms, as its screen does.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.folders import Ticker
from benchmarks.pictures.engines import FOUR
from jobdesk import Desk, Submission

ROUNDS = 3
TICKED_S = 15.0
WAIT_S = 600.0


def bare(photos: Path, out: str) -> float:
    """CPU milliseconds a photo, without a desk."""
    words = [sys.executable, "-m", "benchmarks.pictures.runner", "four-fast", str(photos), out]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["cpu_ms"])


def jobs(photos: list[Path]) -> list[Submission]:
    data = [{"source": str(photo), "renditions": FOUR, "metadata": True} for photo in photos]
    return [Submission(type="IMAGE_RESIZE", data=one) for one in data]


def _used_s() -> float:
    """CPU of this process and all its children."""
    own = psutil.Process()
    times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def of_desk(desk: Desk, photos: list[Path]) -> float:
    """CPU milliseconds a photo, all that a desk does included."""
    before = _used_s()
    desk.wait(*desk.submit_batch(jobs(photos)), timeout=WAIT_S)
    return (_used_s() - before) * 1000 / len(photos)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures.desk", description=__doc__)
    parser.add_argument("photos", type=Path)
    asked = parser.parse_args()
    photos = sorted(asked.photos.iterdir())
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        (home / "jobdesk.toml").write_text("[desk]\nworkers = 1\nnice = 0\n")
        alone, inside = list[float](), list[float]()
        with Desk(home) as desk:
            of_desk(desk, photos[:1])  # what is loaded once does not count
            for _ in range(ROUNDS):
                alone.append(bare(asked.photos, folder))
                inside.append(of_desk(desk, photos))
        one, other = statistics.median(alone), statistics.median(inside)
        print(f"CPU ms a photo: bare {one:.1f}, as a job {other:.1f}: {100 * (other / one - 1):+.1f} % (goal +5)")
        (home / "jobdesk.toml").write_text("[desk]\nworkers = 2\n")
        with Desk(home) as desk:
            of_desk(desk, photos[:2])
            with Ticker() as quiet:
                time.sleep(TICKED_S)
            more = desk.submit_batch(jobs(photos * 20))
            with Ticker() as busy:
                time.sleep(TICKED_S)
            desk.each("cancel", more)
        for name, ticker in (("nothing", quiet), ("two picture jobs", busy)):
            late = ticker.late_ms()
            print(f"a 10 ms ticker beside {name} is late by: " + ", ".join(f"{k} {v:.2f} ms" for k, v in late.items()))


if __name__ == "__main__":
    main()
