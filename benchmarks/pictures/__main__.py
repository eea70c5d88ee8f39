"""Pictures against their peers in one run: `python -m benchmarks.pictures PHOTOS [--png PNGS] [--sharp NODE_MODULES]`.

PHOTOS is a folder of JPEGs of 2 megapixels and more. Every engine runs in a process of its own, one after the other, in
rounds; medians of CPU time a photo are compared, since they hardly change when others use the machine, and wall time
is printed beside them. sharp is found where `npm install sharp` was run, vipsthumbnail on the path (Debian:
libvips-tools). PNGS is a folder of PNGs of 8 megapixels and more, measured against pyvips, with one thread each.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.pictures import quality
from benchmarks.pictures.engines import FOUR
from jobdesk_processors.shapes import NamedShape

GOALS = (
    ("thumbnail of 256 px, Pillow alone", "thumbnail", "decoding at 1/8 alone", "floor", 1.10),
    ("the same with `jobdesk[fast]`", "thumbnail-fast", "decoding at 1/8 alone", "floor", 1.10),
    ("thumbnail of 256 px, Pillow alone", "thumbnail", "sharp", "sharp thumb", 1.0),
    ("thumbnail of 256 px, Pillow alone", "thumbnail", "vipsthumbnail", "vipsthumbnail", 0.7),
    ("thumbnail of a large PNG, Pillow alone", "png", "pyvips", "png pyvips", 1.70),
    ("the same with `jobdesk[vips]`", "png-vips", "pyvips", "png pyvips", 1.10),
    ("four renditions and metadata, Pillow alone", "four", "sharp, its four pipelines", "sharp four", 0.60),
    ("the same with `jobdesk[fast]`", "four-fast", "sharp, its four pipelines", "sharp four", 0.45),
)


def measured(photos: Path, rounds: int, sharp: Path | None, pngs: Path | None) -> dict[str, dict[str, list[float]]]:
    """Values of all rounds by engine."""
    script = Path(__file__).with_name("sharp.mjs")
    found: dict[str, dict[str, list[float]]] = {}
    alone = dict(os.environ) | {"VIPS_CONCURRENCY": "1"}
    with tempfile.TemporaryDirectory() as out:
        commands = {
            name: [sys.executable, "-m", "benchmarks.pictures.runner", name, str(photos), out]
            for name in ("floor", "thumbnail", "thumbnail-fast", "four", "four-fast")
        }
        if sharp is not None:
            for what in ("thumb", "four"):
                commands[f"sharp {what}"] = ["node", str(script), str(sharp), what, str(photos), out]
        if shutil.which("vipsthumbnail"):
            words = ["-m", "benchmarks.pictures.vipsthumbnail", str(photos), out]
            commands["vipsthumbnail"] = [sys.executable, *words]
        if pngs is not None:
            for name, engine in (("png", "thumbnail"), ("png-vips", "thumbnail-fast"), ("png pyvips", "pyvips")):
                commands[name] = [sys.executable, "-m", "benchmarks.pictures.runner", engine, str(pngs), out]
        for _ in range(rounds):
            for name, command in commands.items():
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=alone)
                for key, value in json.loads(done.stdout).items():
                    found.setdefault(name, {}).setdefault(key, []).append(value)
    return found


def goals(found: dict[str, dict[str, list[float]]]) -> list[str]:
    """A table: what, the peer, the ratio of CPU and of wall time, the goal."""
    lines = ["| what | against | CPU | wall | goal |", "|---|---|---:|---:|---:|"]
    for what, ours, peer_name, peer, goal in GOALS:
        if peer not in found or ours not in found:
            continue
        cpu, wall = (
            statistics.median(found[ours][key]) / statistics.median(found[peer][key]) for key in ("cpu_ms", "ms")
        )
        lines.append(f"| {what} | {peer_name} | {cpu:.2f} | {wall:.2f} | {goal:.2f} |")
    return lines


def likeness(photos: Sequence[Path]) -> list[str]:
    """A table: SSIM of each rendition, the mean and the least."""
    found: dict[str, list[float]] = {}
    for photo in photos:
        for name, value in quality.of_photo(photo, [NamedShape(**shape) for shape in FOUR]).items():
            found.setdefault(name, []).append(value)
    lines = ["| rendition | mean SSIM | least |", "|---|---:|---:|"]
    return lines + [f"| {name} | {statistics.mean(all_):.4f} | {min(all_):.4f} |" for name, all_ in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--png", type=Path)
    parser.add_argument("--sharp", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(f"{name}: {value}" for name, value in machine.describe(Path(folder)).items()), end="\n\n")
    found = measured(given.photos, given.rounds, given.sharp, given.png)
    print("| engine | CPU ms a photo | wall ms a photo | largest memory, MB |\n|---|---:|---:|---:|")
    for name, values in found.items():
        cpu, wall, rss = (statistics.median(values[key]) for key in ("cpu_ms", "ms", "rss_mb"))
        print(f"| {name} | {cpu:.1f} | {wall:.1f} | {rss:.0f} |")
    print("", *goals(found), "", *likeness(sorted(given.photos.iterdir())), sep="\n")


if __name__ == "__main__":
    main()
