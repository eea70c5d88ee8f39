"""Taking out: to the clipboard, to $PAGER, to $EDITOR and back."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.errors import JobdeskError, NotFound
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import FINAL, Job
from jobdesk.core.redaction import shown
from jobdesk.core.text import without_colours
from jobdesk.ledger import reads
from jobdesk.tui import outside
from jobdesk.tui.actions import BY_ID, Scene
from jobdesk.tui.format import clean, clock_time, count_of
from jobdesk.tui.living import DeskApp
from jobdesk.tui.selection import Selection

if TYPE_CHECKING:
    from jobdesk.plugins import Registry
    from jobdesk.tui.app import JobdeskApp
    from jobdesk.tui.story import Story

_OSC_BYTES = 74_994
"""What terminals take into the clipboard in one sequence."""
_AT_ONCE = 5_000
_WIDTH = 100


class TakingOut(DeskApp):
    """The part of the app that gives away."""

    def copy_ids(self, selection: Selection) -> None:
        """The ids, to the clipboard."""
        self.copy("\n".join(job.id for job in selection.jobs),
                   selection.jobs[0].id if selection.one else selection.words)  # fmt: skip

    def copy_here(self, scene: Scene) -> None:
        """On the page Data the value under the cursor, else the ids."""
        entry = cast("JobdeskApp", self).job_view.entry if scene.page == "Data" else None
        if entry is None or not entry.name:
            self.copy_ids(scene.selection)
            return
        value = entry.value
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
        self.copy(text, f"{entry.name}, {_glimpse(text)}" if text else entry.name)

    def copy_more(self, selection: Selection) -> None:
        """Choose what of a job is copied."""
        assert selection.one is not None
        id_ = selection.one.id
        command = BY_ID["open"].as_command(selection)
        self.aside(
            lambda: (self.desk.job(id_), _end_of_log(self, id_)), lambda found: self._offer(command, *found), opens=True
        )

    def _offer(self, command: str, job: Job, log: str) -> None:
        from jobdesk.tui.screens.picker import Choice, Picker

        texts = _texts(command, job, log)
        choices = [
            Choice(name, name, _glimpse(text), reason=None if text else "there is none") for name, text in texts.items()
        ]

        def chosen(name: str | None) -> None:
            if name is not None:
                self.copy(texts[name], name)

        self.push_screen(Picker(f"Copy of {job.type}", choices), chosen)

    def copy(self, text: str, said: str) -> None:
        if os.environ.get("TMUX"):
            done = subprocess.run(
                ["tmux", "load-buffer", "-w", "-"], input=text.encode(), capture_output=True, check=False
            )
            if done.returncode == 0:
                self.notify(f"Copied to tmux: {said}", timeout=3)
                return
        if len(text.encode()) > _OSC_BYTES:
            self.notify(f"{said} is too long for the clipboard of a terminal: press P and save it from there.",
                        severity="warning", timeout=5)  # fmt: skip
            return
        self.copy_to_clipboard(text)
        self.notify(f"Copied: {said}", timeout=3)

    # ── $PAGER ──

    def page_out(self, scene: Scene) -> None:
        """The open page, all of it, in $PAGER."""
        assert scene.selection.one is not None
        id_, page = scene.selection.one.id, scene.page or "Job"

        def write() -> str:
            from jobdesk.tui.story import Teller

            story = Teller(self.desk, id_, self.types).read()
            if story is None:
                raise NotFound(f"there is no job {id_}")
            return "".join(f"{line}\n" for line in _page_lines(self, page, story))

        def show(text: str) -> None:
            self._outside(outside.pager, text, ".txt", lambda _: None)

        self.aside(write, show)

    def _outside(self, command: Callable[[], list[str]], text: str, suffix: str, then: Callable[[str], None]) -> None:
        """Let a program have a text, and `then` what it leaves."""
        try:
            with outside.private_file(suffix) as file:
                file.write_text(text, "utf-8")
                outside.run(self, command(), file)
                left = file.read_text("utf-8", "replace") if file.exists() else text
        except JobdeskError as error:
            self.notify(str(error), severity="warning", timeout=5)
            return
        except OSError as error:
            self.notify(f"The text cannot be written to a file ({error.strerror}).", severity="warning", timeout=5)
            return
        then(left)

    # ── $EDITOR ──

    def edit_outside(self, selection: Selection) -> None:
        """Change a payload in $EDITOR; what comes of it is shown, checked, before anything is done."""
        assert selection.one is not None
        id_ = selection.one.id
        self.aside(
            lambda: (self.desk.job(id_), self.desk.registry), lambda found: self._edit_outside(*found), opens=True
        )

    def _edit_outside(self, job: Job, registry: "Registry", text: str = "") -> None:
        if not self._knows(job, registry):
            return
        before = json.dumps(shown(job.data), indent=2, ensure_ascii=False) + "\n"

        def edited(left: str) -> None:
            if left == before:
                self.notify("Nothing changed.", timeout=2)
                return
            try:
                data = _payload(left, registry.processors[job.type].schema())
            except ValueError as error:
                self._again(str(error), lambda: self._edit_outside(job, registry, left))
            else:
                self._form(job, registry, data)

        self._outside(outside.editor, text or before, ".json", edited)

    def _again(self, problem: str, edit: Callable[[], None]) -> None:
        from jobdesk.tui.screens.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self.call_later(edit)

        self.push_screen(Confirm("Not a payload", [problem, "", "Edit it again?"], yes="edit"), answered)

    def _form(self, job: Job, registry: "Registry", data: Mapping[str, Any]) -> None:
        from jobdesk.tui.screens.forms import EditJob, NewJob

        known = registry.processors[job.type]
        self.push_screen(EditJob(known, job, data) if job.state in FINAL else NewJob(known, data, like=job))

    def duplicate(self, selection: Selection) -> None:
        """The form of a new job, filled in with what this one was given."""
        assert selection.one is not None
        id_ = selection.one.id
        self.aside(lambda: (self.desk.job(id_), self.desk.registry), lambda found: self._duplicate(*found), opens=True)

    def _duplicate(self, job: Job, registry: "Registry") -> None:
        from jobdesk.tui.screens.forms import NewJob

        if self._knows(job, registry):
            self.push_screen(NewJob(registry.processors[job.type], shown(job.data), like=job))

    def _knows(self, job: Job, registry: "Registry") -> bool:
        if job.type in registry.processors:
            return True
        self.notify(f"No processor has the job type {job.type}: press M to see which there are.", severity="warning",
                    timeout=4)  # fmt: skip
        return False


def _texts(command: str, job: Job, log: str) -> dict[str, str]:
    """What can be copied of a job, by name."""
    error = job.error
    return {
        "id": job.id,
        "command": command,
        "payload": json.dumps(shown(job.data), indent=2, ensure_ascii=False),
        "result": ""
        if job.result is None
        else json.dumps(shown(job.result, names=False), indent=2, ensure_ascii=False),
        "error": "" if error is None else f"{error.type}: {error.message}",
        "traceback": (error.traceback or "") if error is not None else "",
        "log": log,
    }


def _glimpse(text: str) -> str:
    lines = text.splitlines()
    return clean(lines[0])[:60] if len(lines) == 1 else count_of(len(lines), "line") if lines else ""


def _log_line(event: Event) -> str:
    message = without_colours(str(event.data.get("message", "")))
    return f"{clock_time(event.at)} {event.data.get('level', 'info'):<7} {message}"


def _end_of_log(app: DeskApp, id_: str) -> str:
    """The newest lines, as many as a clipboard takes."""
    lines: list[str] = []
    room = _OSC_BYTES
    for event in reversed(reads.last_events(app.desk.ledger, job=id_, kinds=[Kind.JOB_LOG], limit=_AT_ONCE)):
        lines.append(_log_line(event))
        room -= len(lines[-1].encode()) + 1
        if room < 0:
            break
    return "\n".join(reversed(lines[:-1] if room < 0 else lines))


def _page_lines(app: DeskApp, page: str, story: "Story") -> Iterator[str]:
    """A page as plain text, all of it."""
    from jobdesk.tui.job_pages import job_page
    from jobdesk.tui.job_tree import flow_page

    job, glyphs = story.job, app.glyphs
    if page == "Log":
        after = 0
        while found := reads.events(app.desk.ledger, after=after, job=job.id, kinds=[Kind.JOB_LOG], limit=_AT_ONCE):
            yield from (line for event in found for line in map(clean, _log_line(event).splitlines()))
            after = found[-1].id
    elif page == "Data":
        document = {"payload": shown(job.data), "result": shown(job.result, names=False)}
        yield json.dumps(document, indent=2, ensure_ascii=False)
    elif page == "Flow":
        for entry in flow_page(story, _WIDTH, glyphs):
            yield from ("".join(text for text, _ in line).rstrip() for line in entry.lines)
    else:
        lines = job_page(story, _WIDTH, app.clock.now(), glyphs)
        yield from ("".join(text for text, _ in line).rstrip() for line in lines)


def _payload(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What was edited.

    Raises:
        ValueError: it is no payload of this type, in a sentence.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"It is no JSON: {error}.") from None
    if not isinstance(data, dict):
        raise ValueError("A payload is an object: { … }.")
    strangers = [key for key in data if key not in schema.get("properties", {})]
    if strangers:
        raise ValueError(f"This type takes no '{strangers[0]}'.")
    return data
