"""Archiving: ended jobs go into files of JSON lines, and out of the ledger once their file is whole and was read back.

A file has one of three names. `.NAME.part` is being written, and thrown away if its writer dies. `NAME.pending` is
whole, on disk and checked; its jobs may still be in the ledger, and whoever archives next removes them first. `NAME` is
done.
So a job that is no longer in the ledger is in a file, and no job is twice in the files, whatever is killed when.
"""

import fcntl
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from jobdesk.core.errors import BackupError, Refused
from jobdesk.ledger import archiving, overdue, prune
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.prune import Ended

PENDING = ".pending"
MOST = 50_000
"""Jobs in a file."""
_BATCH = 200
Told = Callable[[int], None]
"""Is told how many jobs were dealt with since the last call; what it raises ends the work where it can go on."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A file and what it holds. `removed` jobs are out of the ledger; the others have changed since they were read."""

    path: Path
    jobs: int
    removed: int
    bytes: int


def archive(ledger: Ledger, folder: Path, lock: Path, ended: Iterable[Ended], told: Told) -> Iterator[Archived]:
    """Move jobs into files of `folder`, after finishing what an earlier call left.

    Raises:
        Refused: another process archives.
        BackupError: a file cannot be written or read back; its jobs are still in the ledger.
    """
    with _alone(lock):
        _make(folder)
        for left in folder.glob(".*.part"):
            left.unlink()
        for pending in sorted(folder.glob(f"*{PENDING}")):
            yield _remove(ledger, pending, told)
        jobs = iter(ended)
        while (written := _written(ledger, folder, jobs, told)) is not None:
            yield _remove(ledger, written, told)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with os.fdopen(os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("another job archives: wait for its end") from None
        yield


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{folder} cannot be made ({error.strerror}): set archive.path to another folder") from None


def _written(ledger: Ledger, folder: Path, jobs: Iterator[Ended], told: Told) -> Path | None:
    """The next file, checked and synced; None if no job is left."""
    final = _free_name(folder, ledger.clock.now())
    part = folder / f".{final.name}.part"
    try:
        lines, sum_ = _write(ledger, part, jobs, told)
        if not lines:
            return None
        if _read_back(part) != (lines, sum_):
            raise BackupError(f"{part} does not hold what was written to it: check the disk; nothing was removed")
        pending = final.with_name(final.name + PENDING)
        part.rename(pending)
        _sync(folder)
        return pending
    except OSError as error:
        raise BackupError(f"{final} cannot be written ({error.strerror}): nothing of it was removed") from None
    finally:
        part.unlink(missing_ok=True)


def _write(ledger: Ledger, part: Path, jobs: Iterator[Ended], told: Told) -> tuple[int, str]:
    lines, sum_ = 0, hashlib.sha256()
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            while lines < MOST and (one := next(jobs, None)) is not None:
                found = archiving.record(ledger, one)
                if found is not None:
                    line = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                    packed.write(line)
                    sum_.update(line)
                    lines += 1
                    told(1)
        file.flush()
        os.fsync(descriptor)
    return lines, sum_.hexdigest()


def _read_back(path: Path) -> tuple[int, str]:
    lines, sum_ = 0, hashlib.sha256()
    for line in _lines(path):
        sum_.update(line)
        lines += 1
    return lines, sum_.hexdigest()


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as packed:
            yield from packed
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BackupError(f"{path} is damaged ({error}): no job of it is removed; move the file away") from None


def _remove(ledger: Ledger, pending: Path, told: Told) -> Archived:
    """Remove the jobs of a pending file from the ledger, as far as they are as the file has them; then it is done."""
    jobs, _ = _read_back(pending)  # all of it, before anything is removed
    removed, remover = 0, prune.Remover(ledger)
    ended: dict[str, tuple[str, str]] = {}

    def take() -> int:
        doomed, gone = overdue.unchanged(ledger, ended, ledger.clock.now()), 0
        while doomed:
            gone += remover.step(doomed)[0]
        ended.clear()
        return gone

    for line in _lines(pending):
        job = json.loads(line)
        ended[job["id"]] = (job["state"], job["finished_at"])
        if len(ended) == _BATCH:
            told(0)
            removed += take()
    removed += take()
    final = pending.with_name(pending.name.removesuffix(PENDING))
    pending.rename(final)
    _sync(final.parent)
    return Archived(final, jobs, removed, final.stat().st_size)


def _free_name(folder: Path, now: float) -> Path:
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (folder / f"jobs-{stamp}{f'-{number}' * bool(number)}.ndjson.gz" for number in count())
    return next(one for one in names if not one.exists() and not one.with_name(one.name + PENDING).exists())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
