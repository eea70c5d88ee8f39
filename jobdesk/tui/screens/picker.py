"""A list to choose from that narrows as one types: palette, actions menu, colours, job types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from jobdesk.tui.columns import Column
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field
from jobdesk.tui.widgets.lines import Lines
from jobdesk.tui.widgets.listing import Item, Listing

_IN_NOTE = 1000
_ROWS = 18
_SHORT = 12
"""Cells of a note that is always seen whole in its row."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One row; with a `reason` it cannot be chosen, and says why."""

    id: str
    title: str
    note: str = ""
    key: str = ""
    reason: str | None = None


def fuzzy(wanted: str, text: str) -> int | None:
    """How well the letters of `wanted` are found in `text` in their order, 0 best; None if they are not."""
    wanted, text = wanted.casefold().replace(" ", ""), text.casefold()
    if wanted in text:
        return text.index(wanted)
    at, gaps = -1, 100
    for letter in wanted:
        found = text.find(letter, at + 1)
        if found < 0:
            return None
        gaps += found - at - 1 if at >= 0 else found
        at = found
    return gaps


def _score(wanted: str, choice: Choice) -> int | None:
    """How well a choice fits: by the letters of its title, else by a piece of its note, which may hold ids."""
    score = fuzzy(wanted, choice.title)
    if score is None and choice.reason is None and wanted.casefold() in choice.note.casefold():
        return _IN_NOTE
    return score


class Picker(Dialog[str | None]):
    """Dismisses with the id of the choice, or None.

    Args:
        preview: called with the id under the cursor as it moves.
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        hint: str = "type to narrow",
        preview: Callable[[str], None] | None = None,
        at: str = "",
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._hint = hint
        self._preview = preview
        self._at = at
        self._notes_fit = max((cell_len(choice.note) for choice in choices), default=0) <= _SHORT

    def compose(self) -> ComposeResult:
        longest = max((cell_len(choice.title) for choice in self._choices), default=10)
        keys = max((len(choice.key) for choice in self._choices), default=0)
        with Vertical(classes="dialog -wide"):
            yield Field(placeholder=self._hint)
            yield Listing(
                (
                    Column("title", "", min(24, longest), grow=1, most=longest),
                    Column("note", "", _SHORT, rank=2, grow=3),
                    Column("key", "", keys, rank=1, align=">"),
                ),
                empty="Nothing fits.",
                always=True,
            )
            yield Lines(id="said")

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = self._title
        self._narrow("")
        listing = self.query_one(Listing)
        listing.styles.height = min(_ROWS, len(self._choices))
        for at, choice in enumerate(self._choices):
            if choice.id == self._at:
                listing.action_move(at)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, wanted: str) -> None:
        scored = [
            (score, at, choice)
            for at, choice in enumerate(self._choices)
            if (score := _score(wanted, choice)) is not None
        ]
        if wanted:
            scored.sort(key=lambda one: one[:2])
        listing = self.query_one(Listing)
        listing.show([_item(choice) for _, _, choice in scored])
        if wanted:
            listing.action_move(-len(self._choices))
        self._tell()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._choose(self.query_one(Listing).value)

    @on(Listing.Opened)
    def _opened(self, event: Listing.Opened) -> None:
        event.stop()
        self._choose(event.value)

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        event.stop()
        value = event.listing.value
        if self._preview is not None and isinstance(value, Choice):
            self._preview(value.id)
        self._tell()

    def _tell(self) -> None:
        """All that is said of the row under the cursor, which may have no room for it."""
        said, value = self.query_one("#said", Lines), self.query_one(Listing).value
        if isinstance(value, Choice):
            note = "" if self._notes_fit else value.note
            whole = note if value.reason is None else f"Not now: {value.reason}"
            said.show([((" ", "text"), (whole, "muted"))])
        else:
            said.show([])

    def _choose(self, value: object) -> None:
        if not isinstance(value, Choice):
            return
        if value.reason is not None:
            self.notify(f"{value.title}: {value.reason}", severity="warning", timeout=4)
            return
        self.dismiss(value.id)

    def on_key(self, event: events.Key) -> None:
        listing = self.query_one(Listing)
        if event.key == "escape":
            self.dismiss(None)
        elif event.key in ("down", "up", "pagedown", "pageup") and not listing.has_focus:
            listing.action_move({"down": 1, "up": -1, "pagedown": 10, "pageup": -10}[event.key])
        else:
            return
        event.stop()
        event.prevent_default()


def _item(choice: Choice) -> Item:
    off = choice.reason is not None
    return Item(
        choice.id,
        choice,
        {
            "title": ((choice.title, "muted" if off else "text"),),
            "note": ((choice.reason if choice.reason is not None else choice.note, "muted"),),
            "key": ((choice.key, "faint" if off else "key"),),
        },
    )
