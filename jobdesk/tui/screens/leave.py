"""Leaving while jobs run here: finish them, hand them over, or give them back. Work is never harmed."""

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from jobdesk.tui.columns import Column
from jobdesk.tui.format import count_of, wrap
from jobdesk.tui.host import Farewell
from jobdesk.tui.widgets.lines import Lines
from jobdesk.tui.widgets.listing import Item, Listing

Answer = Farewell | Literal["stay"]

_CHOICES: tuple[tuple[Farewell, str, str, str], ...] = (
    ("finish", "f", "Finish them first", "close when the last one ends"),
    ("hand over", "b", "Hand over to the background", "a consumer without a screen"),
    ("stop", "s", "Stop now", "they return to their queue"),
)


class Leave(ModalScreen[Answer]):
    """The question; esc stays."""

    BINDINGS = [
        Binding("escape,q,n", "stay", show=False),
        *(Binding(key, f"choose('{how}')", show=False) for how, key, _, _ in _CHOICES),
    ]

    def __init__(self, running: int) -> None:
        super().__init__()
        self._jobs_running = running

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(id="said")
            yield Listing((Column("key", "", 1), Column("what", "", 27), Column("more", "", 20, rank=1, grow=1)))
            yield Lines(id="foot")

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = "Quit"
        them = "it" if self._jobs_running == 1 else "them"
        said = f"{count_of(self._jobs_running, 'job runs', 'jobs run')} in this app. What shall become of {them}?"
        panel = self.query_one("#said", Lines)
        panel.show([((line, "text"),) for line in wrap(said, min(66, max(20, self.app.size.width - 10)))])
        panel.styles.height = len(panel.lines)
        self.query_one("#foot", Lines).show(
            [(("enter", "key"), (" choose   ", "muted"), ("esc", "key"), (" stay", "muted"))]
        )
        listing = self.query_one(Listing)
        listing.show(
            [
                Item(how, how, {"key": ((key, "key"),), "what": ((title, "text"),), "more": ((more, "muted"),)})
                for how, key, title, more in _CHOICES
            ]
        )
        listing.focus()

    @on(Listing.Opened)
    def _opened(self, event: Listing.Opened) -> None:
        event.stop()
        self.action_choose(str(event.value))

    def action_choose(self, how: str) -> None:
        self.dismiss(next(choice for choice, *_ in _CHOICES if choice == how))

    def action_stay(self) -> None:
        self.dismiss("stay")


class Leaving(ModalScreen[None]):
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
