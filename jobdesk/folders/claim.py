"""Taking a file out of the folder before a byte of it counts: written down, renamed, and only then read.

After the rename nobody can newly open it by its old name, so what the lease and the last look say holds.
Every step can be the last one before a kill: `folders.ending` finds what is left and goes on.
"""

import errno
import fcntl
import hashlib
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from jobdesk.folders.content import HEAD_BYTES, TAIL_BYTES, detect, is_cut
from jobdesk.folders.place import Place
from jobdesk.folders.scan import Look, look_of

_BLOCK = 1 << 20
_STRAY = b".jobdesk-claim-"
"""A file on its way out of a mount that no rename can leave; the id follows."""


class Writer(Enum):
    """Whether a program has a file open for writing."""

    NONE = "none"
    OPEN = "open"
    UNKNOWN = "unknown"


class Ready(Enum):
    """What a first look inside says of a file that has settled."""

    YES = "yes"
    CHANGED = "changed"
    BUSY = "open for writing"
    UNSURE = "nobody can say whether it is open for writing"
    CUT = "its end is missing"


class CannotRead(Exception):
    """The file may not be opened; the message is the system's."""


class CannotClaim(Exception):
    """The file may not be moved out of its folder; the message is the system's."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that was taken out of the folder. `path` is where it lay, below the folder; instants are epoch seconds."""

    id: str
    path: bytes
    first_seen: float
    claimed_at: float
    look: Look | None = None
    """How it looked when it had settled; None after a restart."""
    source: Look | None = None
    """How it looked in the folder, in which a kept one still lies; None if nothing was written down."""
    kept: bool = False
    """What lies among the claims is a copy: the file itself stays in the folder."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a claimed file holds."""

    claim: Claim
    size: int
    sha256: str | None = None
    detected_type: str | None = None
    refused: tuple[str, str] | None = None
    """Reason and sentence, where it is not to be worked on."""


def inspect(path: bytes, look: Look) -> Ready:
    """Whether a settled file may be claimed; looks at who writes it and, where that is unknown, at its end.

    Raises:
        CannotRead: it may not be opened.
    """
    try:
        fd = _open(path)
    except PermissionError as error:
        raise CannotRead(error.strerror) from None
    except OSError:
        return Ready.CHANGED
    try:
        if look_of(os.fstat(fd)) != look:
            return Ready.CHANGED
        writer = _writer(fd)
        if writer is Writer.NONE:
            return Ready.YES
        if writer is Writer.OPEN:
            return Ready.BUSY
        head = os.pread(fd, HEAD_BYTES, 0)
        tail = os.pread(fd, TAIL_BYTES, max(0, look.size - TAIL_BYTES))
        return Ready.CUT if is_cut(head, tail, look.size) else Ready.UNSURE
    finally:
        os.close(fd)


def take(place: Place, planned: Claim) -> Claim | None:
    """Rename a file, which was written down, among the claims. None: it has gone or changed meanwhile.

    Args:
        planned: what is to be taken; `source` says how it must still look. A `kept` one is copied instead.

    Raises:
        CannotClaim: the file may not be moved.
        OSError: the claim cannot be written: disk full, read-only.
    """
    source, data, look = os.path.join(place.root, planned.path), place.data(planned.id), planned.source
    try:
        if look_of(os.lstat(source)) != look:
            return None
        inside = look
        try:
            if planned.kept:
                if not _copied(place, planned.id, source, look):
                    return None
                inside = look_of(os.lstat(data))
            else:
                os.rename(source, data)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _carry(place, planned.id, source)
            inside = look_of(os.lstat(data))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise CannotClaim(error.strerror) from None
    return replace(planned, look=inside)


def carry_on(place: Place, written: Claim) -> bool:
    """Bring in a file that a killed process hid on its way out of a mount. False: there is none."""
    stray = os.path.join(place.root, os.path.dirname(written.path), _STRAY + written.id.encode())
    if not os.path.lexists(stray):
        return False
    _carry_on(place, written.id, stray)
    return True


def unwritten(place: Place, id_: str) -> Claim:
    """A claim whose slip was lost in a crash of the machine: it keeps its file, under its id as name."""
    at = os.lstat(place.data(id_)).st_ctime
    return Claim(id_, b"recovered-" + id_.encode(), at, at)


def read(place: Place, claim: Claim, stopping: Callable[[], bool]) -> Content | None:
    """Hash a claimed file. None: it is not whole (it changed, or somebody writes it), or `stopping` said so.

    Raises:
        OSError: it cannot be read.
    """
    fd = _open(place.data(claim.id))
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode) or look_of(before) != claim.look or _writer(fd) is Writer.OPEN:
            return None
        digest, head = hashlib.sha256(), b""
        while block := os.read(fd, _BLOCK):
            head = head or block[:HEAD_BYTES]
            digest.update(block)
            if stopping():
                return None
        if look_of(os.fstat(fd)) != claim.look or _writer(fd) is Writer.OPEN:
            return None
        return Content(claim, before.st_size, digest.hexdigest(), detect(head))
    finally:
        os.close(fd)


def _open(path: bytes) -> int:
    """Open for reading: no link is followed, and a pipe put in its place does not hang us."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)


def _writer(fd: int) -> Writer:
    """Ask the kernel, by a read lease, whether any program can write the file: two microseconds on Linux."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return Writer.UNKNOWN
    try:
        # Who opens the file in this instant makes the kernel signal us; SIGIO, the default, would end the process.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return Writer.OPEN if error.errno in (errno.EAGAIN, errno.EBUSY) else Writer.UNKNOWN
    return Writer.NONE


def _carry(place: Place, id_: str, source: bytes) -> None:
    """Take a file out of a mount within the folder: hide it where it lies, copy it, and then remove it."""
    stray = os.path.join(os.path.dirname(source), _STRAY + id_.encode())
    os.rename(source, stray)
    _carry_on(place, id_, stray)


def _carry_on(place: Place, id_: str, stray: bytes) -> None:
    if not os.path.lexists(place.data(id_)):
        new = os.path.join(place.tmp, id_.encode())
        copy(stray, new)
        os.rename(new, place.data(id_))
    os.unlink(stray)


def copy(source: bytes, target: bytes, mode: int = 0o600) -> None:
    """Copy a file's bytes and times, safely on disk when it returns."""
    reading = _open(source)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            while block := os.read(reading, _BLOCK):
                view = memoryview(block)
                while view:
                    view = view[os.write(writing, view) :]
            status = os.fstat(reading)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copied(place: Place, id_: str, source: bytes, look: Look) -> bool:
    """Copy a file into its claim; False: it changed while it was copied."""
    new = os.path.join(place.tmp, id_.encode())
    copy(source, new)
    if look_of(os.lstat(source)) != look:
        os.unlink(new)
        return False
    os.rename(new, place.data(id_))
    return True
