"""Whether a home is its owner's alone: others who could write in it could have their own code run by its jobs."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobdesk.core.errors import HomeError

_WRITE, _ENTER, _ANY = 0o022, 0o011, 0o077
"""Bits of group and others."""
_HELD = ("jobdesk.db", "jobdesk.db-wal", "jobdesk.db-shm", "jobdesk.toml", "processors")


def refuse_if_open(home: Path) -> None:
    """Refuse a home that others can write.

    Raises:
        HomeError: it, its ledger, settings or processors may be written by others, or belong to another user.
    """
    status = _status(home)
    if status is None:
        return
    _judge(home, home, status)
    for path in (home / name for name in _HELD):
        if (found := _status(path)) is not None:
            _judge(home, path, found)
    if status.st_mode & _ENTER:  # nobody gets at files in a folder that is closed
        for path in (home / "processors").glob("*.py"):
            if (found := _status(path)) is not None:
                _judge(home, path, found)


def _judge(home: Path, path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        owner = name_of(status.st_uid)
        raise HomeError(
            f"{path} belongs to {owner}, who could change what you run: work as {owner}, or give the home to "
            f"yourself with `{quoted('chown', '-R', name_of(os.geteuid()), home)}`"
        )
    if status.st_mode & _WRITE:
        raise HomeError(
            f"others may write to {path} (mode {stat.S_IMODE(status.st_mode):o}): "
            f"`{quoted('chmod', 'go-w', path)}` mends it"
        )


def looser(paths: Iterable[Path]) -> Iterator[Path]:
    """Those of the paths, links not followed, that others may read, write or enter."""
    for path in paths:
        try:
            status = path.lstat()
        except OSError:
            continue
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & _ANY:
            yield path


def close(path: Path) -> None:
    """Take from group and others what they may do; the owner's own bits stay."""
    path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~_ANY)


def name_of(uid: int) -> str:
    """The name of a user, or the number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def quoted(*words: object) -> str:
    """A command as one would type it."""
    import shlex

    return shlex.join(map(str, words))


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
