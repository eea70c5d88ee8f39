"""Reading files that strangers made, and writing files that are whole or not there."""

import errno
import hashlib
import os
import re
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobdesk import Reject

_MENDABLE_BY_HAND = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
    }
)


_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written."""

    path: Path
    bytes: int
    sha256: str


def shown(name: str) -> str:
    """A file's name as it may stand in logs, records and on screens: nothing in it moves or hides text."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", name)


def read_regular(path: Path, max_bytes: int, setting: str = "images.max_bytes") -> bytes:
    """The whole content of a regular file; what is checked later is what was read here.

    A link is not followed and a pipe or device not waited for.

    Args:
        setting: what says `max_bytes`, for the message.

    Raises:
        Reject: `unreadable`, `empty` or `too-large`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Reject(f"{shown(str(path))} {_why_not(error)}", reason="unreadable") from None
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):  # Python opens no file object on it
        os.close(descriptor)
        raise Reject(f"{shown(str(path))} is not a file but a folder", reason="unreadable")
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(found.st_mode):
            raise Reject(f"{shown(str(path))} is not a file but {_kind(found.st_mode)}", reason="unreadable")
        if found.st_size == 0:
            raise Reject(f"{shown(path.name)} is empty", reason="empty")
        try:
            content = b"" if found.st_size > max_bytes else file.read(max_bytes + 1)
        except OSError as error:
            raise Reject(f"{path} cannot be read ({error.strerror})", reason="unreadable") from None
    size = len(content) or found.st_size
    if size > max_bytes:
        raise Reject(
            f"{shown(path.name)} has {size:,} bytes, more than the {max_bytes:,} of {setting}",
            reason="too-large",
        )
    return content


def write_whole(path: Path, content: bytes, *, synced: bool = True) -> Written:
    """Write a file so that it is there completely or not at all, power loss included; the folder is made.

    Writing it again replaces it. With `synced=False` the caller syncs the folder, once for many files.

    Raises:
        Reject: `storage-failed`, where only a person can mend it: no space, no permission.
        OSError: anything else; it is worth another try.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        if synced:
            sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise _storage(error, path) from None
    return Written(path, len(content), hashlib.sha256(content).hexdigest())


def place(source: Path, target: Path) -> None:
    """Put a finished file at its place too, by hard link where the file system can, else by copy.

    Doing it again changes nothing. The caller syncs the folder.

    Raises:
        Reject: `unreadable` if the source is gone, `storage-failed` where only a person can mend it.
        OSError: anything else.
    """
    temporary = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary, follow_symlinks=False)
        except FileNotFoundError:
            raise Reject(f"{source} is gone: submit the upload again", reason="unreadable") from None
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, temporary, follow_symlinks=False)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(target)
        temporary.unlink(missing_ok=True)  # renaming one link onto another of the same file leaves both
    except OSError as error:
        raise _storage(error, target) from None


def sync_folder(path: Path) -> None:
    """Make the names in a folder outlive power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage(error: OSError, path: Path) -> Exception:
    if error.errno not in _MENDABLE_BY_HAND:
        return error
    return Reject(
        f"{path} cannot be written ({error.strerror}): make room or mend the permissions, then retry this job",
        reason="storage-failed",
    )


def _why_not(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "is a link; links are not followed"
    if error.errno == errno.ENOENT:
        return "does not exist"
    if error.errno == errno.ENXIO:
        return "is not a file but a pipe or socket"
    return f"cannot be opened ({error.strerror})"


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
