"""Hearing of changes through watchdog, as a hint only: whatever it says or loses, a scan decides.

watchdog 7.1 goes blind in silent ways: its reader thread dies of ordinary folder use while the observer says it
lives, a root that is a link or was made anew is not watched, below the limit of watches sub-folders are left out.
So: the real path, one observer a folder, a look at all three kinds of thread, and at what is really watched.
"""

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from watchdog.events import (
    DirCreatedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from jobdesk.folders.rules import DONE, OWN, REJECTED

HEARD = [FileClosedEvent, FileCreatedEvent, FileMovedEvent, DirCreatedEvent]
"""More kinds of event would overflow the kernel's queue in a burst; fewer would miss whole ways of arriving."""


def _is_own(path: bytes, root: bytes) -> bool:
    corner = path[len(root.rstrip(b"/")) + 1 :].partition(b"/")[0]
    return corner in (OWN, DONE, REJECTED)


class _Hint(FileSystemEventHandler):
    """Says that something happened; what comes from our own corner is no news."""

    def __init__(self, root: bytes, heard: Callable[[], None]) -> None:
        self._root = root
        self._heard = heard

    def dispatch(self, event: FileSystemEvent) -> None:
        with suppress(Exception):  # an exception here would end the observer's thread
            if not _is_own(os.fsencode(event.dest_path or event.src_path), self._root):
                self._heard()


class Watcher:
    """Watches one folder until stopped.

    Args:
        heard: called from watchdog's threads whenever something may have arrived; must be quick.
    """

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._observer: Any = None

    @property
    def running(self) -> bool:
        return self._observer is not None

    def start(self, root: bytes, recursive: bool) -> None:
        """Begin to watch; `root` must be a real path.

        Raises:
            OSError: the system has no watch left, or the folder cannot be watched.
        """
        self.stop()
        observer = Observer()
        try:
            observer.schedule(
                _Hint(root, self._heard), os.fsdecode(root), recursive=recursive, event_filter=list(HEARD)
            )
            observer.start()
        except BaseException:
            _end(observer)
            raise
        self._observer = observer
        self.spare_own(root)

    def spare_own(self, root: bytes) -> None:
        """Hear nothing of our own corners: each claim would cost watchdog ten times what it costs us."""
        for emitter in self._observer.emitters if self._observer is not None else ():
            group: Any = getattr(emitter, "_inotify", None)
            with suppress(AttributeError), group._lock:  # private names of watchdog: without them it is only slower
                known = group._active_callbacks_by_path.items()
                group._remove_callbacks([watch for path, watch in known if _is_own(path, root)])

    def stop(self) -> None:
        """Watch no more; a second call does nothing."""
        observer, self._observer = self._observer, None
        if observer is not None:
            _end(observer)

    def threads(self) -> list[threading.Thread]:
        """Every thread that must live for a change to be heard."""
        if self._observer is None:
            return []
        reader = getattr(self._observer, "_inotify_fd", None)
        return [self._observer, *self._observer.emitters, *([reader] if reader is not None else [])]

    def is_alive(self) -> bool:
        """Whether all of them live."""
        threads = self.threads()
        return len(threads) >= 2 and all(thread.is_alive() for thread in threads)

    def unwatched(self, root: bytes, folders: Iterable[bytes]) -> int:
        """How many of these folders (below `root`) the system does not report on, as far as that can be told."""
        watched: set[bytes] = set()
        for emitter in self._observer.emitters if self._observer is not None else ():
            group = getattr(emitter, "_inotify", None)
            known = getattr(group, "_active_callbacks_by_path", None)
            if known is None:
                return 0
            watched.update(path.rstrip(b"/") for path in list(known))
        places = (os.path.join(root, folder).rstrip(b"/") for folder in folders)
        return sum(place not in watched and os.path.isdir(place) for place in places)


def _end(observer: Any) -> None:
    with suppress(RuntimeError):  # never started
        observer.stop()
    reader = getattr(observer, "_inotify_fd", None)
    for thread in (observer, reader):
        if thread is not None and thread.is_alive():
            with suppress(RuntimeError):
                thread.stop()
                thread.join(2.0)
