"""Where a file goes when its story ends: `_done`, `_rejected` with the reason beside it, or the quarantine.

Nothing is ever overwritten, and each step may be done twice: a killed process leaves any of them half done.
"""

import base64
import ctypes
import errno
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.names import shown
from jobdesk.folders import claim
from jobdesk.folders.place import Place, real_folder
from jobdesk.folders.rules import DONE, REJECTED
from jobdesk.ledger import dropped, intake
from jobdesk.ledger.database import Tx

NAME_BYTES = 120
"""How much of a file's name its archived name keeps."""
SIDECAR = b".error.json"
_OWN_ID = re.compile(rb"file_[0-9A-HJKMNP-TV-Z]{26}-")


def plain_name(path: bytes) -> bytes:
    """The name of a file without the id it got when it was rejected before."""
    name = os.path.basename(path)
    return _OWN_ID.sub(b"", name, count=1) if _OWN_ID.match(name) else name


def archive_name(id_: str, path: bytes) -> bytes:
    """ID-NAME, the name cut to 120 bytes between two signs, its ending kept."""
    name = plain_name(path) or b"file"
    if len(name) > NAME_BYTES:
        stem, ending = os.path.splitext(name)
        if len(ending) > 16:
            stem, ending = name, b""
        stem = stem[: NAME_BYTES - len(ending)]
        whole = stem.decode("utf-8", "ignore").encode()
        name = (whole if len(stem) - len(whole) < 4 and stem.startswith(whole) else stem) + ending
    return id_.encode() + b"-" + name


def archive(place: Place, corner: bytes, id_: str, path: bytes, at: float) -> bytes | None:
    """Move a claimed file to CORNER/DATE/ID-NAME; where it is then, None if it is nowhere."""
    folder = os.path.join(place.ends, corner, datetime.fromtimestamp(at).strftime("%Y-%m-%d").encode())
    real_folder(os.path.dirname(folder))
    real_folder(folder)
    target = os.path.join(folder, archive_name(id_, path))
    try:
        move(place.data(id_), target)
    except FileNotFoundError:
        pass  # moved by an earlier try, or by the job
    except FileExistsError:
        _complete(place.data(id_), target)
    return target if os.path.lexists(target) else None


def _complete(data: bytes, target: bytes) -> None:
    """A killed move that had to copy or to hold the name left both: the name has our id, so both are ours."""
    there, here = os.lstat(target), os.lstat(data)
    if there.st_size == 0:
        os.rename(data, target)
    elif there.st_dev != here.st_dev and there.st_size == here.st_size:
        os.unlink(data)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)


def remove(place: Place, id_: str) -> None:
    """Delete a claimed file."""
    with suppress(FileNotFoundError):
        os.unlink(place.data(id_))


def reject(place: Place, id_: str, path: bytes, at: float, sidecar: Mapping[str, Any]) -> bytes | None:
    """Move a claimed file to `_rejected`, its reason first; where it is then, None if it is nowhere."""
    write_sidecar(place, id_, path, at, sidecar)
    return archive(place, REJECTED, id_, path, at)


def write_sidecar(place: Place, id_: str, path: bytes, at: float, sidecar: Mapping[str, Any]) -> None:
    """Write ID-NAME.error.json into `_rejected`, whole or not at all."""
    folder = os.path.join(place.ends, REJECTED, datetime.fromtimestamp(at).strftime("%Y-%m-%d").encode())
    real_folder(os.path.dirname(folder))
    real_folder(folder)
    _write_json(place, id_, os.path.join(folder, archive_name(id_, path) + SIDECAR), sidecar, 0o644)


def quarantine(place: Place, folder: Path, id_: str, path: bytes, sidecar: Mapping[str, Any]) -> bytes | None:
    """Move a claimed file to the quarantine, where nobody can read it; where it is, None if it was gone already."""
    target = os.path.join(os.fsencode(folder), archive_name(id_, path))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = place.data(id_)
    if os.path.lexists(data):
        # A copy of our own: to change the mode of the file itself would reach its other names, too.
        new = os.path.join(os.fsencode(folder), b"." + id_.encode() + b".new")
        claim.copy(data, new, 0o600)
        os.rename(new, target)
        os.chmod(target, 0)  # its owner must change that before anything can read it
        os.unlink(data)
    if not os.path.lexists(target):
        return None
    _write_json(place, id_, target + SIDECAR, sidecar, 0o600)
    return target


