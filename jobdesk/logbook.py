"""Reading the desk's own log: the files of all processes of a home, oldest line first, and on as it grows."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

from jobdesk.core.clock import Clock, instant
from jobdesk.core.levels import at_least
from jobdesk.logs import FILE, former

LOOK_S = 0.5
"""How often a reader that follows looks for more."""


def lines(
    folder: Path,
    clock: Clock,
    *,
    level: str | None = None,
    since: float | None = None,
    follow: bool = False,
    last: int | None = None,
) -> Iterator[Mapping[str, Any]]:
    """The lines of the log, as JSON objects; with `follow` it goes on for ever.

    Args:
        level: the least that is wanted.
        since: epoch seconds; lines before are left out.
        last: at most so many of those that are there already.
    """

    def wanted(line: Mapping[str, Any]) -> bool:
        if since is not None and instant(str(line.get("at", "1970-01-01T00:00:00Z"))) < since:
            return False
        return at_least(str(line.get("level", "info")), level)

    path = folder / FILE
    file = _open(path)
    found: list[Mapping[str, Any]] = []
    for one in _former(path):
        if file is None or not _is(file, one):  # it may have been rotated just now
            found.extend(filter(wanted, _read(one)))
    rest = b""
    if file is not None:
        text, rest = _whole(file.read())
        found.extend(filter(wanted, text))
    yield from found[-last:] if last else found
    pause = threading.Event()
    while follow:
        clock.wait(pause, LOOK_S)
        if file is not None:
            text, rest = _whole(rest + file.read())
            yield from filter(wanted, text)
        if file is None or not _is(file, path):
            new = _open(path)
            if new is not None:
                if file is not None:
                    text, rest = _whole(rest + file.read())  # what was written before it was renamed
                    yield from filter(wanted, text)
                    file.close()
                file, rest = new, b""


def _former(path: Path) -> Iterator[Path]:
    number = 1
    while former(path, number).exists():
        number += 1
    yield from (former(path, one) for one in range(number - 1, 0, -1))


def _open(path: Path) -> BufferedReader | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _is(file: BufferedReader, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _read(path: Path) -> list[Mapping[str, Any]]:
    try:
        return _whole(path.read_bytes())[0]
    except FileNotFoundError:  # rotated away meanwhile
        return []


def _whole(block: bytes) -> tuple[list[Mapping[str, Any]], bytes]:
    """The complete lines, and the beginning of the next; what is no JSON object is left out."""
    *raw, rest = block.split(b"\n")
    found: list[Mapping[str, Any]] = []
    for one in raw:
        try:
            line = json.loads(one)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append(line)
    return found, rest
