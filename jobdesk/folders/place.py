"""A watched folder as it lies on disk: its own corner `.jobdesk`, the lock that makes one process its master."""

import errno
import fcntl
import os
import re
import stat
from pathlib import Path

from jobdesk.folders.rules import OWN

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "vboxsf", "prl_fs"})


class Offline(Exception):
    """The folder cannot be used now; the message says why and what would mend it."""


class Place:
    """The folder, once `open` said True. Paths are bytes and real: no part of them is a link.

    Args:
        corner: where our own corner and what ends lie if the folder is read-only; None: then it cannot be used.
    """

    def __init__(self, path: Path, corner: Path | None = None) -> None:
        self.path = path
        self.root = b""
        self.ends = b""
        """What `_done` and `_rejected` lie in: the folder, or the corner of a read-only one."""
        self._corner = corner
        self._identity: tuple[int, int] | None = None
        self._lock: int | None = None
        self._was_mounted = False

    @property
    def own(self) -> bytes:
        return self.ends + b"/" + OWN

    @property
    def claimed(self) -> bytes:
        return self.own + b"/claimed"

    @property
    def tmp(self) -> bytes:
        return os.path.join(self.own, b"tmp")

    @property
    def slips(self) -> bytes:
        return self.own + b"/slips"

    def data(self, id_: str) -> bytes:
        """A claimed file."""
        return self.claimed + b"/" + id_.encode()

    def open(self) -> bool:
        """Make the own corner and become the folder's master. False: another process is.

        Raises:
            Offline: the folder is missing, is none, or cannot be written.
        """
        self.close()
        try:
            self.root = os.path.realpath(os.fsencode(self.path))
            status = os.stat(self.root)
            if not stat.S_ISDIR(status.st_mode):
                raise Offline(f"{self.path} is not a folder: move it away or name another folder in jobdesk.toml")
            mounted = os.path.ismount(self.root)
            if self._was_mounted and not mounted and not os.path.lexists(os.path.join(self.root, OWN)):
                raise Offline(
                    f"what was mounted at {self.path} is gone: mount it again, or restart to use the bare folder"
                )
            self.ends = self.root
            try:
                self._make_own()
            except OSError as error:
                if self._corner is None or error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                    raise
                self._corner.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.ends = os.fsencode(self._corner)
                self._make_own()
            self._lock = os.open(
                os.path.join(self.own, b"lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            return False
        except FileNotFoundError:
            self.close()
            raise Offline(f"{self.path} does not exist: make it, or mount what holds it") from None
        except OSError as error:
            self.close()
            raise Offline(f"{self.path} cannot be used ({error.strerror}): files in it are not taken") from error
        self._identity, self._was_mounted = (status.st_dev, status.st_ino), mounted
        return True

    def _make_own(self) -> None:
        for folder in (self.own, self.claimed, self.slips, self.tmp):
            real_folder(folder, 0o700)
        if not os.access(self.own, os.W_OK):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), self.own)

    @property
    def is_open(self) -> bool:
        """Whether this process is the master of the folder that has this name now."""
        if self._lock is None:
            return False
        try:
            status = os.stat(os.fsencode(self.path))
            lock = os.stat(os.path.join(self.own, b"lock"), follow_symlinks=False)
        except OSError:
            return False
        mine = os.fstat(self._lock)
        return (status.st_dev, status.st_ino) == self._identity and (lock.st_dev, lock.st_ino) == (
            mine.st_dev,
            mine.st_ino,
        )

    def close(self) -> None:
        """Let another process be the master."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def free_bytes(self) -> int:
        """Free space for ordinary users."""
        space = os.statvfs(self.root)
        return space.f_bavail * space.f_frsize


def real_folder(path: bytes, mode: int = 0o777) -> None:
    """Make a folder, or see that there is a real one: a link put in its place would lead files astray.

    Raises:
        NotADirectoryError: something else has its name.
    """
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "something else has the name of its folder", path) from None


def is_network(path: bytes, mounts: str = "/proc/self/mountinfo") -> bool:
    """Whether the folder lies on a file system whose other users make no events here."""
    best, kind = b"", b""
    try:
        with open(mounts, "rb") as lines:
            for line in lines:
                fields, _, rest = line.partition(b" - ")
                point = _ESCAPE.sub(lambda code: bytes([int(code[1], 8)]), fields.split()[4])
                inside = path == point or path.startswith(point.rstrip(b"/") + b"/")
                if inside and len(point) >= len(best):
                    best, kind = point, rest.split()[0]
    except (OSError, IndexError):
        return False
    name = kind.decode(errors="replace")
    return name in _NETWORK or name.startswith("fuse.")


_ESCAPE = re.compile(rb"\\([0-7]{3})")
"""How the kernel writes a space in the name of a mount."""
