"""Backup of a home's ledger, and its restoration: a copy is checked before it takes a place; nothing is thrown away.

Only the ledger is copied: settings, processors and what jobs made are ordinary files that any backup program takes.
"""

import fcntl
import glob
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedRandom
from itertools import count
from pathlib import Path

from jobdesk.core.actor import Actor
from jobdesk.core.clock import Clock
from jobdesk.core.errors import BackupError, HomeError, LedgerError, NotFound, Refused, UsageError
from jobdesk.home import Home
from jobdesk.ledger import audit, copies, upkeep, workers
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.processes import is_alive, start_of

_SHARED = (510, 0x40000002)
"""Length and start of the bytes of its file that every process with an open SQLite database holds a lock on."""
_BESIDE = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Args:
        kept: where the former database is now; None if there was none.
        missing: jobs of the former database that the backup does not have; None if it cannot be read.
        changed: jobs that were in another state in the former one.
        given_back: jobs that ran when the backup was made, and are back in their queues.
    """

    copied: copies.Copied
    kept: Path | None
    missing: int | None
    changed: int | None
    given_back: int


def backup(home: Home, file: Path, clock: Clock) -> copies.Copied:
    """Copy the ledger to `file` while others work; a former backup there is replaced once the new one is checked.

    Raises:
        UsageError: `file` is a folder, something else than a backup, or the ledger itself.
        LedgerError: the ledger is damaged.
        BackupError: the copy cannot be made; a former one is as it was.
    """
    if file.is_dir():
        raise UsageError(f"{file} is a folder: name the file in it that the backup becomes")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent} for the backup: make it first")
    if file.exists():
        if any(one.exists() and file.samefile(one) for one in _files(home.database)):
            raise UsageError(f"{file} is the ledger itself: name another file for its backup")
        if not copies.is_ledger(file):
            raise UsageError(f"{file} exists and is not a backup of jobdesk: it stays as it is; name another file")
    _clear(file)
    made = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        copied = copies.copy(home.database, made, clock)
    except copies.Unsound as error:
        raise LedgerError(f"{error}: stop what works on it, and restore a backup with `jobdesk restore FILE`") from None
    try:
        _replace(made, file)
    except OSError as error:
        copies.remove(made)
        raise BackupError(f"{file} cannot be written ({error.strerror}): choose another place") from None
    return copied


def restore(home: Home, file: Path, clock: Clock, actor: Actor | None = None) -> Restored:
    """Put a backup in the place of the ledger; the former one, sound or damaged, is kept beside it.

    The audit log of the restored ledger says who did it.

    Raises:
        NotFound: there is no such file.
        UsageError: it is the ledger itself.
        BackupError: it is damaged, no backup, or cannot be copied; nothing was changed.
        Refused: somebody works on this home.
        HomeError: the home cannot be written.
    """
    if not file.is_file():
        raise NotFound(f"there is no backup {file}: name a file that `jobdesk backup` made")
    if any(one.exists() and file.samefile(one) for one in _files(home.database)):
        raise UsageError(f"{file} is the ledger itself: name a backup of it")
    with _alone(home):
        new = home.restoring
        copies.remove(new)
        try:
            copied = copies.copy(file, new, clock)
        except copies.Unsound as error:
            raise BackupError(f"{error}: nothing was changed; name a backup that is sound") from None
        try:
            given_back = _settle(new, clock, actor or Actor.here("api"), file)
            kept = _set_aside(home.database, clock)
            _replace(new, home.database)
        except OSError as error:
            raise HomeError(
                f"{home.database} cannot be replaced ({error.strerror}): mend it, and restore again"
            ) from None
    missing, changed = (copies.difference(kept, home.database) if kept else None) or (None, None)
    return Restored(copied, kept, missing, changed, given_back)


def _settle(new: Path, clock: Clock, actor: Actor, file: Path) -> int:
    """Give back what ran when the backup was made: nobody runs it now, and its attempt shall not count."""
    ledger = Ledger(new, clock, copied=False)
    try:
        deed = audit.Deed(ledger, actor, "restore", target=f"backup {file}")
        with deed.part(undoable=False) as part:
            tx, given = part.tx, 0
            part.say()
            for consumer in {one.id for one in workers.running(ledger)} | set(upkeep.orphans(ledger)):
                given += upkeep.give_back(tx, consumer, "the backup was made while it ran")
                workers.unregister(tx, consumer, workers.RESTORED)
        return given
    finally:
        ledger.close()


def _set_aside(database: Path, clock: Clock) -> Path | None:
    """Rename the former database; its -wal has its new name before the old one is gone. None if there is none."""
    there = [suffix for suffix in ("", *_BESIDE) if _beside(database, suffix).exists()]
    stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%S")
    names = (f"{database.name}.before-restore-{stamp}{f'-{number}' * bool(number)}" for number in count())
    kept = next(path for path in map(database.with_name, names) if not any(one.exists() for one in _files(path)))
    for suffix in set(there) - {""}:
        try:
            _beside(kept, suffix).hardlink_to(_beside(database, suffix))
        except OSError:  # a file system without them
            shutil.copy(_beside(database, suffix), _beside(kept, suffix))
    if "" in there:
        database.rename(kept)
    for suffix in set(there) - {""}:  # SQLite would take an old -wal for the new database's
        _beside(database, suffix).unlink()
    return kept if "" in there else None


def _beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def _replace(made: Path, file: Path) -> None:
    """Give a finished copy its name, for good."""
    made.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _clear(file: Path) -> None:
    """Remove what backups to this file left that were killed."""
    for left in file.parent.glob(f".{glob.escape(file.name)}.*"):
        pid = left.name.removeprefix(f".{file.name}.").partition("-")[0]
        if pid.isdecimal() and start_of(int(pid)) is None:
            left.unlink(missing_ok=True)


def _files(database: Path) -> list[Path]:
    return [_beside(database, suffix) for suffix in ("", *_BESIDE)]


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Keep every other program from opening the ledger.

    Raises:
        Refused: one has it open, or restores.
    """
    with os.fdopen(os.open(home.run / "restore.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "w") as turn:
        if not _locked(lambda: fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)):
            raise Refused(f"another restore of {home.path} is under way: wait for it")
        if not home.database.exists():
            yield
            return
        who = _who_works(home)  # before the lock: closing the ledger in this process would free it
        with _opened(home.database) as held:
            if who or not _locked(lambda: fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, *_SHARED)):
                known = "another program (a terminal app, a consumer, a script)"
                raise Refused(f"{who or known} works on {home.path}: end it first; nothing was changed")
            yield


def _opened(database: Path) -> BufferedRandom:
    try:
        return database.open("rb+")
    except OSError as error:
        raise HomeError(f"{database} cannot be opened ({error.strerror}): make the home writable") from None


def _locked(take: Callable[[], None]) -> bool:
    try:
        take()
    except OSError:
        return False
    return True


def _who_works(home: Home) -> str | None:
    """The consumer that works on the home, in words, as far as its ledger can still tell."""
    for kind, pid, started in copies.consumers(home.database):
        if is_alive(pid, started):
            return f"{'the terminal app' if kind == 'app' else 'consumer'} {pid}"
    return None
