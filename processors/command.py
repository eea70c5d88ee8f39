"""Any program as a job: no shell, its output in the job's log, its exit code the result."""

import codecs
import os
import re
import selectors
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import Field

from jobdesk import Context, RedactedLines, Reject, processor, redact

from .spoken import Ear

LOG_LINES = 10_000
"""Lines that go into the job's log; of more, only the last few do."""
LINE_CHARACTERS = 2_000
TAIL_LINES = 20
_TICK_S = 0.1
_TERM_GRACE_S = 1.0
_COLOUR = re.compile(r"(\x1b\[[0-9;:]*m)")
"""The one kind of escape sequence that stays: it moves nothing and says nothing to the terminal."""
_PLAIN = "\x1b[0m"
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@processor("command", timeout="1h", retries=0, hears=("pause", "continue", "signal", "send"))
def run_command(
    ctx: Context,
    argv: Annotated[list[str], Field(min_length=1)],
    cwd: Path | None = None,
    env: dict[str, str] = {},  # noqa: B006  pydantic copies it
    stdin: str | None = None,
    stdin_file: Path | None = None,
    stdin_open: bool = False,
    nice: Annotated[int, Field(ge=0, le=19)] = 0,
) -> dict[str, Any]:
    """Run a program with its arguments; what it prints becomes the log, its exit code the result."""
    started = time.monotonic()
    output = _Output(ctx)
    if stdin_open and (stdin is not None or stdin_file is not None):
        raise Reject("stdin_open leaves its standard input to what people send: give no stdin and no stdin_file")
    with _input(ctx, stdin, stdin_file) as given:
        process = _start(argv, cwd or Path(ctx.workdir), env, subprocess.PIPE if stdin_open else given)
    _step_back(process, nice)
    try:
        _follow(ctx, process, output)
    finally:
        _end(process)
    output.close()
    code = process.returncode
    failed: dict[str, Any] = {}
    if code != 0:
        error = f"{_name(argv)} ended with {_words(code)}{output.last_words()}"
        failed = {"success": False, "type": "ExitCode", "error": error, "retryable": True}
    return failed | {
        "exit_code": code,
        "lines": output.lines,
        "bytes": output.bytes,
        "tail": list(output.tail),
        "seconds": round(time.monotonic() - started, 3),
    }


def _input(ctx: Context, text: str | None, file: Path | None) -> IO[bytes]:
    """What it reads as its standard input; nothing, if nothing is said."""
    if text is not None and file is not None:
        raise Reject("stdin and stdin_file are two ways to say one thing: give one of them")
    try:
        if file is not None:
            return file.open("rb")
    except OSError as error:
        raise Reject(f"{file} cannot be read as standard input ({error.strerror})") from None
    if text is None:
        return Path(os.devnull).open("rb")
    given = Path(ctx.workdir) / ".stdin"  # a pipe would have to be fed while its output is read
    given.write_bytes(text.encode())
    try:
        return given.open("rb")
    finally:
        given.unlink()


def _step_back(process: "subprocess.Popen[bytes]", nice: int) -> None:
    """Let it, and what it has started by now, step back behind others by so much more than the job itself."""
    if nice:
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PGRP, process.pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + nice))


def _start(argv: list[str], cwd: Path, env: dict[str, str], given: IO[bytes] | int) -> "subprocess.Popen[bytes]":
    """Start it in a process group of its own, within the session of the job's child, which is killed as a whole."""
    if not cwd.is_dir():
        raise Reject(f"the folder {cwd} to run it in does not exist")
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env={**os.environ, **env},
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    except FileNotFoundError:
        raise Reject(f"there is no program '{_name(argv)}': check its name and PATH") from None
    except PermissionError:
        raise Reject(f"'{_name(argv)}' may not be run: make it executable") from None
    except (OSError, ValueError) as error:
        raise Reject(f"'{_name(argv)}' cannot be started ({error})") from None


def _follow(ctx: Context, process: "subprocess.Popen[bytes]", output: "_Output") -> None:
    """Take in what it prints until it has ended; background programs that keep the pipe open are not waited for."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    ear = Ear(ctx, process)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        is_open = True
        while is_open or process.poll() is None:
            ear.listen()
            try:
                ctx.checkpoint()
            except BaseException:
                if is_open:  # what it said before
                    with suppress(BlockingIOError):
                        output.take(os.read(descriptor, 65536))
                raise
            ended = process.poll() is not None
            if not is_open:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK_S)
                continue
            ready = selector.select(0 if ended else _TICK_S)
            if not ready:
                if ended:
                    return
                continue
            block = os.read(descriptor, 65536)
            if block:
                output.take(block)
            else:
                is_open = False
                selector.unregister(descriptor)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Leave nothing of its group behind; gently at first, if it still runs."""
    try:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
                os.killpg(process.pid, signal.SIGCONT)  # one that is paused would not hear it
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TERM_GRACE_S)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        for stream in (process.stdout, process.stdin):
            if stream is not None:
                stream.close()


class _Output:
    """Bytes in, clean lines out; bounded whatever comes."""

    def __init__(self, ctx: Context) -> None:
        self.lines = 0
        self.bytes = 0
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._ctx = ctx
        self._redacted = RedactedLines()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def take(self, block: bytes) -> None:
        self.bytes += len(block)
        *lines, self._rest = re.split(r"\r?\n|\r(?!$)", self._rest + self._decoder.decode(block))
        for line in lines:
            self._line(line)
        while len(self._rest) > LINE_CHARACTERS:
            self._rest = redact(self._rest)  # before a secret may be cut in two
            self._line(self._rest[:LINE_CHARACTERS])
            self._rest = self._rest[LINE_CHARACTERS:]

    def close(self) -> None:
        """Take in the last line, and log the end of what was too much to log."""
        self._rest += self._decoder.decode(b"", final=True)
        if self._rest.strip():
            self._line(self._rest)
        if (left_out := self.lines - LOG_LINES) > 0:
            self._ctx.log.warning(f"{left_out:,} further lines were not logged; these are the last:")
            for line in self.tail:
                self._ctx.log.info(line)

    def last_words(self) -> str:
        """The last line that says something, for the error message."""
        words = next((line for line in reversed(self.tail) if line.strip()), "")
        return f": {words[:300]}" if words else ""

    def _line(self, raw: str) -> None:
        self.lines += 1
        parts = _COLOUR.split(self._redacted.line(raw))
        parts[::2] = [_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", part)) for part in parts[::2]]
        line, plain = "".join(parts), "".join(parts[::2])
        if len(plain) > LINE_CHARACTERS:
            plain = plain[: LINE_CHARACTERS - 1] + "…"
        self.tail.append(plain)
        if self.lines <= LOG_LINES:
            self._ctx.log.info(plain if len(parts) == 1 or len(line) > LINE_CHARACTERS else line + _PLAIN)


def _name(argv: list[str]) -> str:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", argv[0])[:200]


def _words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name} (exit code {code})"
    except ValueError:
        return f"signal {-code} (exit code {code})"
