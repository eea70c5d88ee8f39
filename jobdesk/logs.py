"""The desk's own log: JSON lines in HOME/logs/jobdesk.log, rotated; never on the screen."""

import json
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from jobdesk.core.clock import iso

MAX_BYTES = 5_000_000
KEPT = 5


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": iso(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class QuietFile(RotatingFileHandler):
    """A private log file whose own trouble (a full disk) stays off the terminal: the screen may be the app's."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=_private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        return


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def to_file(folder: Path) -> None:
    """Send what jobdesk and Huey log to the file, and nowhere else; a second call changes nothing."""
    path = folder / "jobdesk.log"
    handler = QuietFile(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    for name in ("jobdesk", "huey"):
        logger = logging.getLogger(name)
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO if name == "jobdesk" else logging.WARNING)
    if getattr(threading.excepthook, "func", None) is not _thread_died:
        threading.excepthook = partial(_thread_died, threading.excepthook)


def _thread_died(before: Callable[[threading.ExceptHookArgs], object], died: threading.ExceptHookArgs) -> None:
    """A thread of ours or of a library ended with an exception; Python would print it over the screen."""
    name = died.thread.name if died.thread else ""
    if not name.startswith(("jobdesk", "Worker-", "Scheduler")):
        before(died)
        return
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        logging.getLogger("jobdesk").error(
            "a thread died: %s", died.thread and died.thread.name, exc_info=died.exc_value
        )
