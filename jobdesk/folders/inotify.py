"""The kernel's own notices of changes in folders, through the C library: no thread, no queue, nothing held back."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

CLOSE_WRITE, MOVED_TO, CREATE, DELETE = 0x8, 0x80, 0x100, 0x200
ATTRIB, DELETE_SELF, MOVE_SELF = 0x4, 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED, IS_FOLDER = 0x2000, 0x4000, 0x8000, 0x40000000
_ONLY_FOLDERS, _NO_LINK, _NOT_UNLINKED = 0x01000000, 0x02000000, 0x04000000
HEARD = CLOSE_WRITE | MOVED_TO | CREATE | DELETE | ATTRIB | DELETE_SELF | MOVE_SELF
"""Not each write: a slow copy would be heard a thousand times. Not what is moved out: each of our claims is."""
_HEAD = struct.Struct("iIII")
_BUFFER = 1 << 18
_library = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """`watch` is the number that `add` gave; `name` that of the file in the folder, empty for the folder itself."""

    watch: int
    mask: int
    name: bytes


def available() -> bool:
    """Whether this system has it: Linux."""
    return hasattr(_library, "inotify_init1")


class Inotify:
    """One queue of notices of the kernel; `fd` can be polled."""

    def __init__(self) -> None:
        """
        Raises:
            OSError: the user has too many of them (fs.inotify.max_user_instances), or the process too many files.
        """
        self.fd: int = _library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise _failed()

    def add(self, folder: bytes) -> int:
        """Watch a folder; the same number again if it is watched already.

        Raises:
            OSError: no watch is left (ENOSPC), or the folder is gone or not readable.
        """
        watch: int = _library.inotify_add_watch(self.fd, folder, HEARD | _ONLY_FOLDERS | _NO_LINK | _NOT_UNLINKED)
        if watch < 0:
            raise _failed()
        return watch

    def remove(self, watch: int) -> None:
        """Watch it no more; nothing happens if it is gone already."""
        _library.inotify_rm_watch(self.fd, watch)

    def read(self) -> Iterator[Event]:
        """What has happened so far; does not wait.

        Raises:
            OSError: it was closed.
        """
        try:
            data = os.read(self.fd, _BUFFER)
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            watch, mask, _, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            yield Event(watch, mask, data[at : at + length].rstrip(b"\0"))
            at += length

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _failed() -> OSError:
    code = ctypes.get_errno() or errno.EIO
    return OSError(code, os.strerror(code))
