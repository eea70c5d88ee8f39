"""The kernel's notices of changes in folders, read by watchdog: one thread for all that sleeps until there is one.

For Linux: it is the reader within watchdog's InotifyObserver. The observer around it would follow whole trees, our own
corner and each claim in it included, with a thread a folder; and its records of what moved where can kill the reader.
"""

import errno
import logging
import os
import threading
from itertools import count

from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyEvent, InotifyFD, Mask, WatchDescriptor

from jobdesk.folders.hearing import Hears

HEARD = Mask(
    InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_DONT_FOLLOW
    | InotifyConstants.IN_EXCL_UNLINK
)
"""Not each opening and writing, as by default: a slow copy would be heard a thousand times, and the kernel's queue run
over. Not what is moved out: each of our claims is."""
_OF_FOLDER = (
    InotifyConstants.IN_UNMOUNT
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ISDIR
)


class Notices(InotifyFD):
    """The reading thread, and who listens to what it reads.

    Raises:
        OSError: the user has too many of them (fs.inotify.max_user_instances), or the process too many files.
    """

    def __init__(self) -> None:
        super().__init__()
        self.name = "jobdesk-folders-ear"
        self._knowing = threading.Lock()
        self._ids = count(1)
        self._known: dict[int, tuple[CallbackId, dict[Hears, bytes]]] = {}
        """Watch -> who listens to it, and the folder's path."""
        self._ending = False

    def listen(self, folder: bytes, listener: Hears) -> int:
        """Tell it what happens in the folder; the number of its watch, the same again if it is watched already.

        Raises:
            OSError: no watch is left (ENOSPC), or the folder is gone or not readable.
        """
        with self._knowing:
            id_ = CallbackId(next(self._ids))
            watch = self.add_callback(folder, HEARD, self, id_)
            known = self._known.get(watch)
            if known is not None or watch < 0:
                self.remove_callbacks([(watch, id_)])
            if watch < 0:  # watchdog takes a folder that it may not read for one in which nothing happens
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
            if known is None:
                known = self._known[watch] = (id_, {})
            known[1][listener] = folder
            return watch

    def leave(self, watch: int, listener: Hears) -> None:
        """It hears of this folder no more."""
        with self._knowing:
            id_, who = self._known.get(watch, (None, {}))
            if id_ is None or who.pop(listener, None) is None or who:
                return
            del self._known[watch]
            self.remove_callbacks([(WatchDescriptor(watch), id_)])

    def stop(self) -> None:
        """End; nobody is told anything more."""
        self._ending = True
        with self._knowing:
            self._known = {}
        super().stop()

    def run(self) -> None:
        try:
            super().run()
        except Exception:  # said where it is noticed: every folder is told, and begins anew
            logging.getLogger("jobdesk").exception("hearing of changes in drop folders broke off")
        if not self._ending:
            for listener in self._listeners():
                listener.broke_off()

    # ── what watchdog calls ──

    def on_event(self, event: InotifyEvent) -> None:
        with self._knowing:
            _, who = self._known.get(event.wd, (None, {}))
            heard = list(who.items())
        for listener, folder in heard:
            path = folder + b"/" + event.name if event.name else folder
            listener.told(path, must_scan=bool(event.mask & _OF_FOLDER) or not event.name)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        with self._knowing:
            _, who = self._known.pop(wd, (None, {}))
        for listener, folder in who.items():
            listener.told(folder, must_scan=True)

    def on_queue_overflow(self) -> None:
        for listener in self._listeners():
            listener.lost()

    def _listeners(self) -> set[Hears]:
        with self._knowing:
            return {listener for _, who in self._known.values() for listener in who}
