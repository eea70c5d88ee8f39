"""Who may come in: what a rule says of a file or a folder before it is opened, by its name and a look at it."""

import fnmatch
import os
import pwd
import stat

from jobdesk.core.durations import size
from jobdesk.core.names import shown
from jobdesk.folders.rules import DONE, OWN, REJECTED, FolderRule, Patterns, ignored_name

_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_CORNERS = (OWN, DONE, REJECTED)


class Door:
    """One rule, made ready to be asked a hundred thousand times."""

    def __init__(self, rule: FolderRule) -> None:
        self.rule = rule
        self._patterns = Patterns(rule.patterns)
        self._exclude = Patterns(rule.exclude)
        self._marker = os.fsencode(rule.marker) if rule.marker else None
        self._lock = os.fsencode(rule.lock) if rule.lock else None
        self.apart: frozenset[bytes] = frozenset()
        """Real paths of other drop folders: what lies in them is theirs."""

    # ── what is left alone, and why ──

    def name(self, path: bytes) -> str | None:
        """Why a file of this name is left alone."""
        name = path[path.rfind(b"/") + 1 :]
        why = ignored_name(name)
        if why is not None:
            return why
        if self._marks(name):
            return f"marks {shown(self.marked(name) or b'')} as whole"
        if self._lock is not None and name.endswith(self._lock):
            return "lock file"
        if not self._patterns.fit(path):
            return "fits no pattern"
        return "excluded by a pattern" if self._exclude.fit(path) else None

    def kind(self, status: os.stat_result) -> str | None:
        """Why a thing of this kind, or of this owner, is left alone."""
        if not stat.S_ISREG(status.st_mode):
            return _KINDS.get(stat.S_IFMT(status.st_mode), "thing of an unknown kind")
        if self.rule.owners and status.st_uid not in self.rule.owners:
            return f"belongs to {user_name(status.st_uid)}"
        return None

    def folder(self, path: bytes, status: os.stat_result, device: int, depth: int, root: bytes) -> str | None:
        """Why a sub-folder is not looked into; `depth` is 1 for those in the watched one."""
        if depth > self.rule.levels:
            return f"deeper than {self.rule.levels} folders" if self.rule.levels else "the folder is not recursive"
        if status.st_dev != device:
            return "on another file system"
        whole = os.path.join(root, path)
        if whole in self.apart or os.path.lexists(os.path.join(whole, OWN)):
            return "a drop folder of its own"
        return "excluded by a pattern" if self._exclude.fit(path) else None

    def corner(self, path: bytes) -> bool:
        """Whether a path lies in a corner of jobdesk's own."""
        return path.partition(b"/")[0] in _CORNERS

    # ── what must be beside a file, and what must not ──

    def _marks(self, name: bytes) -> bool:
        return self._marker is not None and name.endswith(self._marker) and name != self._marker

    def marked(self, path: bytes) -> bytes | None:
        """The file that this one, a marker or a lock, is about."""
        for ending in (self._marker, self._lock):
            if ending is not None and path.endswith(ending) and path[-len(ending) - 1 :] != b"/" + ending:
                return path[: -len(ending)] or None
        return None

    def marker_of(self, path: bytes) -> bytes | None:
        """The marker that must lie beside a file; None if none need."""
        return None if self._marker is None else path + self._marker

    def barred(self, whole: bytes) -> tuple[str, str] | None:
        """State and reason of a file (its whole path) that must wait: its marker is missing, or its lock is there."""
        name = os.path.basename(whole)
        if self._lock is not None and os.path.lexists(whole + self._lock):
            return "settling", f"{shown(name + self._lock)} says that it is being written"
        if self._marker is not None and not os.path.lexists(whole + self._marker):
            return "waiting", f"waits for {shown(name + self._marker)}"
        return None

    # ── what is refused ──

    def size(self, bytes_: int) -> tuple[str, str] | None:
        """Reason and sentence if a file of this size is refused, unread."""
        most, least = self.rule.max_bytes, self.rule.min_bytes
        if most is not None and bytes_ > most:
            has, limit = _sizes(bytes_, most)
            return "too-large", f"it has {has}, and at most {limit} are taken"
        if 0 < bytes_ < least:
            has, limit = _sizes(bytes_, least)
            return "too-small", f"it has {has}, and at least {limit} are wanted"
        return None

    def content(self, kind: str) -> tuple[str, str] | None:
        """Reason and sentence if a file of this media type is refused."""
        types = self.rule.types
        if not types or any(fnmatch.fnmatchcase(kind, wanted) for wanted in types):
            return None
        return "unsupported-type", f"it is {kind} by its content, and only {', '.join(types)} is taken"


def user_name(uid: int) -> str:
    """The name of a user, or their number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _sizes(one: int, other: int) -> tuple[str, str]:
    """Two sizes for a person; to the byte where they would else read the same."""
    rough = size(one), size(other)
    return rough if rough[0] != rough[1] else (f"{one:,} B", f"{other:,} B")
