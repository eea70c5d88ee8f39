"""One question that is answered in a line of text."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from jobdesk.tui.format import wrap
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import Lines


class Asked(Dialog[str | None]):
    """The answer, or None if it was left.

    Args:
        check: raises ValueError, in a sentence, for an answer that will not do.
    """

    BINDINGS = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, question: str, usual: str, *, check: Callable[[str], object]) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._usual = usual
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(id="about")
            yield Field(self._usual)
            yield Lines(id="said")
            yield Foot()

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = self._title
        about = self.query_one("#about", Lines)
        about.show([((line, "text"),) for line in wrap(self._question, 64)])
        about.styles.height = len(about.lines)
        self.query_one(Input).focus()
        self.query_one(Foot).show([("enter", "do it"), ("escape", "leave it")])
        self._say(None)

    def _say(self, problem: str | None) -> None:
        lines = [((line, "warn"),) for line in wrap(problem or "", 64) if line]
        said = self.query_one("#said", Lines)
        said.styles.height = len(lines)
        said.show(lines)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        try:
            self._check(text)
        except ValueError as error:
            self._say(str(error))
            return
        self.dismiss(text)

    def action_leave(self) -> None:
        self.dismiss(None)
