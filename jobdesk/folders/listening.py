"""Keeping an ear on a folder: events where they come, a sentence where they do not, a new start where they stopped."""

import logging
from collections.abc import Callable, Sequence

from jobdesk.core.names import shown
from jobdesk.folders.place import is_network
from jobdesk.folders.watcher import Watcher


class Listener:
    """Knows whether changes of a folder are heard.

    Args:
        heard: called whenever something may have arrived.
        wanted: False never listens.
        recursive: whether sub-folders count.
    """

    def __init__(self, heard: Callable[[], None], *, wanted: bool, recursive: bool) -> None:
        self.watcher = Watcher(heard)
        self._wanted = wanted
        self._recursive = recursive
        self.restarts = 0
        self.trouble: str | None = None
        """Why changes are not, or not all, heard."""
        self._is_network = False

    @property
    def mode(self) -> str:
        """`watch` where a change is heard at once, `scan` where it is found by looking."""
        return "watch" if self.watcher.running and not self.trouble else "scan"

    def stop(self) -> None:
        """Hear no more."""
        self.watcher.stop()

    def check(self, root: bytes, folders: Sequence[bytes]) -> bool:
        """Begin to listen, or see that it still works. True: it was begun now, so something may have been missed.

        Args:
            folders: what the last scan looked into, below `root`.
        """
        if not self._wanted or is_network(root):
            return False
        if self.watcher.is_alive():
            self.watcher.spare_own(root)
            self.trouble = self._left_out(root, folders)
            return False
        if self.watcher.running:
            self.restarts += 1
            logging.getLogger("jobdesk").warning("watching %s had stopped; it was begun again", shown(root))
        try:
            self.watcher.start(root, self._recursive)
            self.trouble = None
        except OSError as error:
            self.trouble = f"changes are not heard ({error.strerror or error}): the folder is looked through instead"
        return True

    def _left_out(self, root: bytes, folders: Sequence[bytes]) -> str | None:
        count = self.watcher.unwatched(root, folders) if self._recursive else 0
        if not count:
            return None
        return (
            f"{count} sub-folders cannot be watched: raise fs.inotify.max_user_watches; they are looked through instead"
        )
