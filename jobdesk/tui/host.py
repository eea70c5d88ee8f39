"""Who does the work while the app is open: a consumer of its own, or one that was there before.

Nothing here blocks the screen: starting, stopping and handing over run on threads and say by message how it went.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from jobdesk.core.errors import JobdeskError
from jobdesk.desk import Desk
from jobdesk.tui.messages import HostChanged, Worker

if TYPE_CHECKING:
    from jobdesk.engine import Engine

Farewell = Literal["finish", "hand over", "stop"]
FOR_EVER_S = 365 * 86400.0
REGISTER_S = 15.0


class Host:
    """The app's own consumer, if it has one.

    Args:
        watch_only: never work, only show who does.
    """

    def __init__(self, desk: Desk, post: Callable[[Message], object], *, watch_only: bool) -> None:
        self._desk = desk
        self._post = post
        self.watch_only = watch_only
        self._lock = threading.Lock()
        self.engine: Engine | None = None
        self.starting = False
        self.leaving: Farewell | None = None
        self._failed = False

    def hold(self) -> None:
        """Never work, though everything else may be done here; for a desk that others look after."""
        self._failed = True

    @property
    def busy(self) -> int:
        """Jobs that run in this app now."""
        return self.engine.busy if self.engine is not None else 0

    def look(self, workers: tuple[Worker, ...]) -> None:
        """Take over if nobody works; call it with each snapshot."""
        if workers or self.watch_only or self.leaving or self.starting or self.engine or self._failed:
            return
        self.starting = True
        threading.Thread(target=self._start, name="jobdesk-start", daemon=True).start()

    def _start(self) -> None:
        try:
            with self._lock:
                if self.leaving is None:
                    engine = self._desk.engine("app")
                    engine.start()
                    self.engine = engine
            self._post(HostChanged())
        except JobdeskError as error:
            self._failed = True
            self._post(HostChanged(f"no consumer here: {error}", error=True))
        finally:
            self.starting = False

    def leave(self, how: Farewell) -> None:
        """Begin to go; `HostChanged` is posted when the screen may close."""
        self.leaving = how
        threading.Thread(target=self._leave, args=(how,), name="jobdesk-leave", daemon=True).start()

    def _leave(self, how: Farewell) -> None:
        said = ""
        try:
            said = self.farewell(how)
        except JobdeskError as error:
            said = str(error)
        self._post(HostChanged(said))

    def hurry(self) -> None:
        """Wait no longer for what still runs: it goes back to its queue."""
        if self.engine is not None:
            self.engine.hurry()

    def farewell(self, how: Farewell) -> str:
        """Stop the own consumer in this way, on the calling thread; what to say about it."""
        self.leaving = how
        said = ""
        with self._lock:
            engine = self.engine
            if engine is None:
                return ""
            if how == "hand over":
                pid = self._spawn()
                said = f"a background consumer works on (process {pid})" if pid else "no background consumer came up"
            engine.stop({"finish": FOR_EVER_S, "hand over": 0.0, "stop": 0.0}[how])
            self.engine = None
        return said

    def _spawn(self) -> int | None:
        """Start a consumer that outlives us, and wait until it is registered; its pid."""
        process = subprocess.Popen(
            [sys.executable, "-m", "jobdesk", "--home", str(self._desk.home.path), "--consumer"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        waits, never = int(REGISTER_S / 0.05), threading.Event()
        for _ in range(waits):
            if any(one.pid == process.pid for one in self._desk.consumers()):
                return process.pid
            if process.poll() is not None:
                return None
            never.wait(0.05)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        return None


def who_works(workers: tuple[Worker, ...], host: Host) -> tuple[str, str]:
    """How the top line says it: a kind (here, other, nobody, starting) and the words."""
    others = [one for one in workers if one.pid != os.getpid()]
    if any(one.pid == os.getpid() for one in workers):
        return "here", "working here" + (f" and {len(others)} more" if others else "")
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return "other", f"watching consumer {others[0].pid}{more}"
    return ("starting", "starting") if host.starting else ("nobody", "no consumer")
