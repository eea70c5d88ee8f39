"""Asking before harm is done: a yes for little harm, the number typed for much. No is the default."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from jobdesk.tui.format import Spans
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import Lines


class Confirm(Dialog[bool]):
    """One question.

    Args:
        typed: what must be typed for a yes; "" if y is enough.
    """

    BINDINGS = [
        Binding("y", "yes", show=False),
        Binding("n,escape,q", "no", show=False),
        Binding("enter", "no", show=False),
    ]

    def __init__(self, title: str, said: Sequence[str], *, yes: str, typed: str = "") -> None:
        super().__init__()
        self._title = title
        self._said = said
        self._yes = yes
        self._typed = typed

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(id="said")
            if self._typed:
                yield Field(placeholder=self._typed)
            yield Foot()

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = self._title
        lines: list[Spans] = [((line, "text"),) for line in self._said]
        if self._typed:
            lines.extend([(), (("type ", "muted"), (self._typed, "key"), (f" to {self._yes}", "muted"))])
            self.query_one(Foot).show([("enter", self._yes), ("escape", "keep")])
        else:
            self.query_one(Foot).show([("y", self._yes), ("n", "keep")])
        panel = self.query_one("#said", Lines)
        panel.styles.height = len(lines)
        panel.show(lines)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        typed = event.value.replace(",", "").strip()
        if typed == self._typed:
            self.dismiss(True)
        elif typed:
            self.notify(f"That is not {self._typed}: nothing was done.", severity="warning", timeout=4)
            event.input.clear()
        else:
            self.dismiss(False)

    def action_yes(self) -> None:
        if not self._typed:
            self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)
