"""Hearing of changes, as a hint only: whatever is said or lost, a look at the folder decides.

watchdog hears, for all folders at once, and sleeps in the kernel while nothing happens. A queue that ran over, a folder
that was moved away or unmounted, a thread that died: each makes the folders it concerns be looked through anew.
"""

import errno
import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from jobdesk.core.names import shown
from jobdesk.folders.place import is_network
from jobdesk.folders.rules import DONE, OWN, REJECTED, FolderRule

if TYPE_CHECKING:
    from jobdesk.folders.notices import Notices
    from jobdesk.folders.observing import Observed

HINTS = 2000
"""More files than this that were heard of and not yet looked at: a scan is cheaper."""
_CORNERS = (OWN, DONE, REJECTED)


class Hears(Protocol):
    """What an ear calls, from its thread."""

    def told(self, path: bytes, *, must_scan: bool) -> None:
        """Something happened to a file; or something of which only a scan can tell what."""

    def lost(self) -> None:
        """The queue ran over: anything may have happened."""

    def broke_off(self) -> None:
        """The ear died."""


class Ear:
    """What hears for all folders. It begins when one wants to be heard, and anew when one does after it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hearing: Notices | Observed | None = None

    def is_alive(self) -> bool:
        """Whether it hears: watchdog's observers call themselves alive when the thread that reads is dead."""
        return self.hearing is not None and self.hearing.is_alive()

    def add(self, folder: bytes, listener: Hears) -> int:
        """Hear of what happens in a folder; the number of its watch.

        Raises:
            OSError: no watch is left, or the folder cannot be watched.
        """
        with self._lock:
            if self.hearing is None or not self.hearing.is_alive():
                if self.hearing is not None:
                    self.hearing.stop()
                self.hearing = _hearing()
                self.hearing.start()
            return self.hearing.listen(folder, listener)

    def remove(self, watch: int, listener: Hears) -> None:
        """The listener hears of this folder no more."""
        with self._lock:
            if self.hearing is not None:
                self.hearing.leave(watch, listener)

    def close(self) -> None:
        """End; whoever listened must begin again."""
        with self._lock:
            hearing, self.hearing = self.hearing, None
        if hearing is not None:
            hearing.stop()
            hearing.join(5.0)


def _hearing() -> "Notices | Observed":
    if sys.platform == "linux":
        from jobdesk.folders.notices import Notices

        return Notices()
    from jobdesk.folders.observing import Observed

    return Observed()


class Listener:
    """What one folder hears.

    Args:
        heard: called from the ear's thread whenever something may have happened; must be quick.
    """

    def __init__(self, ear: Ear, rule: FolderRule, heard: Callable[[], None]) -> None:
        self._ear = ear
        self._rule = rule
        self._wake = heard
        self._root = b""
        self._watches: dict[int, int] = {}
        """Watch -> the scan that saw its folder last."""
        self._scan = 0
        self._left_out = 0
        self._is_heard = False
        self._is_network = False
        self._hints: set[bytes] = set()
        self.must_scan = False
        """Something happened of which only a scan can tell what."""
        self.restarts = 0
        self.trouble: str | None = None
        """Why changes are not, or not all, heard."""
        self.overflows = 0

    @property
    def mode(self) -> str:
        """`watch` where a change is heard at once, `scan` where it is found by looking."""
        return "watch" if self._is_heard and not self.trouble else "scan"

    # ── while it is looked through ──

    def begin_scan(self, root: bytes) -> None:
        """A scan begins, which will say each folder that it looks into to `listen`."""
        if self._is_heard and not self._ear.is_alive():
            self._begin_anew()
        self._root = root
        self._scan += 1
        self._left_out = 0
        self._trouble_now: str | None = None
        self.must_scan = False
        if self._scan == 1:
            self._is_network = is_network(root)

    def listen(self, folder: bytes) -> None:
        """Hear of what happens in a folder from now on."""
        wanted = self._rule.watch == "inotify" or (self._rule.watch == "auto" and not self._is_network)
        if not wanted:
            return
        try:
            self._watches[self._ear.add(folder, self)] = self._scan
            if folder == self._root:
                self._is_heard = True
        except OSError as error:
            if folder == self._root:
                self._is_heard = False
                said = error.strerror or str(error)
                if error.errno in (errno.ENOSPC, errno.EMFILE):
                    said = "the system's limit is reached: raise fs.inotify.max_user_watches and max_user_instances"
                self._trouble_now = f"changes are not heard ({said}): the folder is looked through instead"
            elif error.errno in (errno.ENOSPC, errno.EMFILE):  # one that is gone or unreadable the scan itself meets
                self._left_out += 1

    def end_scan(self) -> None:
        """The scan is over: what it did not look into is heard no more."""
        for watch in [watch for watch, scan in self._watches.items() if scan != self._scan]:
            del self._watches[watch]
            self._ear.remove(watch, self)
        if self._left_out and self._is_heard:
            some = "1 sub-folder" if self._left_out == 1 else f"{self._left_out} sub-folders"
            self._trouble_now = f"{some} cannot be watched: raise fs.inotify.max_user_watches; looked through instead"
        self.trouble = self._trouble_now

    def stop(self) -> None:
        """Hear no more; a second call does nothing."""
        for watch in self._watches:
            self._ear.remove(watch, self)
        self._watches.clear()
        self._is_heard = False
        self._scan = 0
        self._hints = set()

    # ── what is heard ──

    def hints(self) -> set[bytes]:
        """Files that were heard of since the last call, by their paths below the folder."""
        hints, self._hints = self._hints, set()
        return hints

    @property
    def has_hints(self) -> bool:
        return bool(self._hints)

    def told(self, path: bytes, *, must_scan: bool) -> None:
        below = path[len(self._root.rstrip(b"/")) + 1 :]
        if below.partition(b"/")[0] in _CORNERS:
            return
        if must_scan or len(self._hints) >= HINTS:
            self.must_scan = True
        else:
            self._hints.add(below)
        self._wake()

    def lost(self) -> None:
        self.overflows += 1
        logging.getLogger("jobdesk").warning("too much happened at once in %s: it is looked through", shown(self._root))
        self.must_scan = True
        self._wake()

    def broke_off(self) -> None:
        self.must_scan = True
        self._wake()

    def _begin_anew(self) -> None:
        self.restarts += 1
        self._watches.clear()
        logging.getLogger("jobdesk").warning("watching %s had stopped; it was begun again", shown(self._root))

    @property
    def is_deaf(self) -> bool:
        """Whether it should hear and does not."""
        return self._is_heard and not self._ear.is_alive()
