"""Health of the drop folders: whether each can be read and written, and somebody watches it."""

import os
from contextlib import suppress
from pathlib import Path

from jobdesk.core.names import CORNER
from jobdesk.monitoring.check import Check, Scene


def folders(scene: Scene) -> Check:
    """Those that a consumer has watched."""
    check = Check("folders")
    for path, mode, message in scene.ledger.rows("SELECT path, mode, message FROM folder ORDER BY path"):
        why = unusable(path, mode)
        check.details[path] = {"mode": mode, "usable": why is None, "message": message}
        if why is not None:
            check.worse("warning", f"the folder {path} cannot be used ({why}): make or mend it, or mount its disk")
        elif mode == "offline":
            check.worse("warning", f"the folder {path} is offline: {message or 'nobody watches it'}")
    return check


def unusable(path: str, mode: str) -> str | None:
    """Why files cannot be taken from the folder, which is watched in this mode; None if they can."""
    try:
        with os.scandir(path) as names, suppress(StopIteration):
            next(names)
    except OSError as error:
        return error.strerror or str(error)
    if os.access(path, os.W_OK | os.X_OK):
        return None
    if mode in ("watch", "scan") and os.access(path, os.X_OK) and not Path(path, CORNER).exists():
        return None  # its files stay where they are, and its corner is in the home
    return "it may not be written"
