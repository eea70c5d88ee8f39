"""What strangers' pictures cost: `python -m benchmarks.hostile FOLDER …`, beside bombs of our own making.

Each file of the folders (Pillow's sdist has a thousand in `Tests/images`) is made into four renditions with metadata,
the bombs too, in one process after the other's death. Told are the worst: memory of the whole process, its time, and
whether one killed it. Goals: 256 MB (HEIC 600) and 2 s a file; 100 MB and 1 s for a bomb; nothing stops the next.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

LIMIT_S = 60.0
WORST = 8


def bombs(folder: Path) -> Iterator[Path]:
    """Small files that claim, or hold, very much."""
    from PIL import Image

    def png(name: str, size: tuple[int, int], mode: int, depth: int, bytes_a_pixel: int) -> Path:
        row = zlib.compressobj(9)
        line = bytes(1 + size[0] * bytes_a_pixel)
        body = b"".join(row.compress(line) for _ in range(size[1])) + row.flush()
        header = struct.pack(">IIBBBBB", *size, depth, mode, 0, 0, 0)
        return write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def write(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    yield png("13000x13000.png", (13_000, 13_000), 2, 8, 3)
    yield png("9900x9900.png", (9_900, 9_900), 2, 8, 3)
    yield png("9400x9400-rgba16.png", (9_400, 9_400), 6, 16, 8)
    for name, size, more in (
        ("9900x9900.webp", (9_900, 9_900), {"lossless": True}),
        ("9900x9900.gif", (9_900, 9_900), {}),
        ("9900x9900.tiff", (9_900, 9_900), {"compression": "tiff_adobe_deflate"}),
        ("9900x9900.jpg", (9_900, 9_900), {}),
        ("9900x9900-progressive.jpg", (9_900, 9_900), {"progressive": True}),
    ):
        Image.new("P" if name.endswith("gif") else "RGB", size).save(folder / name, **more)
        yield folder / name
    small = folder / "9900x9900.jpg"
    content = small.read_bytes()
    yield write("cut.jpg", content[: len(content) // 10])
    scan = content[content.index(b"\xff\xda") :]
    yield write("scans.jpg", content[: content.index(b"\xff\xda")] + scan[:-2] * 200 + b"\xff\xd9")


def work(out: Path) -> None:
    """In a process of its own: a path a line comes in, what it cost a line goes out."""
    from PIL import Image

    from benchmarks.pictures.engines import FOUR, Bare
    from jobdesk import Reject
    from jobdesk_processors import images

    context: Any = Bare(out)
    shapes = [images.NamedShape(**shape) for shape in FOUR]
    Image.init()  # each decoder counts as there before
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        began, used = time.monotonic(), time.process_time()
        try:
            images.resize_image(context, Path(json.loads(line)), renditions=shapes, metadata=True, output=out)
            end = "made"
        except Reject as error:
            end = error.reason or "refused"
        except Exception as error:  # told, as whatever else happens
            end = f"{type(error).__name__}: {error}"
        cost = {"end": end, "s": time.monotonic() - began, "cpu_s": time.process_time() - used}
        print(json.dumps(cost | {"mb": _peak_mb()}), flush=True)


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class Worker:
    """A process that works on one file after the other; another takes its place when one kills it."""

    def __init__(self, out: Path) -> None:
        self._words = [sys.executable, "-m", "benchmarks.hostile", "--worker", str(out)]
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def cost(self, file: Path) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(str(file)) + "\n")
        self.process.stdin.flush()
        if line := self.process.stdout.readline():
            found: dict[str, Any] = json.loads(line)
            return found
        code = self.process.wait(LIMIT_S)
        self._start()
        return {"end": f"killed its process ({code})", "s": 0.0, "cpu_s": 0.0, "mb": 0.0}

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(LIMIT_S)


def told(title: str, costs: dict[Path, dict[str, Any]]) -> list[str]:
    """How they ended, and the worst of them."""
    ends = Counter(cost["end"].partition(":")[0] for cost in costs.values())
    lines = [f"{title}: {len(costs)} files: " + ", ".join(f"{n} {end}" for end, n in ends.most_common())]
    for key, unit in (("mb", "MB"), ("cpu_s", "s of CPU"), ("s", "s")):
        worst = sorted(costs.items(), key=lambda one: -one[1][key])[:WORST]
        lines.append(
            f"  most {unit}: " + ", ".join(f"{path.name} {cost[key]:.2f} {cost['end']}" for path, cost in worst)
        )
    return lines


def measured(files: Sequence[Path], out: Path) -> dict[Path, dict[str, Any]]:
    worker = Worker(out)
    try:
        return {file: worker.cost(file) for file in files}
    finally:
        worker.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker is not None:
        work(asked.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        out, own = Path(folder, "out"), Path(folder, "own")
        own.mkdir()
        out.mkdir()
        print(*told("nothing to speak of", measured([plain(own)], out)), sep="\n")
        print(*told("bombs", {file: measured([file], out)[file] for file in bombs(own)}), sep="\n")
        for where in asked.folders:
            files = sorted(path for path in where.rglob("*") if path.is_file() and os.access(path, os.R_OK))
            print(*told(str(where), measured(files, out)), sep="\n")


def plain(folder: Path) -> Path:
    """What a process costs that has worked on next to nothing."""
    from PIL import Image

    Image.new("RGB", (1, 1)).save(folder / "one.png")
    return folder / "one.png"


if __name__ == "__main__":
    main()
