"""Photos per second through the whole upload flow, against the same Pillow work alone.

Peer: the three picture processors called in a bare loop, by as many processes as the consumer has
workers, with nothing stored, checked, recorded or scanned. Goal: at least 0.6 of it.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image, ImageFilter

from benchmarks.report import show
from jobdesk import Desk
from jobdesk.config import load
from jobdesk.ledger import reads
from jobdesk_processors import images

PHOTOS = 24
SETTINGS = '[[folders]]\npath = "inbox"\npipeline = "IMAGE_UPLOAD_REQUESTED"\nsettle = "100ms"\n'


def make_photos(folder: Path, count: int) -> None:
    """Photos of 12 megapixels, each of its own content, about 3 MB."""
    folder.mkdir()
    for number in range(count):
        noise = Image.effect_noise((4000, 3000), 60).filter(ImageFilter.GaussianBlur(2))
        sky = Image.linear_gradient("L").resize((4000, 3000)).rotate(number)
        Image.merge("RGB", (noise, sky, Image.blend(noise, sky, 0.5))).save(folder / f"{number}.jpg", quality=90)


class Bare:
    """A context that does nothing."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.job = "bare"
        self.log = SimpleNamespace(info=_nothing, warning=_nothing)
        self.progress = self.checkpoint = self.artifact = _nothing


def _nothing(*_: object) -> None:
    pass


def pillow_alone(job: tuple[Path, Path, dict[str, Any]]) -> None:
    photo, output, settings = job
    context: Any = Bare(settings)
    images.extract_metadata(context, photo)
    images.generate_thumbnails(context, photo, output=output)
    images.resize_image(context, photo, output=output)


def bare_loop(photos: Path, out: Path, home: Path, workers: int) -> float:
    """Photos per second."""
    config = load(home)
    settings = {"images": config.images.model_dump(), "storage": {"path": str(out)}}
    work = [(photo, out / photo.stem, settings) for photo in sorted(photos.iterdir())]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(os.path.exists, [out] * workers * 4)  # started before the clock is
        began = time.perf_counter()
        pool.map(pillow_alone, work, chunksize=1)
        return len(work) / (time.perf_counter() - began)


def whole_flow(photos: Path, home: Path, workers: int) -> float:
    """Photos per second, from the first job that starts to the last upload that completes."""
    desk = Desk(home)
    count = len(list(photos.iterdir()))
    shutil.copytree(photos, desk.home.inbox, dirs_exist_ok=True)
    engine = desk.engine("consumer", workers)
    engine.start()
    done = (
        "SELECT min(started_at), max(finished_at), sum(type = 'IMAGE_UPLOAD_COMPLETED') FROM job "
        "WHERE state = 'completed'"
    )
    while (desk.ledger.row(done) or (0, 0, 0))[2] != count:
        time.sleep(0.1)
    began, ended, _ = desk.ledger.row(done) or (0, 0, 0)
    engine.stop()
    assert len(reads.assets(desk.ledger, limit=count + 1)) == count
    desk.close()
    return float(count / (ended - began))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    workers = os.cpu_count() or 2
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_photos(root / "photos", PHOTOS)
        flows, loops = [], []
        for number in range(rounds):
            home = root / f"home{number}"
            home.mkdir(mode=0o700)
            (home / "jobdesk.toml").write_text(SETTINGS)
            flows.append(whole_flow(root / "photos", home, workers))
            loops.append(bare_loop(root / "photos", root / f"out{number}", home, workers))
    show(
        f"photos through the flow, {workers} workers",
        flows,
        "Pillow alone",
        loops,
        unit="/s",
        goal="goal: ratio >= 0.6",
    )


if __name__ == "__main__":
    main()
