"""A list, and a page about what is under its cursor: beside it where there is room, below it where there is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.selection import NOTHING, Selection
from jobdesk.tui.widgets.job_view import Document
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


@dataclass(frozen=True, slots=True)
class Seen:
    """What such a screen reads: the things of its list, and all there is to say about the one with this key."""

    things: tuple[Any, ...] = ()
    key: str | None = None
    about: Any = None


class Reader(Protocol):
    """Reads on the database thread; `wanted` is the key of the thing that its page is about."""

    wanted: str | None

    def read(self) -> Seen: ...


class Browse(Container):
    """The frame of such a screen; a subclass says what its rows and its page are."""

    LENS: ClassVar[str]
    TITLE: ClassVar[str]
    COLUMNS: ClassVar[Sequence[Column]]
    EMPTY: ClassVar[str] = ""

    reader: Reader
    _seen = Seen()

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    # ── for subclasses ──

    def make_reader(self) -> Reader:
        """What reads for it; made when the screen is."""
        raise NotImplementedError

    def item(self, thing: Any, now: float, glyphs: Glyphs) -> Item:
        """The row of one thing."""
        raise NotImplementedError

    def about(self, seen: Seen, width: int, now: float, glyphs: Glyphs) -> tuple[str, list[Spans]]:
        """Title and lines of the page about the thing under the cursor."""
        raise NotImplementedError

    def selection_of(self, thing: Any) -> Selection:
        """A thing as something to act on."""
        raise NotImplementedError

    # ── what all of them do ──

    def compose(self) -> ComposeResult:
        self.reader = self.make_reader()
        yield Listing(self.COLUMNS, titles=True, always=True, classes="things")
        yield Document(focusable=True, classes="about")

    @property
    def listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def read(self) -> Callable[[], Seen]:
        """For the feed."""
        return self.reader.read

    def first_focus(self) -> Widget:
        return self.listing

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        """Bring list and page in line with the snapshot."""
        listing, found = self.listing, snapshot.lenses.get(self.LENS)
        if found is not None:
            self._seen = cast(Seen, found)
            listing.when_empty(self.EMPTY)  # before it is read nobody knows
        listing.show([self.item(thing, now, glyphs) for thing in self._seen.things])
        retitle(listing, self.TITLE)
        if listing.key != self.reader.wanted:
            self._ask()
        self._show_about(now, glyphs)

    def _show_about(self, now: float, glyphs: Glyphs) -> None:
        page = self.query_one(Document)
        if not page.size.width:
            return
        if not self._seen.things or self._seen.key is None or self._seen.key != self.listing.key:
            if not self._seen.things:
                retitle(page, "")
                page.show([])
            return  # what was asked for comes at once: until then the former stays
        title, lines = self.about(self._seen, max(20, page.size.width - 1), now, glyphs)
        retitle(page, title)
        page.show(lines)

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.query_one(Document).scroll_to(y=0, animate=False)
        self._ask()

    def _ask(self) -> None:
        self.reader.wanted = self.listing.key
        self.desk_app.feed.poke()

    def on_resize(self) -> None:
        self.call_after_refresh(self.app.call_later, self.desk_app.show_snapshot)

    @property
    def selection(self) -> Selection:
        """The thing under the cursor."""
        thing = self.listing.value
        return NOTHING if thing is None else self.selection_of(thing)
