"""What actions do to flows and schedules, and retrying many without haste."""

from collections.abc import Callable

from jobdesk.core.rate import rate
from jobdesk.ledger import folders
from jobdesk.tui.format import count_of
from jobdesk.tui.living import DeskApp
from jobdesk.tui.selection import Selection

SILENT_S = 3600.0


class Managing(DeskApp):
    """The part of the app that acts on what is no job."""

    def apply_to_flow(self, verb: str, selection: Selection) -> None:
        """Resume a flow from what failed, or cancel all of it that has not ended."""
        flow = selection.flow
        assert flow is not None
        if verb == "retry":
            self.doer.do(lambda: f"Resumed the flow: {count_of(len(self.desk.resume_flow(flow)), 'job')} at once")
            return
        self._sure(
            "Cancel the flow",
            ["Cancel all of this flow that has not ended?", "What runs is asked to stop. It can be resumed later."],
            "cancel",
            lambda: f"Cancelled {count_of(self.desk.cancel_flow(flow), 'job')} of the flow",
        )

    def toggle_schedule(self, name: str, paused: bool) -> None:
        """Pause a schedule, or let it go on."""

        def toggle() -> str:
            if paused:
                self.desk.resume_schedule(name)
                return f"Resumed {name}"
            self.desk.pause_schedule(name)
            return f"Paused {name}: it makes no jobs by itself"

        self.doer.do(toggle)

    def trigger(self, selection: Selection) -> None:
        """Make the job of a schedule now, or have a drop folder looked through."""
        if selection.schedule is None:
            self._look_through(selection.folder or "")
            return
        name = selection.schedule
        self.doer.do(lambda: f"Submitted {self.desk.trigger_schedule(name).type} of {name}")

    def _look_through(self, folder: str) -> None:
        def look() -> str:
            with self.desk.ledger.write() as tx:
                folders.want_scan(tx, [folder])
            watched = bool(self.desk.consumers())
            return "It is looked through now" if watched else "It is looked through when a consumer starts"

        self.doer.do(look)

    def remove_schedule(self, name: str) -> None:
        """Forget a schedule that was added."""

        def remove() -> str:
            self.desk.remove_schedule(name)
            return f"Removed {name}; the jobs it made stay"

        self._sure("Remove the schedule", [f"Remove the schedule {name}?", "The jobs it made stay."], "remove", remove)

    def toggle_service(self, name: str, works: bool) -> None:
        """Let nothing call a service, or everything again."""

        def toggle() -> str:
            if works:
                self.desk.open_service(name, "held open in the app")
                return f"Nothing calls {name} any more; jobs that need it wait"
            self.desk.close_service(name)
            return f"{name} is called again"

        self.doer.do(toggle)

    def acknowledge(self, selection: Selection) -> None:
        """Somebody has seen an alert."""
        id_ = selection.alert
        assert id_ is not None
        self.doer.do(lambda: "Acknowledged" if self.desk.acknowledge(id_) else "It was acknowledged already")

    def silence(self, selection: Selection) -> None:
        """Let a rule say nothing about its subject for an hour; one that is silent already may speak again."""

        def silence() -> str:
            held = [subject for rule, subject in self.desk.silences() if rule == selection.rule]
            held = [subject for subject in held if subject in ("", selection.subject)]
            if held:
                for subject in held:
                    self.desk.unsilence(selection.rule, subject)
                return f"{selection.rule} may be raised again"
            self.desk.silence(selection.rule, SILENT_S, selection.subject)
            return f"{selection.rule} is silent for an hour; the same key ends it"

        self.doer.do(silence)

    def undo(self) -> None:
        """Take back the last thing that was done in this app and still can be."""

        def take_back() -> str:
            done = self.desk.undo(own=True)
            said = f"Undone: {done.entry.action} {done.entry.what}"
            if done.refused:
                said += f"; {count_of(len(done.refused), 'job')} stay: {next(iter(done.refused.values()))}"
            return said

        self.doer.do(take_back)

    def retry_slowly(self, selection: Selection) -> None:
        """Ask how fast, then retry that many a minute, each a little later than the one before."""
        from jobdesk.tui.screens.asked import Asked

        def asked(text: str | None) -> None:
            if text:
                pace = rate(text)
                self.doer.slowly("retry", selection, pace.span_s / pace.most)

        self.push_screen(
            Asked("Retry slowly", f"Retry {selection.words}: how many in which time?", "60/m", check=rate), asked
        )

    def _sure(self, title: str, said: list[str], yes: str, work: Callable[[], str]) -> None:
        from jobdesk.tui.screens.confirm import Confirm

        def answered(sure: bool | None) -> None:
            if sure:
                self.doer.do(work)

        self.push_screen(Confirm(title, said, yes=yes), answered)
