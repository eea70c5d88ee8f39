"""A question with a few answers, each with a key of its own. Leaving it open is always one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from jobdesk.tui.columns import Column
from jobdesk.tui.format import wrap
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import Lines
from jobdesk.tui.widgets.listing import Item, Listing


@dataclass(frozen=True, slots=True)
class Way:
    """One answer: `key` is what chooses it at once."""

    id: str
    key: str
    title: str
    note: str


class Ways(Dialog[str | None]):
    """Dismisses with the id of the way, or None.

    Args:
        stay: what esc does, in a word.
    """

    BINDINGS = [Binding("escape,q,n", "stay", show=False)]

    def __init__(self, title: str, said: str, ways: Sequence[Way], *, stay: str) -> None:
        super().__init__()
        self._title = title
        self._said = said
        self._ways = ways
        self._stay = stay
        for way in ways:
            self._bindings.bind(way.key, f"choose('{way.id}')", show=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(id="said")
            yield Listing((Column("key", "", 1), Column("what", "", 27), Column("more", "", 20, rank=1, grow=1)))
            yield Foot()

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = self._title
        panel = self.query_one("#said", Lines)
        panel.show([((line, "text"),) for line in wrap(self._said, min(66, max(20, self.app.size.width - 10)))])
        panel.styles.height = len(panel.lines)
        self.query_one(Foot).show([("enter", "choose"), ("escape", self._stay)])
        listing = self.query_one(Listing)
        listing.styles.height = len(self._ways)
        listing.show([
            Item(way.id, way.id,
                 {"key": ((way.key, "key"),), "what": ((way.title, "text"),), "more": ((way.note, "muted"),)})
            for way in self._ways
        ])  # fmt: skip
        listing.focus()

    @on(Listing.Opened)
    def _opened(self, event: Listing.Opened) -> None:
        event.stop()
        self.dismiss(str(event.value))

    def action_choose(self, way: str) -> None:
        self.dismiss(way)

    def action_stay(self) -> None:
        self.dismiss(None)
