"""What drop folders refused, as it lies on disk: in `_rejected` and in the quarantine, with what is said of each."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk.core.clock import instant
from jobdesk.core.names import shown
from jobdesk.folders.finish import SIDECAR, plain_name
from jobdesk.folders.rules import REJECTED

_SIDECAR_BYTES = 100_000
INFECTED = ".infected"
"""How the name of a file ends that a scan moved to the quarantine; the note beside it ends in .json instead."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not taken. `at` is when it came there, epoch seconds."""

    path: Path
    name: str
    folder: str
    """Where it was dropped; "" if nobody says."""
    size: int
    at: float
    quarantined: bool
    reason: str = ""
    message: str = ""
    job: str | None = None

    @property
    def file(self) -> str:
        """Its name where it lies, fit for people and the ledger: that on disk need not be text."""
        return shown(os.fsencode(self.path.name))

    @property
    def lies(self) -> str:
        """Its path, as `file`."""
        return shown(os.fsencode(self.path))


def refused(folders: Iterable[Path], quarantine: Path, limit: int = 500) -> list[Refused]:
    """The newest of them. What cannot be read is left out; a file without a word beside it has no reason."""
    found = [(status, path, True) for status, path in _files(quarantine)]
    for folder in folders:
        found += [(status, path, False) for status, path in _files(folder / os.fsdecode(REJECTED))]
    found.sort(key=lambda one: one[0].st_ctime, reverse=True)
    return [_told(path, status, held) for status, path, held in found[:limit]]


def _files(corner: Path) -> Iterator[tuple[os.stat_result, Path]]:
    """The files of a corner and of its folders of days."""
    try:
        entries = list(os.scandir(corner))
    except OSError:
        return
    notes = {f"{Path(entry.name).stem}.json" for entry in entries if entry.name.endswith(INFECTED)}
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            elif entry.is_file(follow_symlinks=False) and entry.name not in notes and _is_kept(os.fsencode(entry.name)):
                yield entry.stat(follow_symlinks=False), Path(entry.path)
        except OSError:
            continue


def _is_kept(name: bytes) -> bool:
    """Neither what is said of a file, nor one that is still being written."""
    return not name.endswith(SIDECAR) and not name.startswith(b".")


def _told(path: Path, status: os.stat_result, held: bool) -> Refused:
    said = _sidecar(path)
    name = _text(said, "name") or shown(plain_name(os.fsencode(path)))
    where, ended = said.get("folder"), _text(said, "rejected_at") or _text(said, "found_at")
    try:
        at = instant(ended)
    except ValueError:
        at = status.st_ctime
    return Refused(
        path=path, name=name, folder=where if isinstance(where, str) else "", size=status.st_size,
        at=at, quarantined=held, reason=_text(said, "reason") or ("virus" if held else ""),
        message=_text(said, "message") or _text(said, "infection"),
        job=_text(said, "job_id") or _text(said, "job") or None,
    )  # fmt: skip


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _sidecar(path: Path) -> dict[str, Any]:
    """What is said of a file: by its folder, and by a scan that moved it."""
    return _read(os.fsencode(path) + SIDECAR) | note(path)


def note(path: Path) -> dict[str, Any]:
    """What a scan says of a file that it moved."""
    return _read(os.fsencode(path.with_suffix(".json"))) if path.suffix == INFECTED else {}


def _read(path: bytes) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            said = json.loads(file.read(_SIDECAR_BYTES))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
