"""What a folder is told to do with its files, and which names it never takes."""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jobdesk.core.names import CORNER

MAX_DEPTH = 32
"""Sub-folders deeper than this are not looked into."""
EMPTY_GRACE_S = 60.0
"""How long an empty file may wait to be filled."""
UNSURE_SETTLE_S = 10.0
"""How long a file must stay unchanged where nobody can say whether it is open for writing."""

REASONS = frozenset(
    {
        "empty", "too-large", "unsupported-type", "type-mismatch", "corrupt", "truncated", "too-many-pixels",
        "too-many-frames", "virus", "unreadable", "cannot-claim", "crashed-worker", "storage-failed",
        "too-small", "timeout", "expired", "cancelled", "failed",
    }
)  # fmt: skip
"""Why a file was rejected: the closed list of sidecars and of `folders files`."""

OWN = CORNER.encode()
DONE = b"_done"
REJECTED = b"_rejected"

_TEMPORARY = re.compile(
    rb".*(\.(part|partial|crdownload|download|opdownload|filepart|tmp|temp|aria2|swp|swx|!ut|!qb|bc!|lck|lock)|~)"
    rb"|~.*|#.*#|\.nfs[0-9a-f]+",
    re.I | re.S,
)
_SYSTEM = re.compile(
    rb"thumbs\.db|ehthumbs\.db|desktop\.ini|@eadir|#recycle|#snapshot|\$recycle\.bin|system volume information"
    rb"|lost\+found|__macosx|file_[0-9A-HJKMNP-TV-Z]{26}-.*\.error\.json",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class FolderRule:
    """How one drop folder is watched. Durations are in seconds."""

    path: Path
    pipeline: str
    patterns: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    recursive: bool = True
    depth: int = MAX_DEPTH
    """How many sub-folders deep; 0 is the folder alone."""
    source: Literal["archive", "delete", "keep"] = "archive"
    settle_s: float = 2.0
    stable: Literal["all", "size"] = "all"
    """What must not change while it rests: everything that a look shows, or the size alone."""
    marker: str | None = None
    """A file is whole only when one of its name and this ending lies beside it."""
    lock: str | None = None
    """A file is not whole while one of its name and this ending lies beside it."""
    rescan_s: float = 30.0
    watch: Literal["auto", "inotify", "poll"] = "auto"
    duplicates: Literal["skip", "process"] = "skip"
    data: Mapping[str, Any] = field(default_factory=dict)
    """What its job is given beside the file; may hold templates: see `folders.payload`."""
    types: tuple[str, ...] = ()
    """Media types by content that are taken, like image/*; () means any."""
    min_bytes: int = 0
    max_bytes: int | None = None
    owners: tuple[int, ...] = ()
    """User ids whose files are taken; () means anybody's."""
    empty_grace_s: float = EMPTY_GRACE_S
    max_ahead: int = 2000
    """Files taken in and not yet finished; more stay in the folder."""
    min_free_bytes: int = 50_000_000
    """With less free space than this nothing is taken in."""

    @property
    def levels(self) -> int:
        """How many sub-folders deep it is looked into."""
        return min(self.depth, MAX_DEPTH) if self.recursive else 0


def ignored_name(name: bytes) -> str | None:
    """Why a file or folder of this name is never taken, or None."""
    if _SYSTEM.fullmatch(name):
        return "system file"
    if _TEMPORARY.fullmatch(name):
        return "temporary name"
    if name.startswith(b"."):
        return "hidden"
    return None


class Patterns:
    """The patterns of a rule: `*.jpg` fits a name at any depth, `albums/*` a path; letters fit in either case."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._any = "*" in patterns
        self._names = _compile([text for text in patterns if "/" not in text])
        paths = [text for text in patterns if "/" in text]
        self._paths = _compile(paths) if paths else None

    def fit(self, path: bytes) -> bool:
        """Whether a path below the folder fits one of them."""
        return self._any or bool(
            self._names.fullmatch(path, path.rfind(b"/") + 1) or (self._paths and self._paths.fullmatch(path))
        )


def _compile(patterns: list[str]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(fnmatch.translate(text).encode() for text in patterns) or rb"(?!)", re.I | re.S)
