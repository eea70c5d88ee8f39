"""The names of the pages of an open job."""

from textual import events
from textual.message import Message
from textual.strip import Strip

from jobdesk.tui.format import Span, width_of
from jobdesk.tui.widgets.lines import Painted

_GAP = 3


class PageNames(Painted):
    """The open one is marked; a click opens one."""

    class Wanted(Message):
        """Somebody wants this page."""

        def __init__(self, page: str) -> None:
            super().__init__()
            self.page = page

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ("Job",)
        self.open = "Job"
        self.note = ""

    def show(self, names: tuple[str, ...], open_: str, note: str) -> None:
        """Say which there are, which is open, and what there is to say about it."""
        if (names, open_, note) != (self.names, self.open, self.note):
            self.names, self.open, self.note = names, open_, note
            self.refresh()

    def render_line(self, y: int) -> Strip:
        spans: list[Span] = []
        for name in self.names:
            spans.append((name, "accent" if name == self.open else "muted"))
            spans.append((" " * _GAP, "text"))
        room = self.size.width - width_of(tuple(spans))
        if self.note and room >= len(self.note):
            spans.append((" " * (room - len(self.note)) + self.note, "muted"))
        return self.paint(tuple(spans) if y == 0 else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = 0
        for name in self.names:
            if at <= event.x < at + len(name):
                self.post_message(self.Wanted(name))
            at += len(name) + _GAP
