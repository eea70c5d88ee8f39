"""The child process that runs jobs, one after the other: `python -m jobdesk.runtime.child FD PARENT NICE`.

It leads its own session, so that it can be killed with all it started; what it or its libraries
print becomes lines of the job's log; it ends when its parent does.
"""

import ctypes
import importlib
import json
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from jobdesk.core.loading import declared, load_file
from jobdesk.core.outcome import Failed, Outcome, failure
from jobdesk.core.processor import Processor
from jobdesk.runtime import orphans
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.messages import Message, Spec, from_outcome
from jobdesk.runtime.perform import perform

_PR_SET_PDEATHSIG = 1


class Child:
    """The loop of a child: take a job, run it, say how it ended."""

    def __init__(self, connection: Connection) -> None:
        self._pid = os.getpid()
        self._connection = connection
        self._sending = threading.Lock()
        self._jobs: queue.SimpleQueue[Spec] = queue.SimpleQueue()
        self._token = ""
        self._cancelled: str | None = None
        self._stored: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._processors: dict[tuple[str, int, str], Processor] = {}
        self._printed = _Printed(self._say_printed)

    def send(self, message: Message) -> None:
        if os.getpid() == self._pid:  # a processor may fork: its copy has nothing to say
            with self._sending:
                self._connection.send_bytes(json.dumps(message).encode())

    def listen(self) -> None:
        """Hear the parent; when it is gone, so are we."""
        while True:
            try:
                message = json.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                os.killpg(0, signal.SIGKILL)
            if "run" in message:
                self._token, self._cancelled = message["run"]["token"], None
                self._jobs.put(message["run"])
            elif "stored" in message and message["of"] == self._token:
                self._stored.put(True)
            elif "cancel" in message and message["of"] == self._token:
                self._cancelled = message["cancel"]

    def work(self) -> None:
        self._printed.start()
        threading.Thread(target=self.listen, daemon=True).start()
        while True:
            spec = self._jobs.get()
            before = time.process_time(), _children_cpu_s()
            _forget_peak_memory()
            self._printed.attach()
            outcome = self._run(spec)
            if os.getpid() != self._pid:
                os._exit(0)  # the processor forked and both returned: only one of them is us
            orphans.end_all()
            self._printed.drain()
            cpu_s = time.process_time() - before[0] + _children_cpu_s() - before[1]
            usage = {"cpu_ms": round(cpu_s * 1000), "max_rss_bytes": _peak_memory()}
            self.send({"end": from_outcome(outcome), "usage": usage, "of": spec["token"]})

    def _run(self, spec: Spec) -> Outcome:
        _limit_memory(spec["memory_limit"])
        try:
            processor = self._processor(spec)
        except BaseException as error:
            text = f"its processor does not load any more ({type(error).__name__}: {error}): mend it and retry"
            return Failed(failure("ProcessorBroken", text, retryable=False))
        with suppress(OSError):
            os.chdir(Path(spec["work"]).parent)  # a job before this one may have gone elsewhere
        context = JobContext(spec, self.send, lambda: self._cancelled, self._stored.get)
        return perform(processor, context, spec)

    def _processor(self, spec: Spec) -> Processor:
        """The processor of a type; a file of the user's is read again when it has changed."""
        file = Path(spec["file"]) if spec["file"] else None
        key = (spec["file"] or spec["module"], file.stat().st_mtime_ns if file else 0, spec["type"])
        if key not in self._processors:
            module = load_file(file) if file else importlib.import_module(spec["module"])
            for found in declared(module):
                self._processors.setdefault((*key[:2], found.type), found)
        return self._processors[key]

    def _say_printed(self, line: str) -> None:
        self.send({"log": [time.time(), "print", line], "of": self._token})


class _Printed:
    """File descriptors 1 and 2 as lines of the job's log, whoever writes to them."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._reader, self._writer = os.pipe()
        self._mark = f"\0{os.urandom(8).hex()}".encode()
        self._drained = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def attach(self) -> None:
        """Take 1 and 2 over; a job before this one may have closed or redirected them."""
        os.dup2(self._writer, 1)
        os.dup2(self._writer, 2)

    def drain(self) -> None:
        """Wait until everything printed so far has been said."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a job may have put anything in their place
                stream.flush()
        self._drained.clear()
        os.write(self._writer, self._mark + b"\n")
        self._drained.wait(5)

    def _read(self) -> None:
        rest = b""
        while block := os.read(self._reader, 65536):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > 65536:
                lines, rest = [*lines, rest], b""
            for line in lines:
                text, mark, _ = line.partition(self._mark)
                if text.strip():
                    self._say(text.decode("utf-8", "replace").rstrip())
                if mark:
                    self._drained.set()


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _limit_memory(limit: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _forget_peak_memory() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_memory() -> int:
    """Bytes; of this job where the kernel can tell, else of the child's whole life."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent ends: C code that holds the interpreter cannot hear the pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        orphans.adopt()
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    descriptor, parent, nice = (int(word) for word in sys.argv[1:4])
    _die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(nice)
    Child(Connection(descriptor)).work()


if __name__ == "__main__":
    main()
