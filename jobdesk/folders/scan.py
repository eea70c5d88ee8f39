"""One look through a folder, a slice at a time: every file that may be taken, and what is left alone and why.

Names are bytes, links are never followed, other file systems never entered; nothing is opened.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from jobdesk.folders.door import Door
from jobdesk.folders.rules import ignored_name

SLICE = 256
"""Entries looked at in one go: a millisecond."""
_UNSAID = frozenset({"hidden", "system file"})
LISTED = 500
"""How many ignored files a scan names; it counts them all."""


class Look(NamedTuple):
    """What tells whether a file has changed; equal looks over time mean that it rests."""

    dev: int
    ino: int
    size: int
    mtime_ns: int
    uid: int


def look_of(status: os.stat_result) -> Look:
    return Look(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_uid)


class Found(NamedTuple):
    """A file that may be taken. `changed_s` is when the kernel saw its last change, in epoch seconds."""

    path: bytes
    look: Look
    changed_s: float


def nothing(path: bytes) -> None:
    """Nobody listens."""


class Scan:
    """What a scan saw so far; paths are below the folder.

    Args:
        listen: called with each folder (its whole path) before it is listed, so that nothing comes in unheard between.
    """

    def __init__(self, root: bytes, door: Door, listen: Callable[[bytes], None] = nothing) -> None:
        self._root = root
        self._door = door
        self._listen = listen
        self.ignored: list[tuple[bytes, str]] = []
        self.ignored_count = 0
        self.folders = 0
        """How many folders were looked into."""

    def slices(self) -> Iterator[list[Found]]:
        """Look on, and on: what each slice found.

        Raises:
            OSError: the folder itself cannot be listed.
        """
        device = os.stat(self._root).st_dev
        pending: list[tuple[bytes, int]] = [(b"", 0)]
        found: list[Found] = []
        seen = 0
        while pending:
            folder, depth = pending.pop()
            whole = os.path.join(self._root, folder) if folder else self._root
            self._listen(whole)
            try:
                entries = os.scandir(whole)
            except OSError as error:
                if not folder:
                    raise
                self._ignore(folder, f"unreadable: {os.strerror(error.errno or 0)}")
                continue
            self.folders += 1
            with entries:
                while True:
                    try:
                        entry = next(entries, None)
                    except OSError:
                        break  # it was taken away while it was read
                    if entry is None:
                        break
                    one = self._look(entry, folder, depth, device, pending)
                    if one is not None:
                        found.append(one)
                    seen += 1
                    if seen % SLICE == 0:
                        yield found
                        found = []
        yield found

    def _look(
        self, entry: os.DirEntry[bytes], folder: bytes, depth: int, device: int, pending: list[tuple[bytes, int]]
    ) -> Found | None:
        path = folder + b"/" + entry.name if folder else entry.name
        if not folder and self._door.corner(path):
            return None
        try:
            if entry.is_dir(follow_symlinks=False):
                if (why := self._folder(entry, path, depth + 1, device)) is None:
                    pending.append((path, depth + 1))
                else:
                    self._ignore(path, why)
                return None
            why = self._door.name(path)
            status = entry.stat(follow_symlinks=False) if why is None else None
        except PermissionError as error:  # a folder that may be listed and not entered
            self._ignore(path, f"unreadable: {error.strerror}")
            return None
        except OSError:
            return None  # gone between listing and looking
        if status is not None:
            why = self._door.kind(status)
            if why is None:
                return Found(path, look_of(status), status.st_ctime)
        self._ignore(path, why or "")
        return None

    def _folder(self, entry: os.DirEntry[bytes], path: bytes, depth: int, device: int) -> str | None:
        return ignored_name(entry.name) or self._door.folder(
            path, entry.stat(follow_symlinks=False), device, depth, self._root
        )

    def _ignore(self, path: bytes, why: str) -> None:
        self.ignored_count += 1
        if len(self.ignored) < LISTED and why not in _UNSAID:
            self.ignored.append((path, why))


def look_at(root: bytes, door: Door, path: bytes) -> Found | None:
    """One file that was heard of; None if it is gone or is to be left alone (the next scan says why)."""
    if door.corner(path) or door.name(path) is not None:
        return None
    try:
        status = os.lstat(os.path.join(root, path))
    except OSError:
        return None
    return Found(path, look_of(status), status.st_ctime) if door.kind(status) is None else None
