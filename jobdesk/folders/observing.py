"""Notices of changes in folders where the system is not Linux: the observer that watchdog has for it."""

import errno
import os
from itertools import count

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from jobdesk.folders.hearing import Hears


class Observed:
    """What `Notices` is on Linux. A drop folder is observed with all that is in it, so its sub-folders need nothing."""

    def __init__(self) -> None:
        """
        Raises:
            OSError: this system tells nobody of changes.
        """
        if Observer is PollingObserver:  # our own scan is cheaper, and follows no links
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._observer: BaseObserver = Observer()
        self._observer.name = "jobdesk-folders-ear"
        self._watches: dict[int, ObservedWatch] = {}
        self._who: dict[int, set[Hears]] = {}
        self._numbers = count(1)

    def start(self) -> None:
        self._observer.start()

    def is_alive(self) -> bool:
        """Whether all of its threads are: without one of them nothing is heard of some folder."""
        return self._observer.is_alive() and all(one.is_alive() for one in self._observer.emitters)

    def listen(self, folder: bytes, listener: Hears) -> int:
        """Tell it what happens in the drop folder; the number of its watch, the same again if it is observed already.

        Raises:
            OSError: it cannot be observed.
        """
        path = os.fsdecode(folder)
        for number, watch in self._watches.items():
            if path == watch.path or path.startswith(os.path.join(watch.path, "")):
                self._observer.add_handler_for_watch(_Handler(listener), watch)
                self._who[number].add(listener)
                return number
        number = next(self._numbers)
        self._watches[number] = self._observer.schedule(_Handler(listener), path, recursive=True)
        self._who[number] = {listener}
        return number

    def leave(self, watch: int, listener: Hears) -> None:
        """It hears of this folder no more."""
        who = self._who.get(watch)
        if who is None or listener not in who:
            return
        who.discard(listener)
        if who:
            self._observer.remove_handler_for_watch(_Handler(listener), self._watches[watch])
        else:
            self._observer.unschedule(self._watches.pop(watch))
            del self._who[watch]

    def stop(self) -> None:
        self._observer.stop()

    def join(self, timeout: float | None = None) -> None:
        self._observer.join(timeout)


class _Handler(FileSystemEventHandler):
    """Tells a listener what happens; two of one listener are one."""

    def __init__(self, listener: Hears) -> None:
        self._listener = listener

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._listener.told(os.fsencode(path), must_scan=event.is_directory)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Handler) and other._listener is self._listener

    def __hash__(self) -> int:
        return hash(self._listener)
