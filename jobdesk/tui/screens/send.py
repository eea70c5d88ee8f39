"""What a running job shall read: a line of text, and whether anything follows."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Checkbox, Input

from jobdesk.core.speech import LONGEST
from jobdesk.tui.format import fit
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field, Tick
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import Lines

_MORE = {False: "more may follow", True: "nothing follows: its input ends"}


class Send(Dialog[tuple[str, bool] | None]):
    """Dismisses with the text, its line end included, and whether it is the last; None: it was left.

    Args:
        reader: who reads it, for people.
    """

    BINDINGS = [
        Binding("escape", "leave", show=False),
        Binding("enter", "send", show=False, priority=True),  # the box would take it as a tick
    ]

    def __init__(self, reader: str) -> None:
        super().__init__()
        self._reader = reader

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(id="about")
            yield Field(max_length=LONGEST - 1)
            yield Tick(_MORE[False], id="end", compact=True)
            yield Foot()

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = "Send"
        self.query_one("#about", Lines).show([((fit(f"A line that {self._reader} reads:", 64).rstrip(), "text"),)])
        self.query_one(Input).focus()
        self.query_one(Foot).show(
            [("enter", "send"), ("tab", "to the box"), ("space", "tick it"), ("escape", "leave it")]
        )

    @on(Checkbox.Changed)
    def _ticked(self, event: Checkbox.Changed) -> None:
        event.checkbox.label = _MORE[event.value]

    def action_send(self) -> None:
        text, end = self.query_one(Input).value, self.query_one(Checkbox).value
        self.dismiss((f"{text}\n" if text or not end else "", end))

    def action_leave(self) -> None:
        self.dismiss(None)
