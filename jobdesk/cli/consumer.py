"""`jobdesk --consumer`: works without a screen until it is told to stop, or with --drain until nothing is left."""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args
from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.engine import Engine
    from jobdesk.runtime.sdnotify import ServiceManager, Watchdog

_LOOK_S = 0.1
_HURRY_S = 6.0
_DEAD_LETTERS = 3


class Signals:
    """SIGTERM, SIGINT and SIGHUP as something to wait for: each is a byte in a pipe, so a handler can never lock up.

    The interpreter writes it, in whichever thread the kernel delivers the signal to: a handler in Python runs in the
    main thread, which may be waiting here.
    """

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        self.last = signal.SIGTERM

    def heard(self, number: int, frame: FrameType | None = None) -> None:
        """The signal handler."""
        self.last = signal.Signals(number)

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for the next signal; True if there was one."""
        if not select.select([self.reader], [], [], timeout_s)[0]:
            return False
        os.read(self.reader, 1)
        return True

    def done(self) -> None:
        """Wake `wait` without a signal."""
        os.write(self.writer, b"d")

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


@contextmanager
def signals() -> Iterator[Signals]:
    """Hear the signals that ask to stop; afterwards they do what they did before."""
    hearing = Signals()
    before, former = {}, -1
    is_main = threading.current_thread() is threading.main_thread()
    if is_main:
        former = signal.set_wakeup_fd(hearing.writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            before[number] = signal.signal(number, hearing.heard)
    try:
        yield hearing
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if is_main:
            signal.set_wakeup_fd(former)
        hearing.close()


def run(args: Args, out: Out) -> int:
    """Work; the exit code: 0, or 3 if --drain left something new in the dead letters."""
    if not args.consumer:
        word = "--drain" if args.drain else "--metrics-port"
        raise UsageError(f"{word} belongs to --consumer: jobdesk --consumer {word}")
    queues = None
    if args.queues is not None:
        queues = [name.strip() for name in args.queues.split(",") if name.strip()]
        if not queues:
            raise UsageError("--queues names no queue: write it like --queues upload.normal,notifications")
    from jobdesk.runtime import heap

    heap.share_one()  # before there are threads
    with signals() as hearing, opened(args) as desk, _serving(desk, args.metrics_port, out):
        return work(desk, out, hearing, drain=args.drain, workers=args.workers, queues=queues)


@contextmanager
def _serving(desk: "Desk", port: int | None, out: Out) -> Iterator[None]:
    """Serve metrics and health meanwhile, if there is a port for them (0: any)."""
    if port is None:
        yield
        return
    import logging

    from jobdesk import logs
    from jobdesk.monitoring.prometheus import MetricsServer

    server = MetricsServer(port, desk.metrics, lambda detailed: desk.health(detailed=detailed))
    server.start()
    said = f"metrics and health: {server.url}/metrics, /health and /health/detailed"
    logs.to_file(desk.home.logs)
    logging.getLogger("jobdesk").info("%s", said)
    if out.json:
        out.errors.write(f"{said}\n")
        out.errors.flush()
    elif port == 0 or out.terminal:  # who chose no port must be told which it is, on a pipe too
        out.line(said, flush=True)
    try:
        yield
    finally:
        server.stop()


def work(
    desk: "Desk",
    out: Out,
    hearing: Signals,
    *,
    drain: bool,
    workers: int | None = None,
    queues: list[str] | None = None,
) -> int:
    """Run a consumer on the calling thread until a signal, or with `drain` until nothing is left; the exit code."""
    from jobdesk.ledger import reads
    from jobdesk.runtime.sdnotify import manager_of

    manager = manager_of(os.environ)  # before there are children
    newest = reads.last_events(desk.ledger, limit=1)
    since = newest[-1].id if newest else 0
    engine = desk.engine("consumer", workers, queues)
    engine.start()
    watchdog = None if manager is None else _watchdog(manager, engine, desk)
    out.say(f"consumer {os.getpid()} works on {desk.home.path} with {engine.workers} workers; Ctrl-C stops it")
    teller = _Teller(desk, out, since)
    if out.terminal or out.json:
        teller.start()
    told_to_stop = False
    while not (drain and engine.idle()):
        if hearing.wait(_LOOK_S if drain else None):
            told_to_stop = True
            break
    if watchdog is not None:
        watchdog.stopping(desk.config.desk.stop_grace + _HURRY_S)
    _stop(engine, desk, out, hearing)
    teller.finish()
    if drain and not told_to_stop and new_dead_letters(desk, since, queues):
        return _DEAD_LETTERS
    return 0


def _watchdog(manager: "ServiceManager", engine: "Engine", desk: "Desk") -> "Watchdog":
    """Tell systemd from now on that this consumer works."""
    from jobdesk.runtime.sdnotify import Watchdog

    def status() -> str:
        return f"{engine.busy} of {engine.workers} workers busy on {desk.home.path}"

    watchdog = Watchdog(manager, desk.clock, alive=lambda: engine.alive, status=status)
    watchdog.start()
    return watchdog


def _stop(engine: "Engine", desk: "Desk", out: Out, hearing: Signals) -> None:
    """Let what runs finish within the grace of the settings; a second signal gives it back at once."""

    def stop() -> None:
        try:
            engine.stop()
        finally:
            hearing.done()

    if engine.busy:
        out.note(f"stopping: {engine.busy} running, up to {desk.config.desk.stop_grace:g} s; once more stops at once")
    stopping = threading.Thread(target=stop, name="jobdesk-stop", daemon=True)
    stopping.start()
    hearing.wait(None)
    stopping.join(0.01)
    if stopping.is_alive():
        engine.hurry()
    stopping.join(_HURRY_S)
    if stopping.is_alive():
        os._exit(128 + hearing.last)  # its jobs are rescued by whoever works next


def new_dead_letters(desk: "Desk", since: int, queues: list[str] | None = None) -> list[str]:
    """Ids of jobs that failed or expired after the event `since` and still lie in the dead letters."""
    from jobdesk.core.events import Kind
    from jobdesk.core.job import DEAD
    from jobdesk.ledger import reads

    fell: list[str] = []
    while found := reads.events(desk.ledger, after=since, kinds=[Kind.JOB_FAILED, Kind.JOB_EXPIRED]):
        since = found[-1].id
        fell += [event.job_id for event in found if event.job_id and (queues is None or event.queue in queues)]
    states = reads.states(desk.ledger, fell)
    return [id_ for id_ in dict.fromkeys(fell) if states.get(id_) in DEAD]


_NEWS = frozenset(
    {
        "job_started", "job_retry", "job_completed", "job_failed", "job_cancelled", "job_expired", "job_stalled",
        "file_accepted", "file_rejected", "file_duplicate", "queue_paused", "queue_resumed",
        "schedule_fired", "schedule_missed",
    }
)  # fmt: skip


class _Teller:
    """Prints what happens: every event as NDJSON with --json, the news of it for a person."""

    def __init__(self, desk: "Desk", out: Out, since: int) -> None:
        self._desk = desk
        self._out = out
        self._since = since
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="jobdesk-tell", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Print what is left and end."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        try:
            while not self._over.is_set():
                seen = self._desk.wake.generation
                self._tell()
                self._desk.wake.wait(seen, _LOOK_S)
            self._tell()
        except (OSError, ValueError):  # nobody reads any more; the work goes on
            return

    def _tell(self) -> None:
        from jobdesk.cli.events import line

        for event in self._desk.events(after=self._since):
            self._since = event.id
            if self._out.json:
                self._out.record(event.to_json())
            elif event.kind.value in _NEWS:
                self._out.line(line(event, self._out), flush=True)
