"""The settings of a home in use: read when they are first needed, and again when their file has changed."""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from jobdesk.core.clock import Clock
from jobdesk.core.errors import ConfigError

if TYPE_CHECKING:
    from jobdesk.sections import Config

SETTLED_S = 0.5
"""A file that changed more lately than this may still be being written."""


class Settings:
    """Any thread may use it.

    Args:
        file: jobdesk.toml, in the home; it need not exist.
    """

    def __init__(self, file: Path, clock: Clock) -> None:
        self.file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._config: Config | None = None
        self._seen: tuple[int, int, int] | None = None
        self.problem: str | None = None
        """Why the file cannot be taken as it is now; what was read before it still holds."""

    @property
    def config(self) -> "Config":
        """The settings that hold.

        Raises:
            ConfigError: they were not read yet, and are wrong.
        """
        return self._config or self._first()

    @property
    def synchronous(self) -> str:
        """`desk.synchronous`; the safe one where the settings are wrong: who cancels a job need not mend them first."""
        try:
            return self.config.desk.synchronous
        except ConfigError:
            return "full"

    def renew(self) -> None:
        """Read the file again if it has changed; costs microseconds if not.

        A wrong one is said in the log, once, and changes nothing; nor does one that was taken away.
        """
        now = self._look()
        if self._config is None or now is None or now == self._seen or self._is_fresh(now):
            return
        with self._lock:
            if now == self._seen:
                return
            self._seen = now
            try:
                self._config, self.problem = self._read(), None
            except ConfigError as error:
                self.problem = str(error)
                logging.getLogger("jobdesk").error(
                    "%s was changed and is wrong, what held before still does: %s", self.file, error
                )
                return
        logging.getLogger("jobdesk").info("%s has changed and was read again", self.file)

    def _first(self) -> "Config":
        with self._lock:
            if self._config is None:
                self._seen = self._look()
                self._config = self._read()
            return self._config

    def _read(self) -> "Config":
        from jobdesk import config  # most commands that only look need none

        return config.load(self.file.parent)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _is_fresh(self, seen: tuple[int, int, int]) -> bool:
        return 0 <= self._clock.now() - seen[0] / 1e9 < SETTLED_S