def quarantined(place: Place, kept: Path, id_: str, sidecar: Mapping[str, Any]) -> bytes:
    """A scan has moved the same content to the quarantine: that is the one copy. Where it is."""
    target = os.fsencode(kept)
    _write_json(place, id_, target + SIDECAR, sidecar, 0o600)
    remove(place, id_)
    return target


def sidecar(file: intake.Owned, reason: str, message: str, at: float, failure: intake.Failure | None) -> dict[str, Any]:
    """What a person who finds a rejected file wants to know."""
    told: dict[str, Any] = {
        "schema": 1,
        "id": file.id,
        "folder": file.folder,
        "original_path": shown(file.path),
    }
    if shown(file.path).encode() != file.path:
        told["original_path_base64"] = base64.b64encode(file.path).decode()
    job = failure.job if failure else file.job
    how = "move the file back into the folder"
    return told | {
        "size": file.size,
        "sha256": file.sha256,
        "detected_type": file.detected_type,
        "reason": reason,
        "message": message,
        "step": failure.type if failure else None,
        "attempts": failure.attempts if failure else 0,
        "job_id": job,
        "flow_id": file.flow,
        "first_seen_at": iso(file.first_seen),
        "claimed_at": iso(file.claimed_at),
        "rejected_at": iso(at),
        "retry": f"{how}, or run: jobdesk jobs retry {job}" if job else how,
    }


def bring_back(tx: Tx, job: str) -> int:
    """When a job is retried: put the file that it works on back among the claims; how many there were.

    Call it after the move, in its transaction: a refused retry moves no file, and no worker begins before the commit.
    What the virus scan found stays in the quarantine.
    """
    back = 0
    for file in intake.ended_of_job(tx, job):
        with suppress(OSError):  # the folder is offline: the retry finds no file and says so
            if file.reason != "virus" and take_back(Place(Path(file.folder)), file):
                back += intake.reopen(tx, file)
    if back:
        dropped.changed(tx)  # a folder at rest does not ask what ended, and one that was removed is kept no more
    return back


def take_back(place: Place, file: intake.Owned) -> bool:
    """Move a finished file back among the claims, and remove its reason. False: it is no longer where it was put."""
    if file.moved_to is None:
        return False
    if not place.root:
        place.root = place.ends = os.path.realpath(os.fsencode(place.path))
        around = os.path.dirname(os.path.dirname(os.path.dirname(file.moved_to)))
        if os.path.basename(os.path.dirname(os.path.dirname(file.moved_to))) in (DONE, REJECTED):
            place.ends = around  # that of a read-only folder lies elsewhere
    try:
        move(file.moved_to, place.data(file.id))
    except FileNotFoundError:
        return False
    with suppress(FileNotFoundError):
        os.unlink(file.moved_to + SIDECAR)
    return True


def move(source: bytes, target: bytes) -> None:
    """Rename without ever replacing; copies where no rename can go.

    Raises:
        FileNotFoundError: there is no `source`.
        FileExistsError: there is a `target`.
        OSError: disk full, read-only, not allowed.
    """
    try:
        _rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        new = target + b".new"
        claim.copy(source, new)
        _rename_new(new, target)
        os.unlink(source)


def _write_json(place: Place, id_: str, target: bytes, told: Mapping[str, Any], mode: int) -> None:
    new = os.path.join(place.tmp, id_.encode() + SIDECAR)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(told, file, ensure_ascii=False, indent=2)
        file.write("\n")
    try:
        os.replace(new, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        claim.copy(new, target, mode)
        os.unlink(new)


_RENAME_NOREPLACE = 1
_AT_FDCWD = -100
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def _rename_new(source: bytes, target: bytes) -> None:
    if _renameat2 is not None:
        if _renameat2(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(code, os.strerror(code), source, None, target)
    # No such call on this system or file system: hold the name with an empty file of our own, then replace that.
    os.lstat(source)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    os.rename(source, target)
