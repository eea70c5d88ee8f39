"""One engine over a folder of photos: `python -m benchmarks.pictures.runner ENGINE FOLDER OUT`.

Prints one JSON line: milliseconds and CPU milliseconds a photo, and the largest memory of the process.
"""

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.pictures.engines import ENGINES


def main() -> None:
    name, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    photos = sorted(folder.iterdir())
    run = ENGINES[name](out)
    run(photos[0])  # what is loaded once does not count
    began, used = time.perf_counter(), time.process_time()
    for photo in photos:
        run(photo)
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": wall * 1000 / len(photos), "cpu_ms": cpu * 1000 / len(photos), "rss_mb": rss}))


if __name__ == "__main__":
    main()
