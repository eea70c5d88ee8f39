"""libvips' own command over a folder of photos: `python -m benchmarks.pictures.vipsthumbnail FOLDER OUT`.

Prints one JSON line, as the runner does. All photos are of one process; that of starting it is in the time.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    photos = sorted(Path(sys.argv[1]).iterdir())
    began = time.perf_counter()
    to = f"{Path(sys.argv[2]).resolve()}/%s.jpg[Q=80,strip]"
    subprocess.run(["vipsthumbnail", "--size", "256x256", "-o", to, *map(str, photos)], check=True)
    wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, rss = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(json.dumps({"ms": wall * 1000 / len(photos), "cpu_ms": cpu * 1000 / len(photos), "rss_mb": rss}))


if __name__ == "__main__":
    main()
