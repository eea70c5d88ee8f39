"""One look through a folder: every file that may be taken, and what is left alone and why.

Names are bytes, links are never followed, other file systems never entered; nothing is opened.
"""

import os
import stat
from dataclasses import dataclass, field
from typing import NamedTuple

from jobdesk.folders.rules import DONE, MAX_DEPTH, OWN, REJECTED, FolderRule, Patterns, ignored_name

_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
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


@dataclass(slots=True)
class Scan:
    """What a scan saw; paths are below the folder."""

    files: dict[bytes, Look] = field(default_factory=dict)
    ignored: list[tuple[bytes, str]] = field(default_factory=list)
    ignored_count: int = 0
    folders: list[bytes] = field(default_factory=list)
    """Every folder that was looked into; the watched one is b""."""

    def ignore(self, path: bytes, why: str) -> None:
        self.ignored_count += 1
        if len(self.ignored) < LISTED and why not in _UNSAID:
            self.ignored.append((path, why))


def scan(root: bytes, rule: FolderRule) -> Scan:
    """Look through a folder.

    Raises:
        OSError: the folder itself cannot be listed.
    """
    found = Scan()
    patterns = Patterns(rule.patterns)
    device = os.stat(root, follow_symlinks=True).st_dev
    pending: list[tuple[bytes, int]] = [(b"", 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            entries = _entries(os.path.join(root, folder))
        except OSError as error:
            if not folder:
                raise
            found.ignore(folder, f"unreadable: {os.strerror(error.errno or 0)}")
            continue
        if folder and any(entry.name == OWN for entry in entries):
            found.ignore(folder, "a drop folder of its own")
            continue
        found.folders.append(folder)
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if not folder and entry.name in (OWN, DONE, REJECTED):
                continue
            why = ignored_name(entry.name)
            if why is not None:
                found.ignore(path, why)
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone between listing and looking
            if stat.S_ISREG(status.st_mode):
                if patterns.fit(path, entry.name):
                    found.files[path] = look_of(status)
                else:
                    found.ignore(path, "fits no pattern")
            elif stat.S_ISDIR(status.st_mode):
                if not rule.recursive:
                    continue
                if status.st_dev != device:
                    found.ignore(path, "on another file system")
                elif depth >= MAX_DEPTH:
                    found.ignore(path, f"deeper than {MAX_DEPTH} folders")
                else:
                    pending.append((path, depth + 1))
            else:
                found.ignore(path, _KINDS.get(stat.S_IFMT(status.st_mode), "not a file"))
    return found


def _entries(folder: bytes) -> list[os.DirEntry[bytes]]:
    with os.scandir(folder) as entries:
        return list(entries)
