"""The forms of the app: a new job, an ended job edited and run again, a new schedule."""

from collections.abc import Mapping
from typing import Any, ClassVar

from jobdesk.core.errors import UsageError
from jobdesk.core.job import Job
from jobdesk.core.processor import Processor
from jobdesk.core.redaction import MASK, restored, shown
from jobdesk.core.schedule import ScheduleSpec
from jobdesk.core.submission import Submission
from jobdesk.scheduling import in_words, local, preview
from jobdesk.tui.format import Spans, clean, priority, wrap
from jobdesk.tui.screens.form import JobForm, as_command

_READY: Spans = (("Ready to submit.", "ok"), (" The same as a command:", "muted"))
_TIMES = 3


class NewJob(JobForm):
    """A job of a type.

    Args:
        like: the job whose data it begins with; what is masked of it is taken over as it is.
    """

    OPTIONS: ClassVar = (
        ("priority", "urgent, high, normal, low or 0-100"),
        ("delay", "at once if left empty; 5s, 2m, 1h"),
    )
    OF = "job"
    DOES = "submit"
    MORE: ClassVar = (("f3", "copy the command"),)

    _command = ""

    def __init__(self, processor: Processor, data: Mapping[str, Any] | None = None, *, like: Job | None = None) -> None:
        super().__init__(processor, data)
        self._like = like
        if like is not None:
            self.given_options = {"priority": priority(like.priority)}

    def heading(self) -> str:
        return f"New job: {self._processor.type}"

    def check(self, data: dict[str, Any], options: Mapping[str, str]) -> list[Spans]:
        self._processor.check(self._whole(data), seal=_hide)
        self.desk_app.desk.prepare(self._wanted(data, options))
        hidden = {key: MASK if key in self._processor.secrets else value for key, value in shown(data).items()}
        self._command = as_command(self._processor.type, hidden)
        return [_READY, *(((line, "muted"),) for line in wrap(self._command, self.room)[:2])]

    def key_f3(self) -> None:
        if self._problem:
            self.notify(self._problem, severity="warning")
        else:
            self.desk_app.copy(self._command, "The command")

    def do(self, data: dict[str, Any], options: Mapping[str, str]) -> None:
        self.desk_app.submit(self._wanted(data, options))

    def _wanted(self, data: dict[str, Any], options: Mapping[str, str]) -> Submission:
        return Submission(
            type=self._processor.type, data=self._whole(data), priority=options["priority"] or None,
            delay=options["delay"] or None,
        )  # fmt: skip

    def _whole(self, data: dict[str, Any]) -> dict[str, Any]:
        """With what is masked put back."""
        return data if self._like is None else dict(restored(data, self._like.data))


class EditJob(JobForm):
    """An ended job, its payload changed, run again; what changes is shown line by line.

    Args:
        data: the payload as somebody has changed it already.
    """

    DOES = "retry with this"

    def __init__(self, processor: Processor, job: Job, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(processor, shown(job.data) if data is None else data)
        self._job = job

    def heading(self) -> str:
        return f"Edit and retry: {self._processor.type}"

    def check(self, data: dict[str, Any], options: Mapping[str, str]) -> list[Spans]:
        typed = {*self._job.data, *data}  # what is neither has its usual value, which is no change
        data = restored(data, self._job.data)
        checked = self._processor.check(data, self.desk_app.desk.still_open(self._job, data), _hide)
        lines = [line for key in sorted(typed) for line in _change(key, self._job.data, checked, self.room)]
        return lines or [(("Nothing changed: it is retried as it was.", "muted"),)]

    def do(self, data: dict[str, Any], options: Mapping[str, str]) -> None:
        self.desk_app.doer.do(lambda: f"Retried with other data: {self.desk_app.desk.retry(self._job.id, data).type}")


def _hide(text: str) -> str:
    """What a secret looks like that is not stored yet."""
    return MASK


def _seen(key: str, data: Mapping[str, Any]) -> Any:
    return shown({key: data[key]})[key]


def _change(key: str, old: Mapping[str, Any], new: Mapping[str, Any], width: int) -> list[Spans]:
    if key in old and key in new and old[key] == new[key]:
        return []
    lines: list[Spans] = []
    if key in old:
        lines.append((("- ", "bad"), (clean(f"{key}: {_seen(key, old)!r}")[: width - 2], "muted")))
    if key in new:
        lines.append((("+ ", "ok"), (clean(f"{key}: {_seen(key, new)!r}")[: width - 2], "text")))
    return lines


class NewSchedule(JobForm):
    """A job of a type at each time of a cron expression; the expression is said in words as one types."""

    OPTIONS: ClassVar = (
        ("name", "of the schedule: nightly-report"),
        ("cron", "minute hour day month weekday: 30 2 * * mon-fri"),
        ("timezone", "UTC if left empty; Europe/Berlin"),
        ("missed", "once if left empty; skip, all"),
        ("overlap", "allow if left empty; skip"),
    )
    OF = "schedule"
    OPTIONS_FIRST = True
    DOES = "add the schedule"

    def heading(self) -> str:
        return f"New schedule: {self._processor.type}"

    def check(self, data: dict[str, Any], options: Mapping[str, str]) -> list[Spans]:
        if not options["cron"]:
            raise UsageError("give a cron expression: minute, hour, day, month, weekday")
        spec = ScheduleSpec(
            name=options["name"] or "new", type=self._processor.type, cron=options["cron"],
            timezone=options["timezone"] or "UTC",
        )  # fmt: skip
        times = preview(spec, self.desk_app.clock.now(), _TIMES)
        lines: list[Spans] = [((line, "strong"),) for line in wrap(in_words(spec) or "", self.room)[:2]]
        lines += [((local(at, spec), "muted"),) for at in times]
        if not options["name"]:
            raise UsageError(f"give it a name; it would come {lines[0][0][0].lower() if lines else 'then'}")
        self._processor.check(data, seal=_hide)
        return lines

    def do(self, data: dict[str, Any], options: Mapping[str, str]) -> None:
        desk, type_ = self.desk_app.desk, self._processor.type

        def add() -> str:
            made = desk.add_schedule(
                options["name"],
                type_,
                cron=options["cron"],
                timezone=options["timezone"] or None,
                data=data,
                missed=options["missed"] or "once",
                overlap=options["overlap"] or "allow",
            )
            return f"Added {made.name}"

        self.desk_app.doer.do(add)
