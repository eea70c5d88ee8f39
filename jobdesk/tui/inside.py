"""What one does inside an open job: its log, its pictures, its room. And the job types."""

from dataclasses import replace
from typing import TYPE_CHECKING

from jobdesk.core.job import PRIORITIES
from jobdesk.tui.actions import Scene
from jobdesk.tui.going import Going
from jobdesk.tui.personal import NARROWEST, WIDEST
from jobdesk.tui.selection import Selection

if TYPE_CHECKING:
    from jobdesk.plugins import Registry
    from jobdesk.sections import Config
    from jobdesk.tui.widgets.job_view import JobView

_STEP = 5


class Inside(Going):
    """The part of the app that looks closer."""

    @property
    def job_view(self) -> "JobView":
        """The open job."""
        from jobdesk.tui.screens.job import JobScreen

        frame = self.frame
        return frame.job_view if isinstance(frame, JobScreen) else self.main.jobs.drawer

    def find(self, scene: Scene) -> None:
        """In a log what somebody looks for, else the filter of the jobs."""
        if scene.page == "Log":
            self.job_view.find()
        else:
            self.open_filter()

    def follow(self, scene: Scene) -> None:
        """New lines of a log, or new jobs."""
        if scene.page == "Log":
            self.job_view.log_view.toggle_follow()
        else:
            self.table("follow")

    def wrap_log(self) -> None:
        """Break long lines, or scroll to their right end."""
        wrapped = self.job_view.log_view.toggle_wrap()
        self.notify("Long lines are broken." if wrapped else "Long lines go on: right and left move along them.",
                    timeout=2)  # fmt: skip

    def log_times(self) -> None:
        """The next way to tell the time of each line."""
        times = self.job_view.log_view.next_times()
        said = {"absolute": "the time of day", "relative": "time since the start", "none": "no times"}[times]
        self.notify(f"The log shows {said}.", timeout=2)

    def split(self, by: int) -> None:
        """More or less room for the open job beside the list."""
        wanted = max(NARROWEST, min(WIDEST, self.remembered.split + by * _STEP))
        self.remembered = replace(self.remembered, split=wanted)
        self.main.jobs.divide(wanted)

    def show_pictures(self, selection: Selection) -> None:
        """What the job was given and what it made, as far as those are pictures."""
        assert selection.one is not None
        id_ = selection.one.id

        from jobdesk.tui.pictures import Pictures, pictures_shown

        def found(pictures: Pictures) -> None:
            if pictures.any:
                from jobdesk.tui.graphics import graphics
                from jobdesk.tui.screens.pictures import ShowPictures

                self.push_screen(ShowPictures(pictures, graphics(self)))
            else:
                self.notify("This job was given no picture and made none that is still there.", severity="warning",
                            timeout=3)  # fmt: skip

        self.aside(lambda: pictures_shown(self.desk, id_), found, opens=True)

    def pick_priority(self, selection: Selection) -> None:
        """Let a job that waits come earlier or later."""
        from jobdesk.tui.screens.picker import Choice, Picker

        job = selection.one
        assert job is not None

        def chosen(level: str | None) -> None:
            if level is not None:
                self.doer.do(lambda: f"{self.desk.set_priority(job.id, level).type} has {level} priority now")

        choices = [Choice(word, word, str(rank)) for word, rank in PRIORITIES.items()]
        self.push_screen(Picker(f"Priority of {selection.words}", choices), chosen)

    def show_processors(self) -> None:
        """The job types."""
        from jobdesk.tui.screens.processors import Processors

        def known(found: "tuple[Registry, Config]") -> None:
            self.push_screen(Processors(*found))

        self.aside(lambda: (self.desk.registry, self.desk.config), known, opens=True)
