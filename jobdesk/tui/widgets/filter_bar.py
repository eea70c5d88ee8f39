"""The filter: one line to type in, which says at once what is wrong with a query, and where."""

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from jobdesk.core.errors import QueryError
from jobdesk.core.query import complete, word_at
from jobdesk.tui.format import Spans, wrap
from jobdesk.tui.widgets.field import Quick
from jobdesk.tui.widgets.lines import Lines

_HINTS = 12


class _Completion(Suggester):
    """Offers the rest of the word that is being typed; tab or → takes it."""

    def __init__(self, bar: "FilterBar") -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._bar = bar

    async def get_suggestion(self, value: str) -> str | None:
        return self._bar.completed(value)


class _Query(Quick):
    """The field itself. It takes its own keys, so that letters typed right behind them do not overtake them."""

    def __init__(self, bar: "FilterBar") -> None:
        hint = "state:failed queue:upload.* type:IMAGE_* age:<1h, or any words"
        super().__init__(placeholder=hint, suggester=_Completion(bar))
        self._bar = bar

    def on_key(self, event: events.Key) -> None:
        if event.key not in ("escape", "down", "tab"):
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._bar.remove_class("-open", "-wrong")
            if self.value:
                self.value = ""
        elif event.key == "tab" and self.cursor_at_end:
            longer = self._bar.completed(self.value)
            if longer is not None and longer != self.value:
                self.value = longer
                self.cursor_position = len(longer)
                return
        self.post_message(FilterBar.Left())


class FilterBar(Vertical):
    """Hidden until `/`; stays while a filter is set."""

    class Left(Message):
        """The cursor goes back to the list."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, list[str]] = {}
        """Values in use, by field, for completion."""
        self._error: QueryError | None = None
        self._hints: list[str] = []
        """How the last word may go on, as long as it is none yet."""
        self._count = ""

    def compose(self) -> ComposeResult:
        yield _Query(self)
        yield Lines(id="said")

    @property
    def input(self) -> Input:
        return self.query_one(Input)

    def on_mount(self) -> None:
        self.input.border_title = "Filter"

    def open(self) -> None:
        """Show it and put the cursor in."""
        self.add_class("-open")
        self.input.focus()

    def close_empty(self) -> None:
        """Hide it if it holds no filter."""
        if not self.input.value.strip():
            self.remove_class("-open")

    def set(self, text: str) -> None:
        """Put this text in, without typing it."""
        self.set_class(bool(text), "-open")
        with self.prevent(Input.Changed):
            self.input.value = text

    def completed(self, value: str) -> str | None:
        """With its last word as it most likely goes on; None: it is whole, or nothing fits."""
        start, _ = word_at(value, len(value))
        if start == len(value):
            return None
        words = complete(value, len(value), self.known)
        return value[:start] + words[0] if words else None

    def wrong(self, error: QueryError) -> str | None:
        """Point at what cannot be read. Of a word that is still being typed say how it may go on; what is before it."""
        value = self.input.value
        typing = self.input.has_focus and error.position + error.length >= len(value) == self.input.cursor_position
        self._hints = complete(value, len(value), self.known)[:_HINTS] if typing else []
        self._error = None if self._hints else error
        self.set_class(not self._hints, "-wrong")
        self._say()
        return value[: word_at(value, len(value))[0]] if self._hints else None

    def right(self) -> None:
        """The query can be read."""
        self._error, self._hints = None, []
        self.remove_class("-wrong")
        self._say()

    def counted(self, text: str) -> None:
        """How many jobs match."""
        if text != self._count:
            self._count = text
            self.input.border_subtitle = text

    def _say(self) -> None:
        error, said = self._error, self.query_one("#said", Lines)
        lines: list[Spans] = []
        if error is not None:
            before = cell_len(self.input.value[: error.position])
            lines.append((((" " * (2 + before)), "text"), ("^" * max(1, error.length), "bad-strong")))
            sentence = str(error).rpartition(" (at character")[0] or str(error)
            lines.extend(((f"  {line}", "bad"),) for line in wrap(sentence, max(20, self.size.width - 6))[:4])
        elif self._hints:
            hints = wrap("   ".join(self._hints), max(20, self.size.width - 6))
            lines.extend(((f"  {line}", "muted"),) for line in hints[:4])
        said.styles.height = len(lines)
        said.show(lines)
