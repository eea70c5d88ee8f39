"""The field for what is looked for in a log."""

from textual import events, on
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from jobdesk.tui.widgets.field import Field

_TYPING_S = 0.12


class FindBar(Field):
    """Says what is looked for as one types; enter keeps it, esc ends it."""

    class Wanted(Message):
        """This is looked for now; `done`: the field is left."""

        def __init__(self, text: str, *, done: bool = False) -> None:
            super().__init__()
            self.text = text
            self.done = done

    _typing: Timer | None = None

    def __init__(self) -> None:
        super().__init__(placeholder="find in the log", compact=True, id="find", select_on_focus=True)
        self.display = False

    def open(self) -> None:
        """Ask for it."""
        self.display = True
        self.focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._stop()
        self._typing = self.set_timer(_TYPING_S, lambda: self.post_message(self.Wanted(event.value)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._leave(event.value)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self._leave("")

    def _leave(self, text: str) -> None:
        self._stop()
        self.display = False
        self.post_message(self.Wanted(text, done=True))

    def _stop(self) -> None:
        if self._typing is not None:
            self._typing.stop()
