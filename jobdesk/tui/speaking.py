"""What the app says to jobs that run: pause, go on, take a signal, read this."""

import signal
from collections.abc import Callable
from dataclasses import replace

from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import State
from jobdesk.tui.format import count_of
from jobdesk.tui.living import DeskApp
from jobdesk.tui.selection import Selection

_SIGNALS = {
    "SIGINT": "as ctrl+c: most programs end, interpreters go back to their prompt",
    "SIGTERM": "asks it to end",
    "SIGHUP": "its terminal is gone; many servers read their settings anew",
    "SIGQUIT": "ends it with a core dump",
    "SIGUSR1": "means what the program says it means",
    "SIGUSR2": "means what the program says it means",
    "SIGKILL": "ends it at once; it cannot tidy up",
}
"""Those that people send, first."""


class Speaking(DeskApp):
    """The part of the app that speaks to running jobs."""

    def judged(self, selection: Selection) -> Selection:
        """With what its running jobs hear, and whether they are paused."""
        if selection.query is not None or not any(job.state is State.PROCESSING for job in selection.jobs):
            return selection
        paused = self.snapshot.paused
        return replace(
            selection,
            jobs=tuple(replace(job, hears=self.hears.get(job.type), paused=job.id in paused) for job in selection.jobs),
        )

    def pause_jobs(self, selection: Selection) -> None:
        """Stop them where they are."""
        self._each(selection, self.desk.pause_job, "Paused where it is", "Paused")

    def continue_jobs(self, selection: Selection) -> None:
        """Let paused ones go on."""
        self._each(selection, self.desk.continue_job, "Goes on", "Let go on")

    def _each(self, selection: Selection, say: Callable[[str], object], one: str, several: str) -> None:
        ids = [job.id for job in selection.jobs if job.state is State.PROCESSING]

        def work() -> str:
            if len(ids) == 1:
                say(ids[0])
                return f"{one}: {selection.words}"
            done = 0
            why: JobdeskError | None = None
            for id_ in ids:
                try:
                    say(id_)
                    done += 1
                except JobdeskError as error:
                    why = error
            if why is not None and not done:
                raise why
            return f"{several} {count_of(done, 'job')}" + (f"; refused: {why}" if why is not None else "")

        self.doer.do(work)

    def pick_signal(self, selection: Selection) -> None:
        """Choose a signal, then say yes to it: most of them end what gets them."""
        from jobdesk.tui.screens.confirm import Confirm
        from jobdesk.tui.screens.picker import Choice, Picker

        assert selection.one is not None
        id_ = selection.one.id
        names = [*_SIGNALS, *(one.name for one in signal.Signals if one.name not in _SIGNALS)]

        def chosen(name: str | None) -> None:
            if name is None:
                return

            def answered(sure: bool | None) -> None:
                if sure:
                    self.doer.do(lambda: f"{name} sent to {self.desk.signal_job(id_, name).type}")

            said = [f"Send {name} to all processes of {selection.words}?", _SIGNALS.get(name, "")]
            self.push_screen(Confirm("Signal", [line for line in said if line], yes="send"), answered)

        self.push_screen(
            Picker("Send a signal", [Choice(name, name, _SIGNALS.get(name, "")) for name in names]), chosen
        )

    def send_text(self, selection: Selection) -> None:
        """Ask what a job shall read."""
        from jobdesk.tui.screens.send import Send

        assert selection.one is not None
        id_ = selection.one.id

        def asked(said: tuple[str, bool] | None) -> None:
            if said is not None:
                text, end = said
                self.doer.do(lambda: _sent(self.desk.send_to_job(id_, text, end=end).type, text, end))

        self.push_screen(Send(selection.words), asked)


def _sent(type_: str, text: str, end: bool) -> str:
    if not text:
        return f"{type_} has nothing more to read"
    return f"Sent to {type_}: {text.rstrip() or 'a line end'}" + ("; nothing follows" if end else "")
