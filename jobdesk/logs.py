"""The desk's own log: JSON lines in HOME/logs/jobdesk.log, rotated; never on the screen.

Everything logs through the standard library; structlog makes the lines of it. It is imported where a file is opened and
nowhere else: it costs 3 MB, and 4 more if it found Rich, which it needs for a terminal only.
"""

import fcntl
import json
import logging
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.redaction import redact

FILE = "jobdesk.log"
FIELDS = ("job", "queue", "worker", "flow", "schedule", "folder")
"""What a line says beside its event: `extra=` of the call."""
_FIRST = ("at", "level", "event", "logger")
_FORMER = re.compile(re.escape(FILE) + r"\.\d+")
_process: dict[str, str] = {}
"""What each line of this process says: the consumer's id."""


def to_file(folder: Path, *, level: str = "info", max_bytes: int = 5_000_000, keep: int = 5) -> None:
    """Send what jobdesk, Huey and watchdog log to the file, and nowhere else; a second call takes the first's place.

    Args:
        level: the least that jobdesk itself logs; of the libraries it is warnings.
        max_bytes: of the file; with more it becomes jobdesk.log.1, and that one jobdesk.log.2.
        keep: how many of those there may be.
    """
    handler = LogFile(folder / FILE, max_bytes, keep)
    handler.setFormatter(_json_lines())
    for name in ("jobdesk", "huey", "watchdog"):
        logger = logging.getLogger(name)
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(level.upper() if name == "jobdesk" else max(logging.WARNING, _number(level)))
    if getattr(threading.excepthook, "func", None) is not _thread_died:
        threading.excepthook = partial(_thread_died, threading.excepthook)


def say_always(**fields: str) -> None:
    """Let every line of this process say so."""
    _process.update(fields)


class LogFile(logging.Handler):
    """A private file that several processes write and rotate: a line is one write to its end.

    Its own trouble (a full disk) stays off the terminal: the screen may be the app's.
    """

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._file: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            file = self._current()
            os.write(file, line)
            if os.fstat(file).st_size >= self._max_bytes:
                self._rotate(file)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        return

    def close(self) -> None:
        with self.lock or threading.RLock():
            if self._file is not None:
                os.close(self._file)
                self._file = None
        super().close()

    def _current(self) -> int:
        """The file as it is now: another process may have rotated it, or somebody taken it away."""
        if self._file is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), self._path.stat()):
                    return self._file
            os.close(self._file)
        self._file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        return self._file

    def _rotate(self, file: int) -> None:
        """Rename it and those before it, unless somebody else just has."""
        lock = os.open(self._path.with_name(FILE + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._path.exists() or not os.path.samestat(os.fstat(file), self._path.stat()):
                return
            names = [self._path, *(former(self._path, number) for number in range(1, self._keep + 1))]
            names[-1].unlink(missing_ok=True)
            for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
                with suppress(FileNotFoundError):
                    newer.rename(older)
        finally:
            os.close(lock)


def former(path: Path, number: int) -> Path:
    """The log file that was full so many files ago."""
    return path.with_name(f"{path.name}.{number}")


def forget(folder: Path, before: float, *, dry_run: bool = False) -> list[tuple[Path, int]]:
    """Remove former log files that were last written before an instant (epoch seconds); which, with their bytes."""
    lock = os.open(folder / f"{FILE}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that none gets a new name meanwhile
        gone = []
        for one in sorted(folder.iterdir()):
            found = one.lstat()
            if _FORMER.fullmatch(one.name) and stat.S_ISREG(found.st_mode) and found.st_mtime < before:
                gone.append((one, found.st_size))
                if not dry_run:
                    one.unlink()
        return gone
    finally:
        os.close(lock)


def _json_lines() -> logging.Formatter:
    """What makes a line of a record: time, level, event, logger, and what the call and the process say beside."""
    structlog = _structlog()
    made: logging.Formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            structlog.processors.format_exc_info,
        ],
        processors=[_as_we_say, structlog.processors.JSONRenderer(serializer=_to_json)],
    )
    return made


def _structlog() -> ModuleType:
    """structlog without Rich, unless the terminal app has loaded that already."""
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog
    finally:
        if hidden:
            del sys.modules["rich"]
    return structlog


def _as_we_say(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    record: logging.LogRecord = event["_record"]
    said = {name: value for name, value in event.items() if not name.startswith("_")}
    if "exception" in said:
        said["traceback"] = said.pop("exception")
    said |= _process | {"at": iso(record.created)}
    shown = {name: redact(value) if isinstance(value, str) else value for name, value in said.items()}
    return {name: shown.pop(name) for name in _FIRST if name in shown} | shown


def _to_json(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _thread_died(before: Callable[[threading.ExceptHookArgs], object], died: threading.ExceptHookArgs) -> None:
    """A thread of ours or of a library ended with an exception; Python would print it over the screen."""
    module = type(died.thread).__module__
    name = died.thread.name if died.thread else ""
    if not (module.startswith("watchdog") or name.startswith(("jobdesk", "Worker-", "Scheduler"))):
        before(died)
        return
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        logging.getLogger("jobdesk").error(
            "a thread died: %s", died.thread and died.thread.name, exc_info=died.exc_value
        )
