"""Leaving while jobs run here: finish them, hand them over, or give them back. Work is never harmed."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from jobdesk.tui.format import count_of
from jobdesk.tui.host import Farewell
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.screens.ways import Way, Ways
from jobdesk.tui.widgets.lines import Lines

_WAYS = (
    Way("finish", "f", "Finish them first", "close when the last one ends"),
    Way("hand over", "b", "Hand over to the background", "a consumer without a screen"),
    Way("stop", "s", "Stop now", "they return to their queue"),
)


class Leave(Ways):
    """The question; esc stays. Dismisses with a `Farewell`."""

    def __init__(self, running: int) -> None:
        them = "it" if running == 1 else "them"
        said = f"{count_of(running, 'job runs', 'jobs run')} in this app. What shall become of {them}?"
        super().__init__("Quit", said, _WAYS, stay="stay")


class Leaving(Dialog[None]):
    """The app is on its way out; says what it waits for. `s` waits no longer."""

    BINDINGS = [Binding("s", "hurry", show=False), Binding("q,ctrl+c,escape", "hint", show=False)]

    def __init__(self, how: Farewell) -> None:
        super().__init__()
        self._how = how

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(id="said")

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = "Closing"
        self.tell(None)

    def tell(self, running: int | None) -> None:
        """How many jobs still run here."""
        said = {
            "finish": f"Waiting for {count_of(running, 'job', 'jobs') if running else 'the last job'} to end.",
            "hand over": "Handing over to a background consumer.",
            "stop": "Giving the running jobs back to their queue." if running else "Stopping the consumer.",
        }[self._how]
        lines = [((said, "text"),)]
        if self._how == "finish":
            lines.extend([(), (("s", "key"), (" stop now instead", "muted"))])  # type: ignore[list-item]
        panel = self.query_one("#said", Lines)
        panel.styles.height = len(lines)
        panel.show(lines)

    def action_hurry(self) -> None:
        from jobdesk.tui.app import JobdeskApp

        assert isinstance(self.app, JobdeskApp)
        self.app.host.hurry()

    def action_hint(self) -> None:
        self.app.bell()
