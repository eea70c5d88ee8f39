"""What lies in the quarantine: found by its name, let out where a person says, or destroyed."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jobdesk.core.errors import NotFound, Refused
from jobdesk.folders import finish, rejected
from jobdesk.folders.finish import SIDECAR

_ALL = 1_000_000


def held(quarantine: Path) -> list[rejected.Refused]:
    """All of it, the newest first."""
    return rejected.refused([], quarantine, _ALL)


def of_scan(quarantine: Path, job: str | None, sha256: str | None) -> Path | None:
    """Where the scan that a job made has put a file of this content; None if it put none."""
    if job is None or sha256 is None:
        return None
    for path in quarantine.glob(f"*{rejected.INFECTED}"):
        said = rejected.note(path)
        if (said.get("job"), said.get("sha256")) == (job, sha256):
            return path
    return None


def find(quarantine: Path, name: str) -> rejected.Refused:
    """The one file of this name, or whose name begins so.

    Raises:
        NotFound: there is none.
        Refused: there are several.
    """
    found = [one for one in held(quarantine) if one.path.name.startswith(name) or one.file.startswith(name)]
    exact = [one for one in found if name in (one.path.name, one.file)]
    if len(exact or found) > 1:
        raise Refused(f"{len(found)} files in the quarantine begin with {name}: say more of the name")
    for one in exact or found:
        return one
    raise NotFound(f"no file in the quarantine begins with {name}: see `jobdesk folders quarantine`")


def release(one: rejected.Refused, to: Path) -> Path:
    """Move it to `to` (a folder takes it under its own name), readable by its owner only, and forget it here.

    Raises:
        Refused: something has that name, or it cannot be written.
    """
    target = to / Path(one.name).name if to.is_dir() else to
    with suppress(OSError):
        one.path.chmod(0o600)
    try:
        finish.move(os.fsencode(one.path), os.fsencode(target))
    except FileExistsError:
        raise Refused(f"{target} is there already: say another name") from None
    except OSError as error:
        raise Refused(f"{one.file} cannot be moved to {target} ({error.strerror})") from None
    _forget(one)
    return target


def destroy(one: rejected.Refused) -> None:
    """Delete it, and what was said of it.

    Raises:
        Refused: it cannot be deleted.
    """
    try:
        one.path.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{one.lies} cannot be deleted ({error.strerror})") from None
    _forget(one)


def _forget(one: rejected.Refused) -> None:
    for note in _notes(one.path):
        with suppress(OSError):
            os.unlink(note)


def _notes(path: Path) -> Iterator[bytes]:
    yield os.fsencode(path) + SIDECAR
    if path.suffix == rejected.INFECTED:
        yield os.fsencode(path.with_suffix(".json"))
