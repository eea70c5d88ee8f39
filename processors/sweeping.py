"""Removing what is old: only regular files and real folders, never through a link; or saying what would be removed."""

import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from .safefiles import shown

_MOST_PATHS = 1000
BEING_WRITTEN_S = 900.0
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PART = re.compile(r"\..+\.part")
_ENDED = re.compile(r"file_[0-9A-HJKMNP-TV-Z]{26}-.+", re.S)
"""What drop folders call a file that has ended."""


@dataclass
class Swept:
    """What was removed, or would be.

    Args:
        pulse: called for each thing; what it raises ends the sweep.
    """

    dry_run: bool
    pulse: Callable[[], None]
    files: int = 0
    bytes: int = 0
    paths: list[str] = field(default_factory=list)
    """The first thousand."""

    def note(self, path: Path, files: int, bytes_: int) -> None:
        """Count what was removed some other way."""
        self.files += files
        self.bytes += bytes_
        if len(self.paths) < _MOST_PATHS:
            self.paths.append(shown(str(path)))

    def file(self, folder: Path, name: str, descriptor: int, bytes_: int) -> None:
        """Remove a file of an open folder."""
        self.pulse()
        if not self.dry_run:
            try:
                os.unlink(name, dir_fd=descriptor)
            except FileNotFoundError:  # somebody else was first
                return
        self.note(folder / name, 1, bytes_)

    def tree(self, folder: Path) -> None:
        """Remove a folder with all that is in it; links in it go, and what they lead to stays."""
        self.pulse()
        sizes = [found.st_size for found in _inside(folder) if not stat.S_ISDIR(found.st_mode)]
        if not self.dry_run:
            shutil.rmtree(folder, onerror=_unless_gone)
        self.note(folder, len(sizes), sum(sizes))


def _inside(folder: Path) -> Iterator[os.stat_result]:
    """What is in a folder, at any depth; what goes while we look is passed over."""
    for _, _, _, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in os.listdir(descriptor):
            with suppress(FileNotFoundError):
                yield os.stat(name, dir_fd=descriptor, follow_symlinks=False)


def _unless_gone(call: object, path: str, why: tuple[type[BaseException], BaseException, object]) -> None:
    if not isinstance(why[1], FileNotFoundError):
        raise why[1]


def _files(top: Path, without: Path | None = None) -> Iterator[tuple[Path, str, int, os.stat_result]]:
    """Folder, name, descriptor of the folder, and status of each regular file below `top`, but those in `without`."""
    for path, names, files, descriptor in os.fwalk(top, follow_symlinks=False):
        folder = Path(path)
        names[:] = sorted(name for name in names if folder / name != without)
        for name in sorted(files):
            with suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield folder, name, descriptor, found


def is_folder(path: Path) -> bool:
    """Whether a real folder is there; a link to one is none."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def at_rest(parent: Path, before: float) -> Iterator[Path]:
    """Folders in `parent` in which nothing was written since an instant (epoch seconds)."""
    for found in sorted(parent.iterdir()) if is_folder(parent) else ():
        with suppress(FileNotFoundError):  # it has just ended
            if is_folder(found) and max(one.st_mtime for one in (found.lstat(), *_inside(found))) < before:
                yield found


def unfinished(swept: Swept, top: Path, before: float, *, without: Path) -> None:
    """Files that somebody began to write and never finished: `.NAME.part`, anywhere below `top` but in `without`.

    Whatever age was asked for: into what was written in the last `BEING_WRITTEN_S` somebody may be writing still.
    """
    before = min(before, time.time() - BEING_WRITTEN_S)
    for folder, name, descriptor, found in _files(top, without) if is_folder(top) else ():
        if _PART.fullmatch(name) and found.st_mtime < before:
            swept.file(folder, name, descriptor, found.st_size)


def ended_files(swept: Swept, corner: Path, before: float) -> None:
    """Files of drop folders in CORNER/DATE whose day was over before an instant; DATE goes when it is empty."""
    for folder in sorted(corner.iterdir()) if is_folder(corner) else ():
        if not is_folder(folder) or not _is_over(folder.name, before):
            continue
        for inside, name, descriptor, found in _files(folder):
            if inside == folder and _ENDED.fullmatch(name):
                swept.file(folder, name, descriptor, found.st_size)
        if not swept.dry_run:
            with suppress(OSError):  # what else is in it stays
                folder.rmdir()


def _is_over(day: str, before: float) -> bool:
    """Whether a day of this machine's time zone had ended by then."""
    try:
        return bool(_DATE.fullmatch(day)) and (datetime.fromisoformat(day) + timedelta(days=1)).timestamp() <= before
    except ValueError:
        return False
