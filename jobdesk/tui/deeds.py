"""What actions do to jobs and queues, and what they take out."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobdesk.core.submission import Submission
from jobdesk.tui.actions import BY_ID, MANY, Danger
from jobdesk.tui.managing import Managing
from jobdesk.tui.selection import Selection

if TYPE_CHECKING:
    from jobdesk.core.job import Job
    from jobdesk.plugins import Registry


class Deeds(Managing):
    """The part of the app that acts."""

    def apply(self, verb: str, selection: Selection) -> None:
        """Retry, cancel or delete; asks first as much as the harm is."""
        if selection.schedule is not None:
            self.remove_schedule(selection.schedule)
            return
        if selection.flow is not None and verb != "delete":
            self.apply_to_flow(verb, selection)
            return
        action = BY_ID[verb]
        many = selection.query is not None or len(selection.jobs) > MANY
        if action.danger is Danger.NONE and not (many and selection.count > 1):
            self.doer.each(verb, selection)
            self._acted_on(selection)
            return
        from jobdesk.tui.screens.confirm import Confirm

        count = selection.count if selection.query is not None else len(selection.jobs)
        typed = str(count) if count > MANY or (action.danger is Danger.LOSES and selection.query is not None) else ""
        said = [f"{action.title.split(',')[0]} {selection.words}?"]
        if selection.query:
            said.append(f"All that match {selection.query}")
        elif selection.query is not None:
            said.append("These are all jobs of this desk.")
        if verb == "delete":
            key = self._key("undo")
            said.append(f"{'Its' if count == 1 else 'Their'} history goes too. For a day {key} can bring it back.")
        said.extend(f"  {job.type} {job.subject}" for job in selection.jobs[:5] if len(selection.jobs) > 1)
        if len(selection.jobs) > 5:
            said.append(f"  and {len(selection.jobs) - 5:,} more")

        def answered(yes: bool | None) -> None:
            if yes:
                self.doer.each(verb, selection)
                self._acted_on(selection)

        self.push_screen(Confirm(action.title.split(",")[0], said, yes=verb.replace("_", " "), typed=typed), answered)

    def _acted_on(self, selection: Selection) -> None:
        if selection.marked:
            self.main.jobs.table.do_clear()

    def toggle_pause(self, selection: Selection) -> None:
        """Pause the queue, or let it go on."""
        if selection.schedule is not None:
            self.toggle_schedule(selection.schedule, selection.paused)
            return
        if selection.service is not None:
            self.toggle_service(selection.service, selection.running)
            return
        queue = selection.queue
        assert queue is not None

        def toggle() -> str:
            if selection.paused:
                self.desk.resume(queue)
                return f"Resumed {queue}"
            self.desk.pause(queue)
            return f"Paused {queue}: what runs goes on, nothing new starts"

        self.doer.do(toggle)

    def new_job(self, view: str) -> None:
        """Choose a type, then fill in its form; on the screen of schedules that of a schedule."""
        self.aside(
            lambda: self.desk.registry, lambda registry: self._choose_type(registry, view == "schedules"), opens=True
        )

    def _choose_type(self, registry: "Registry", scheduled: bool) -> None:
        from jobdesk.tui.screens.forms import NewJob, NewSchedule
        from jobdesk.tui.screens.picker import Choice, Picker

        choices = [Choice(type_, type_, one.summary) for type_, one in sorted(registry.processors.items())]
        choices += [Choice(one.name, one.name, reason=one.error) for one in registry.broken]

        def chosen(type_: str | None) -> None:
            if type_ is not None:
                self.push_screen((NewSchedule if scheduled else NewJob)(registry.processors[type_]))

        title = "New schedule: of which type?" if scheduled else "New job: which type?"
        self.push_screen(Picker(title, choices, hint="type to narrow"), chosen)

    def edit(self, selection: Selection) -> None:
        """Change the payload of an ended job in a form, and run it again."""
        assert selection.one is not None
        id_ = selection.one.id
        self.aside(lambda: (self.desk.job(id_), self.desk.registry), lambda found: self._edit(*found), opens=True)

    def _edit(self, job: "Job", registry: "Registry") -> None:
        from jobdesk.tui.screens.forms import EditJob

        known = registry.processors.get(job.type)
        if known is None:
            self.notify(f"No processor has the job type {job.type}: see Processors.", severity="warning", timeout=4)
        else:
            self.push_screen(EditJob(known, job))

    def submit(self, wanted: Submission) -> None:
        """Store a job."""

        def store() -> str:
            job = self.desk.submit(wanted.type, wanted.data, priority=wanted.priority, delay=wanted.delay)
            return f"Submitted {job.type} {job.id[-8:].lower()}"

        self.doer.do(store)

    def open_artifact(self, selection: Selection) -> None:
        """Show the first file that the job made, with what the desktop has for it."""
        assert selection.one is not None
        id_ = selection.one.id
        self.feed.ask(lambda: self.desk.job(id_).artifacts, self._open_files)

    def _open_files(self, files: Any) -> None:
        if not files:
            self.notify("This job made no file that it wants shown.", severity="warning", timeout=3)
        elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
            self.aside(lambda: webbrowser.open(Path(files[0].path).as_uri()), lambda _: None)
            self.notify(f"Opened {files[0].path}", timeout=3)
        else:
            self.copy_to_clipboard(files[0].path)
            self.notify(f"Copied the path, since there is no desktop to open it: {files[0].path}", timeout=6)
