"""The folder of backups: names, what of a home beside its ledger is packed, and which former ones go."""

import hashlib
import os
import re
import stat
import tarfile
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from jobdesk import Context, Reject

from .safefiles import sync_folder

_KINDS = {
    "database": re.compile(r"jobdesk-(\d{8}T\d{6})Z(-\d+)?\.db"),
    "settings": re.compile(r"settings-(\d{8}T\d{6})Z(-\d+)?\.tar\.gz"),
}
"""Only what is called so is ever removed; copies before an upgrade are called otherwise."""
_UNFINISHED = re.compile(r"\.(jobdesk|settings)-\d{8}T\d{6}Z(-\d+)?\.(db|tar\.gz)\.(\d+)(-journal|-wal|-shm)?")
_PACKED = ("jobdesk.toml", "processors", "templates", "themes")
"""Of a home; never its key: who has a backup shall not read the secrets in it."""


def folder(ctx: Context, *, dry_run: bool) -> Path:
    """Where backups lie; made if it is not there, and freed of what killed jobs left, unless nothing shall change.

    Raises:
        Reject: it cannot be made.
    """
    place: Path = ctx.home / ctx.settings["backup"]["path"]
    if dry_run:
        return place
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Reject(f"{place} cannot be made ({error.strerror}): set backup.path", "storage-failed") from None
    for left in place.iterdir():
        found = _UNFINISHED.fullmatch(left.name)
        if found and not _lives(int(found[4])):
            left.unlink(missing_ok=True)
    return place


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()  # of this process there is none left: it makes one at a time


def free_name(place: Path, kind: str, ending: str) -> Path:
    """The next backup of a kind."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (place / f"{kind}-{stamp}{f'-{number}' * bool(number)}{ending}" for number in count())
    return next(one for one in names if not one.exists())


def members(home: Path) -> list[str]:
    """The regular files that a backup of the settings holds, by their names below the home; links are left out."""
    found = []
    for name in _PACKED:
        top = home / name
        if top.is_file() and not top.is_symlink():
            found.append(name)
        for folder_, _, files in os.walk(top, followlinks=False):
            inside = [Path(folder_, one) for one in files if not folder_.endswith("__pycache__")]
            found += [str(one.relative_to(home)) for one in inside if stat.S_ISREG(one.lstat().st_mode)]
    return sorted(found)


def pack(home: Path, target: Path, names: Sequence[str]) -> int:
    """Write files of the home into a tar file, read it back, and give it its name; how many bytes it has.

    Raises:
        OSError: it cannot be written, or does not hold what was put in.
    """
    part, sums = target.with_name(f".{target.name}.{os.getpid()}"), {}
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as packed:
                for name in names:
                    sums[name] = _add(packed, home / name, name)
            file.flush()
            os.fsync(file.fileno())
        with tarfile.open(part, "r:gz") as packed:
            back = {one.name: _sum(packed, one) for one in packed}
        if back != sums:
            raise OSError(f"{part} does not hold what was written to it: check the disk")
        part.rename(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _add(packed: tarfile.TarFile, path: Path, name: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        packed.addfile(packed.gettarinfo(name=str(path), arcname=name, fileobj=file), file)
        file.seek(0)
        return hashlib.sha256(file.read()).hexdigest()


def _sum(packed: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = packed.extractfile(member)
    return "" if file is None else hashlib.sha256(file.read()).hexdigest()


def rotate(
    place: Path,
    kinds: Collection[str],
    keep: int,
    age_s: float | None,
    *,
    dry_run: bool,
    made: Collection[Path] = (),
) -> list[tuple[Path, int]]:
    """Remove backups, after one of each kind was made: all but the newest `keep`, and none younger than the age.

    Args:
        age_s: seconds; None: the number alone decides.
        dry_run: none was made, none is removed: say which would go.
        made: those just made, which stay also where the clock was set back since former ones.

    Returns:
        Which, with their bytes.
    """
    gone: list[tuple[Path, int]] = []
    for kind in kinds if place.is_dir() else ():
        there = sorted(
            ((found[1], path) for path in place.iterdir() if (found := _KINDS[kind].fullmatch(path.name))
             and stat.S_ISREG(path.lstat().st_mode)), reverse=True
        )  # fmt: skip
        for stamp, path in there[keep - dry_run :]:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
            if path in made or (age_s is not None and at > time.time() - age_s):
                continue
            gone.append((path, path.stat().st_size))
            if not dry_run:
                path.unlink()
    return gone
