"""The Context that a processor gets: everything it says becomes a message to the supervisor."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any, Unpack

from jobdesk.core.ids import ids
from jobdesk.core.nearest import nearest
from jobdesk.core.outcome import Cancelled, Reject, Snooze
from jobdesk.core.redaction import RedactedLines, everywhere, redact
from jobdesk.core.speech import Pauses, Speech
from jobdesk.core.submission import Options
from jobdesk.runtime.calling import Calling, Calls
from jobdesk.runtime.messages import Message, Spec
from jobdesk.runtime.privacy import Privacy, SettingsOfJob

ASSET_KEYS: Mapping[str, type] = {"id": str, "name": str, "type": str, "sha256": str, "bytes": int}
"""What every asset must say of itself."""
BOOK_BUSY_S = 5.0
"""How long a job waits that cannot write into a book, since the ledger is locked or its disk full."""
PROGRESS_EVERY_S = 0.05
"""Progress closer together than this is held back: a loop may report each step."""


class JobLog:
    """The job's own log."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._lines = RedactedLines()

    def debug(self, message: str) -> None:
        self._write("debug", message)

    def info(self, message: str) -> None:
        self._write("info", message)

    def warning(self, message: str) -> None:
        self._write("warning", message)

    def error(self, message: str) -> None:
        self._write("error", message)

    def _write(self, level: str, message: str) -> None:
        self._send({"log": [time.time(), level, self._lines.line(str(message))]})


def _wanted(type: str, options: Options) -> dict[str, Any]:
    """The options of a child, fit to travel; where one is wrong, its processor is told at the call."""
    made: dict[str, Any] = {"after": (), **options}
    for name, value in made.items():
        if name not in Options.__annotations__:
            raise TypeError(f"ctx.submit: '{name}' is not an option{nearest(name, list(Options.__annotations__))}")
        if name in ("queue", "unique", "concurrency_key", "step", "label") and not isinstance(value, str | None):
            raise TypeError(f"ctx.submit: {name} must be text, not {value!r}")
        if name in ("after", "unique_states"):
            if isinstance(value, str):
                raise TypeError(f"ctx.submit: {name} must be a list, not {value!r}")
            made[name] = list(value)
    if not isinstance(type, str):
        raise TypeError(f"ctx.submit: type must be text, not {type!r}")
    return made


class JobContext:
    """One attempt of one job, seen from inside; see `jobdesk.Context` for what each member means."""

    def __init__(
        self,
        spec: Spec,
        send: Callable[[Message], None],
        cancelled: Callable[[], str | None],
        answered: Callable[[], Any] = lambda: None,
        settings: str | None = None,
        said: Callable[[], Sequence[Speech]] = tuple,
    ) -> None:
        """`answered` waits for what the supervisor says to a child that is wanted now, or to a service asked for.

        `settings` are those that the spec leaves out, as JSON: each job gets its own, and most read none. `said` is
        what people said to the job since it was asked last.
        """

        self.job = spec["job"]
        self.type = spec["type"]
        self.queue = spec["queue"]
        self.user = spec["user"]
        self.source = spec.get("source")
        self.flow = spec["flow"]
        self.attempt = spec["attempt"]
        self.max_attempts = spec["max_attempts"]
        self.has_workdir = False
        self.results: Mapping[str, Any] = spec["results"]
        self.privacy = Privacy(spec["home"])
        self._spec = spec
        self._settings = settings
        self._say = send
        self._cancelled = cancelled
        self._answered = answered
        self._said = said
        self._deadline = time.monotonic() + spec["timeout_s"]
        self._held: Message | None = None
        self._progress_at = 0.0
        self._now = 0
        """Children asked for with `now`."""

    # Made when they are first asked for: most jobs need none of them.

    @cached_property
    def home(self) -> Path:
        return Path(self._spec["home"])

    @cached_property
    def log(self) -> JobLog:
        return JobLog(self._send)

    @cached_property
    def _calls(self) -> Calls:
        return Calls(self._send, self._ask)

    @cached_property
    def _pauses(self) -> Pauses:
        return Pauses()

    @cached_property
    def _asking(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        given = self._spec.get("settings")
        return SettingsOfJob(json.loads(self._settings or "{}") if given is None else given, self.privacy)

    @property
    def workdir(self) -> Path:
        self.has_workdir = True
        folder = Path(self._spec["work"])
        try:
            folder.mkdir(mode=0o700, exist_ok=True)  # on first use: most jobs need none
        except FileNotFoundError:  # somebody has removed HOME/run
            for one in (folder.parent.parent, folder.parent, folder):
                one.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def time_remaining(self) -> float:
        now = time.monotonic()
        stood_s = self._pauses.total_s(now) if "_pauses" in self.__dict__ else 0.0
        return max(0.0, self._deadline + stood_s - now)

    def heard(self) -> Sequence[Speech]:
        words = self._said()
        for word in words:
            self._pauses.hear(word, time.monotonic())
        return words

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        done, total = float(done), None if total is None else float(total)
        if not all(map(isfinite, (done, total or 0.0))):
            raise ValueError(f"ctx.progress: {done} of {total} is no progress")
        self._held = {"progress": [done, total, None if message is None else redact(str(message))[:500]]}
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
        now: bool = False,
        **options: Unpack[Options],
    ) -> str:
        wanted = _wanted(type, options)
        if now:
            self._now += 1
        id_ = ids.nth_child(self.job, self._now) if now else ids.new("job", time.time())
        child = {**wanted, "id": id_, "type": type, "data": self.privacy.sealed(dict(data or {}))}
        if now:
            self._ask({"child_now": child})
        else:
            self._send({"child": child})
        return id_

    def service(self, name: str) -> Calling:
        return self._calls.service(name, self.settings)

    def judge(self, service: str | None, error: BaseException | None) -> None:
        """What the end of the job says of the service that it needs, if it told of no call itself."""
        if service is not None:
            self._calls.judge(service, error)

    def _send(self, message: Message) -> None:
        self._say(message | {"of": self._spec["token"]})

    def _ask(self, message: Message) -> Any:
        with self._asking:  # answers carry no name: one question at a time
            self._send(message)
            return self._answered()

    def on_failure(self, type: str, data: Mapping[str, Any]) -> None:
        self._send({"on_failure": {"type": type, "data": self.privacy.sealed(dict(data))}})

    def artifact(self, path: str | Path, kind: str) -> None:
        file = Path(path).absolute()
        self._send({"artifact": [str(file), str(kind), file.stat().st_size]})

    def asset(self, record: Mapping[str, Any]) -> None:
        for key, kind in ASSET_KEYS.items():
            if not isinstance(record.get(key), kind):
                raise TypeError(f"ctx.asset: '{key}' must be {kind.__name__}, not {record.get(key)!r}")
        self._send({"asset": everywhere.value(self.privacy.sealed(dict(record)))})

    def book(self, name: str, entry: Mapping[str, Any]) -> Any:
        answer = self._ask({"book": [name, everywhere.value(dict(entry))]})
        if "trouble" in answer:
            raise Snooze(BOOK_BUSY_S, answer["trouble"])
        if "refused" in answer:
            raise Reject(answer["refused"], answer["reason"])
        return answer["entry"]

    def now(self) -> float:
        """Epoch seconds, as the child's machine has them."""
        return time.time()

    def flush(self) -> None:
        """Send the progress that was held back."""
        if self._held is not None:
            self._send(self._held)
            self._held = None
