"""What SQLite says, as a sentence for a person that names the mend."""

import os
from pathlib import Path

from jobdesk.ledger import migrating
from jobdesk.ledger.locks import writer_of

BUSY_TIMEOUT_S = 10
"""How long a write waits for those of other programs."""
ROOM_BYTES = 1_000_000
"""With less than this free SQLite may not even open its file: it has to make others beside it."""


def explain(path: Path, error: Exception, waited_s: float = BUSY_TIMEOUT_S) -> str:
    """What SQLite said, as a sentence for a person."""
    text = str(error)
    if "locked" in text or "busy" in text:
        who = writer_of(path) or "another program holds a long transaction on it"
        return f"{path} stayed locked for {waited_s:g} s: {who}"
    if "full" in text or ("disk I/O error" in text and _no_room(path)):
        return f"the disk of {path} is full: nothing was changed; free some space and try again"
    if "readonly" in text:
        return f"{path} is read-only: nothing was changed; make the home writable or choose another --home"
    if "malformed" in text or "not a database" in text:
        return f"{path} is damaged ({text}): {migrating.RESTORE}"
    return f"{path}: {text}"


def _no_room(path: Path) -> bool:
    """Whether the disk has no room for what SQLite makes beside its file when it opens it."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < ROOM_BYTES
