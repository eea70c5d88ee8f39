"""The pictures of a job: what it was given, and what it made. Made small in a process of their own."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk.core.job import Job
from jobdesk.desk import Desk
from jobdesk.ledger import reads

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"})
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Pictures:
    """Files that are there now."""

    before: tuple[Path, ...] = ()
    after: tuple[Path, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.before or self.after)


@dataclass(frozen=True, slots=True)
class Small:
    """A picture made small: `pixels` are rows of red, green and blue; the size is that of the file's."""

    width: int
    height: int
    pixels: bytes
    full_width: int
    full_height: int


def pictures_of(jobs: Sequence[Job]) -> Pictures:
    """What these jobs were given and have made, as far as it is there.

    Work on an upload goes on in a folder that is cleared afterwards; the flow's last steps know where all of it came
    to lie. An original kept beside what was made of it is what was given.
    """
    made = dict.fromkeys(Path(one.path) for job in jobs for one in job.artifacts)
    given = dict.fromkeys(path for job in jobs for path in _paths(job.data) if path not in made)
    before, after = list(filter(_is_picture, given)), list(filter(_is_picture, made))
    if not before:
        before = [path for path in after if path.stem == "original"]
    return Pictures(tuple(before), tuple(path for path in after if path not in before or len(after) == 1))


def pictures_shown(desk: Desk, id_: str) -> Pictures:
    """What there is to see of a job."""
    job = desk.job(id_)
    own = pictures_of([job])
    if own.after or job.flow is None:
        return own
    flow = pictures_of([desk.job(one.id) for one in reads.flow_jobs(desk.ledger, job.flow)])
    return flow if flow.any else own


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _paths(one)
    elif isinstance(value, list):
        for one in value:
            yield from _paths(one)
    elif isinstance(value, str) and value.startswith("/") and len(value) < 4096:
        yield Path(value)


def _is_picture(path: Path) -> bool:
    try:
        return path.suffix.lower() in SUFFIXES and path.is_file()
    except (OSError, ValueError):
        return False


def small(path: Path, width: int, height: int) -> Small | str:
    """A picture of at most so many pixels, or why there is none.

    Another process decodes it: what it needs in memory is given back, and a file that breaks the decoder breaks nothing
    else.
    """
    command = [sys.executable, "-m", "jobdesk.tui.shrink", str(path), str(width), str(height)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return "it takes too long to decode"
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else "it cannot be decoded"
    head, _, pixels = done.stdout.partition(b"\n")
    sizes = [int(size) for size in head.split()]
    return Small(sizes[0], sizes[1], pixels, sizes[2], sizes[3])
