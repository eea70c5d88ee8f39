"""Hearing of changes, as a hint only: whatever is said or lost, a look at the folder decides.

One thread hears for all folders, and sleeps in the kernel while nothing happens. A queue that ran over, a folder that
was moved away or unmounted, a thread that died: each makes the folders it concerns be looked through anew.
"""

import errno
import logging
import os
import select
import threading
from collections.abc import Callable

from jobdesk.core.names import shown
from jobdesk.folders import inotify
from jobdesk.folders.inotify import Event, Inotify
from jobdesk.folders.place import is_network
from jobdesk.folders.rules import DONE, OWN, REJECTED, FolderRule

HINTS = 2000
"""More files than this that were heard of and not yet looked at: a scan is cheaper."""
_OF_FOLDER = inotify.UNMOUNT | inotify.IGNORED | inotify.DELETE_SELF | inotify.MOVE_SELF
_CORNERS = (OWN, DONE, REJECTED)


class Ear:
    """The thread that hears. It begins when a folder wants to be heard, and again when it is wanted after it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inotify: Inotify | None = None
        self._thread: threading.Thread | None = None
        self._poke = -1
        self._heard: dict[int, dict[Listener, bytes]] = {}
        """Who listens to which watch, and the folder's path."""

    @property
    def thread(self) -> threading.Thread | None:
        return self._thread

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def add(self, folder: bytes, listener: "Listener") -> int:
        """Hear of what happens in a folder; the number of its watch.

        Raises:
            OSError: no watch is left, or the folder cannot be watched.
        """
        with self._lock:
            if not self.is_alive():
                self._begin()
            assert self._inotify is not None
            watch = self._inotify.add(folder)
            self._heard.setdefault(watch, {})[listener] = folder
            return watch

    def remove(self, watch: int, listener: "Listener") -> None:
        """The listener hears of this folder no more."""
        with self._lock:
            who = self._heard.get(watch)
            if who is None or who.pop(listener, None) is None or who:
                return
            del self._heard[watch]
            if self._inotify is not None:
                self._inotify.remove(watch)

    def _begin(self) -> None:
        self._shut()
        self._inotify = Inotify()
        self._poke = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._heard = {}
        self._thread = threading.Thread(
            target=self._listen, args=(self._inotify, self._poke), name="jobdesk-folders-ear", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread; whoever listened must begin again."""
        if self.is_alive() and self._poke >= 0:
            os.eventfd_write(self._poke, 1)
            assert self._thread is not None
            self._thread.join(5.0)
        with self._lock:
            self._shut()

    def _shut(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
            os.close(self._poke)
            self._inotify, self._thread, self._poke = None, None, -1

    def _listen(self, notices: Inotify, poke: int) -> None:
        try:
            waiting = select.poll()
            waiting.register(notices.fd, select.POLLIN)
            waiting.register(poke, select.POLLIN)
            while all(fd != poke for fd, _ in waiting.poll()):
                for event in notices.read():
                    self._tell(event)
            return
        except Exception:  # said where it is noticed: every folder is told, and begins anew
            logging.getLogger("jobdesk").exception("hearing of changes in drop folders broke off")
        for listener in {one for who in list(self._heard.values()) for one in list(who)}:
            listener.broke_off()

    def _tell(self, event: Event) -> None:
        if event.mask & inotify.OVERFLOW:
            for listener in {one for who in list(self._heard.values()) for one in list(who)}:
                listener.lost()
            return
        with self._lock:
            who = list(self._heard.get(event.watch, {}).items())
            if event.mask & inotify.IGNORED:
                self._heard.pop(event.watch, None)
        for listener, folder in who:
            listener.told(folder, event)


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
        if not wanted or not inotify.available():
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
            else:
                self._left_out += 1

    def end_scan(self) -> None:
        """The scan is over: what it did not look into is heard no more."""
        for watch in [watch for watch, scan in self._watches.items() if scan != self._scan]:
            del self._watches[watch]
            self._ear.remove(watch, self)
        if self._left_out:
            self._trouble_now = (
                f"{self._left_out} sub-folders cannot be watched: raise fs.inotify.max_user_watches; "
                "they are looked through instead"
            )
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

    def told(self, folder: bytes, event: Event) -> None:
        """The ear heard something in one of the folders."""
        below = folder[len(self._root.rstrip(b"/")) + 1 :]
        path = below + b"/" + event.name if below else event.name
        if path.partition(b"/")[0] in _CORNERS:
            return
        if event.mask & (_OF_FOLDER | inotify.IS_FOLDER) or len(self._hints) >= HINTS:
            self.must_scan = True
        elif event.name:
            self._hints.add(path)
        self._wake()

    def lost(self) -> None:
        """The kernel's queue ran over: anything may have happened."""
        self.overflows += 1
        logging.getLogger("jobdesk").warning("too much happened at once in %s: it is looked through", shown(self._root))
        self.must_scan = True
        self._wake()

    def broke_off(self) -> None:
        """The ear died."""
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
