"""Who does the work while the app is open: a consumer of its own, or one that was there before, which it watches.

Nothing here blocks the screen: starting, stopping and handing over run on threads and say by message how it went.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from jobdesk.core.errors import JobdeskError
from jobdesk.desk import Desk
from jobdesk.runtime import processes
from jobdesk.tui.format import count_of
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
        attached: work only when somebody asks for it.
    """

    def __init__(
        self, desk: Desk, post: Callable[[Message], object], *, watch_only: bool, attached: bool = False
    ) -> None:
        self._desk = desk
        self._post = post
        self.watch_only = watch_only
        self.eager = not attached and not watch_only
        """Whether it works as soon as nobody else does."""
        self._lock = threading.Lock()
        self.engine: Engine | None = None
        self.starting = False
        self.retiring = False
        self.leaving: Farewell | None = None

    @property
    def busy(self) -> int:
        """Jobs that run in this app now."""
        return self.engine.busy if self.engine is not None else 0

    def parting(self) -> str:
        """What becomes of the work while this app is stopped; "" if it has none."""
        if self.engine is None:
            return ""
        said = f"{count_of(self.busy, 'running job')} and all that waits" if self.busy else "all that waits"
        return f"jobdesk is stopped, and {said} with it: `fg` goes on, `jobdesk --consumer` works meanwhile"

    def look(self, workers: tuple[Worker, ...]) -> None:
        """Take over if nobody works; call it with each snapshot."""
        if self.eager and not workers:
            self.start()

    def start(self, *, instead: bool = False) -> None:
        """Begin to work; with `instead` the consumers without a screen that are there are asked to stop."""
        if self.watch_only or self.leaving or self.starting or self.engine:
            return
        self.starting = True
        threading.Thread(target=self._start, args=(instead,), name="jobdesk-start", daemon=True).start()

    def _start(self, instead: bool) -> None:
        try:
            others = [one.pid for one in self._desk.consumers() if processes.is_headless(one.pid)] if instead else []
            with self._lock:
                if self.leaving is None:
                    engine = self._desk.engine("app")
                    engine.start()
                    self.engine = engine
            self._post(HostChanged(_ask_to_stop(others)))
        except JobdeskError as error:
            self.eager = False
            self._post(HostChanged(f"no consumer here: {error}", error=True))
        finally:
            self.starting = False

    def retire(self, how: Farewell) -> None:
        """Work no longer, though the app stays open; it works again only when asked."""
        if self.engine is not None and not self.retiring:
            self.eager = False
            self.retiring = True
            threading.Thread(target=self._retire, args=(how,), name="jobdesk-retire", daemon=True).start()

    def _retire(self, how: Farewell) -> None:
        try:
            said = self._part(how)
            self._post(HostChanged(said or "This app only watches now."))
        except JobdeskError as error:
            self._post(HostChanged(str(error), error=True))
        finally:
            self.retiring = False

    def leave(self, how: Farewell) -> None:
        """Begin to go; `HostChanged` is posted when the screen may close."""
        self.leaving = how
        if self.retiring and how != "finish":
            self.hurry()
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
        return self._part(how)

    def _part(self, how: Farewell) -> str:
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


def _ask_to_stop(pids: Sequence[int]) -> str:
    """Let consumers without a screen finish, or give back, what they run; what to say about it."""
    asked = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            try:
                os.kill(pid, signal.SIGTERM)
                asked.append(str(pid))
            except PermissionError:
                return f"This app works too; process {pid} belongs to somebody else, and goes on."
    return f"This app works now; asked to stop: {', '.join(asked)}." if asked else ""


def who_works(workers: tuple[Worker, ...], host: Host) -> tuple[str, str]:
    """How the top line says it: a kind (here, other, nobody, starting) and the words."""
    others = [one for one in workers if one.pid != os.getpid()]
    if any(one.pid == os.getpid() for one in workers):
        here = "finishing here" if host.retiring else "working here"
        return "here", here + (f" and {len(others)} more" if others else "")
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return "other", f"watching consumer {others[0].pid}{more}"
    return ("starting", "starting") if host.starting else ("nobody", "no consumer")
