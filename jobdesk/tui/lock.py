"""One terminal app a home: a lock that the kernel lets go of when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from jobdesk.core.errors import HomeError
from jobdesk.home import Home


@contextmanager
def only_app(home: Home) -> Iterator[None]:
    """Hold the home's app lock.

    Raises:
        HomeError: another app has it; the sentence names its process.
    """
    path = home.run / "app.lock"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise HomeError(
                f"the terminal app is open on {home.path} already (process {holder}): "
                "use that one, close it, or open this one beside it with --attach"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)
