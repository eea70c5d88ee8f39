"""The child process that runs jobs one by one: `python -m jobdesk.runtime.child JOBS WISHES WORDS PARENT NICE`.

JOBS, WISHES and WORDS are the file descriptors of its lines to the desk (see `messages`). It leads its own
session, so that it can be killed with all it started; what it or its libraries print becomes lines of the
job's log; it ends when its parent does.

A job that does nothing is: one read, one run, one write, all in the main thread; the other threads sleep.
"""

import importlib
import os
import queue
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from jobdesk.core.loading import declared, load_file
from jobdesk.core.outcome import Failed, Outcome, failure
from jobdesk.core.processor import Processor
from jobdesk.core.redaction import RedactedLines, everywhere
from jobdesk.core.speech import Speech
from jobdesk.runtime import orphans
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.messages import Inbox, Message, Spec, decode, encode, from_outcome
from jobdesk.runtime.perform import perform
from jobdesk.runtime.printed import Printed
from jobdesk.runtime.privacy import take_keys
from jobdesk.runtime.usage import Usage

_BLOCK_BYTES = 65536


class Child:
    """The loop of a child: take a job, run it, say how it ended."""

    def __init__(self, jobs: socket.socket, wishes: socket.socket, words: socket.socket) -> None:
        self._pid = os.getpid()
        self._jobs = jobs
        self._wishes = wishes
        self._words = words
        self._sending = threading.Lock()
        self._token = ""
        self._cancelled = ("", "")
        """Token of the job that was cancelled last, and why: the wish may be heard before its job is."""
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[tuple[str, Speech]] = queue.SimpleQueue()
        """What people said, with the token of the job that is meant: it may be heard before its job is."""
        self._settings: dict[str, str] = {}
        """By type, as JSON."""
        self._processors: dict[tuple[str, int, str], Processor] = {}
        self._printed = Printed(self._say_printed)
        self._lines = RedactedLines()
        self._usage = Usage()

    def send(self, message: Message) -> None:
        if os.getpid() == self._pid:  # a processor may fork: its copy has nothing to say
            line = encode(message)
            with self._sending:
                self._words.sendall(line)

    def listen(self) -> None:
        """Hear what the parent wishes of the job that runs."""
        for message in _messages(self._wishes):
            if "cancel" in message:
                self._cancelled = message["of"], message["cancel"]
            elif "word" in message:
                self._said.put((message["of"], message["word"]))
            elif message["of"] == self._token:
                self._answers.put(message["answer"])

    def work(self) -> None:
        self._printed.start()
        threading.Thread(target=self.listen, daemon=True).start()
        Processor("", lambda context: None).call(None, {})  # loads what every job needs: a spare has it by its first
        for message in _messages(self._jobs):
            spec: Spec = message["run"]
            self._begin(spec)
            outcome, has_workdir = self._run(spec)
            if os.getpid() != self._pid:
                os._exit(0)  # the processor forked and both returned: only one of them is us
            orphans.end_all()
            self._printed.drain()
            end = {"end": from_outcome(outcome), "usage": self._usage.end(), "workdir": has_workdir}
            self.send(end | {"of": spec["token"]})

    def _begin(self, spec: Spec) -> None:
        self._printed.attach()
        self._answers = queue.SimpleQueue()  # a thread of a job before this one may wait for the former for ever
        self._token, self._lines = spec["token"], RedactedLines()
        if "settings" in spec:
            settings = dict(spec.pop("settings"))
            secrets = [os.environ[name] for name in settings.get("environment", ()) if name in os.environ]
            everywhere.know(secrets, always=True)
            self._settings[spec["type"]] = encode(settings).decode()
        self._usage.begin()

    def _run(self, spec: Spec) -> tuple[Outcome, bool]:
        """How the job ended, and whether it has a working folder."""
        _limit_memory(spec["memory_limit"])
        try:
            processor = self._processor(spec)
        except BaseException as error:
            text = f"its processor does not load any more ({type(error).__name__}: {error}): mend it and retry"
            return Failed(failure("ProcessorBroken", text, retryable=False)), False
        with suppress(OSError):
            os.chdir(spec["work"].rpartition("/")[0])  # a job before this one may have gone elsewhere

        def cancelled() -> str | None:
            token, why = self._cancelled
            return why if token == spec["token"] else None

        def said() -> list[Speech]:
            words = []
            while not self._said.empty():
                token, word = self._said.get()
                if token == spec["token"]:
                    words.append(word)
            return words

        context = JobContext(spec, self.send, cancelled, self._answers.get, self._settings[spec["type"]], said)
        return perform(processor, context, spec), context.has_workdir

    def _processor(self, spec: Spec) -> Processor:
        """The processor of a type; a file of the user's is read again when it has changed."""
        file, changed_ns = spec["file"], 0
        if file:
            try:
                changed_ns = os.stat(file).st_mtime_ns  # noqa: PTH116 -- faster
            except FileNotFoundError:  # somebody has emptied HOME/run: the user's own is still there
                file = str(self._own(file, spec))
                changed_ns = os.stat(file).st_mtime_ns  # noqa: PTH116
        key = file or spec["module"], changed_ns, spec["type"]
        if key not in self._processors:
            module = load_file(Path(file), self._own(file, spec)) if file else importlib.import_module(spec["module"])
            for found in declared(module):
                self._processors.setdefault((*key[:2], found.type), found)
        return self._processors[key]

    def _own(self, file: str, spec: Spec) -> Path:
        """The user's file that `file` is, or is a copy of."""
        return Path(spec["home"], "processors", Path(file).name)

    def _say_printed(self, line: str) -> None:
        self.send({"log": [time.time(), "print", self._lines.line(line)], "of": self._token})


def _messages(line: socket.socket) -> Iterator[Message]:
    """What the parent says; when it is gone, so are we, and all that descends from us."""
    inbox = Inbox(sys.maxsize)
    while True:
        try:
            block = line.recv(_BLOCK_BYTES)
        except OSError:
            block = b""
        if not block:
            orphans.end_all()  # while it can be found: once we are gone, it is nobody's
            os.killpg(0, signal.SIGKILL)
        yield from map(decode, inbox.take(block))


def _limit_memory(limit: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    if soft != wanted:  # the first job, or after one that set its own
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def main() -> None:
    *lines, parent, nice = (int(word) for word in sys.argv[1:6])
    orphans.adopt()
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(nice)
    for line in lines:
        os.set_inheritable(line, False)  # what a job starts has no part in them
    take_keys()
    Child(*[socket.socket(fileno=line) for line in lines]).work()


if __name__ == "__main__":
    main()
