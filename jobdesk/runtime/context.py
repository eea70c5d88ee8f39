"""The Context that a processor gets: everything it says becomes a message to the supervisor."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobdesk.core.ids import ids
from jobdesk.core.outcome import Cancelled
from jobdesk.runtime.messages import Message, Spec

PROGRESS_EVERY_S = 0.05
"""Progress closer together than this is held back: a loop may report each step."""


class JobLog:
    """The job's own log."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send

    def debug(self, message: str) -> None:
        self._write("debug", message)

    def info(self, message: str) -> None:
        self._write("info", message)

    def warning(self, message: str) -> None:
        self._write("warning", message)

    def error(self, message: str) -> None:
        self._write("error", message)

    def _write(self, level: str, message: str) -> None:
        self._send({"log": [time.time(), level, str(message)]})


class JobContext:
    """One attempt of one job, seen from inside; see `jobdesk.Context` for what each member means."""

    def __init__(self, spec: Spec, send: Callable[[Message], None], cancelled: Callable[[], str | None]) -> None:
        self.job = spec["job"]
        self.type = spec["type"]
        self.queue = spec["queue"]
        self.user = spec["user"]
        self.flow = spec["flow"]
        self.attempt = spec["attempt"]
        self.max_attempts = spec["max_attempts"]
        self.home = Path(spec["home"])
        self.workdir = Path(spec["work"])
        self.settings: Mapping[str, Any] = spec["settings"]
        self.results: Mapping[str, Any] = spec["results"]
        self.log = JobLog(send)
        self._send = send
        self._cancelled = cancelled
        self._deadline = time.monotonic() + spec["timeout_s"]
        self._held: Message | None = None
        self._progress_at = 0.0

    @property
    def time_remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        self._held = {"progress": [float(done), None if total is None else float(total), message]}
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_EVERY_S:
            self._progress_at = now
            self.flush()

    def checkpoint(self) -> None:
        why = self._cancelled()
        if why is not None:
            raise Cancelled(why)
        if self.time_remaining <= 0:
            raise Cancelled("its time is up")

    def submit(
        self,
        type: str,
        data: Mapping[str, Any] | None = None,
        *,
        queue: str | None = None,
        priority: str | int | None = None,
        delay: str | float | None = None,
        after: Sequence[str] = (),
        unique: str | None = None,
        concurrency_key: str | None = None,
        step: str | None = None,
        optional: bool = False,
    ) -> str:
        id_ = ids.new("job", time.time())
        child = {
            "id": id_,
            "type": type,
            "data": dict(data or {}),
            "queue": queue,
            "priority": priority,
            "delay": delay,
            "after": list(after),
            "unique": unique,
            "concurrency_key": concurrency_key,
            "step": step,
            "optional": optional,
        }
        self._send({"child": child})
        return id_

    def on_failure(self, type: str, data: Mapping[str, Any]) -> None:
        self._send({"on_failure": {"type": type, "data": dict(data)}})

    def artifact(self, path: str | Path, kind: str) -> None:
        file = Path(path).absolute()
        self._send({"artifact": [str(file), kind, file.stat().st_size]})

    def asset(self, record: Mapping[str, Any]) -> None:
        self._send({"asset": dict(record)})

    def now(self) -> float:
        """Epoch seconds, as the child's machine has them."""
        return time.time()

    def flush(self) -> None:
        """Send the progress that was held back."""
        if self._held is not None:
            self._send(self._held)
            self._held = None
