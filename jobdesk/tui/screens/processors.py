"""The job types: a list that narrows as one types, and a page about the one under the cursor."""

from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from jobdesk.core.processor import Processor
from jobdesk.plugins import Broken, Registry
from jobdesk.sections import Config
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans
from jobdesk.tui.processor_page import broken_page, processor_page
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.screens.picker import fuzzy
from jobdesk.tui.widgets.field import Field
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.job_view import Document
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


class Processors(Dialog[None]):
    """Enter begins a new job of the type, esc closes."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium")]

    def __init__(self, registry: Registry, config: Config) -> None:
        super().__init__()
        self._registry = registry
        self._config = config

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            yield Field(placeholder="type to narrow")
            with Horizontal():
                yield Listing((Column("type", "", 12, grow=1),), empty="Nothing fits.", always=True)
                yield Document(focusable=True)
            yield Foot()

    def on_mount(self) -> None:
        broken = len(self._registry.broken)
        said = f", {broken} broken" if broken else ""
        self.query_one(".dialog").border_title = f"Processors: {len(self._registry.processors)} job types{said}"
        self.query_one(Foot).show([("enter", "new job"), ("tab", "to the page"), ("escape", "close")])
        self._narrow("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, wanted: str) -> None:
        known: list[Processor | Broken] = [
            *self._registry.broken,
            *(one for _, one in sorted(self._registry.processors.items())),
        ]
        scored = sorted((score, at) for at, one in enumerate(known) if (score := fuzzy(wanted, _name(one))) is not None)
        places = [at for _, at in scored] if wanted else range(len(known))
        self.query_one(Listing).show([_item(known[at]) for at in places])
        if wanted:
            self.query_one(Listing).action_move(-len(known))
        self._show()

    @on(Listing.Moved)
    def _show(self) -> None:
        page, thing = self.query_one(Document), self.query_one(Listing).value
        width = max(20, page.size.width - 2)
        lines: list[Spans] = []
        if isinstance(thing, Broken):
            lines = broken_page(thing, width)
        elif isinstance(thing, Processor):
            lines = processor_page(thing, self._registry.sources[thing.type], self._config, width)
        page.show(lines)
        page.scroll_to(y=0, animate=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @on(Input.Submitted)
    @on(Listing.Opened)
    def _chosen(self) -> None:
        thing = self.query_one(Listing).value
        if not isinstance(thing, Processor):
            return
        if self.desk_app.host.watch_only:
            self.notify("New job: this app is read-only.", severity="warning", timeout=3)
            return
        from jobdesk.tui.screens.forms import NewJob

        app = self.desk_app
        self.dismiss(None)
        app.push_screen(NewJob(thing))

    def on_key(self, event: events.Key) -> None:
        listing = self.query_one(Listing)
        typing = isinstance(self.focused, Input)
        if event.key == "escape":
            self.dismiss(None)
        elif typing and event.key in ("down", "up"):
            listing.action_move(1 if event.key == "down" else -1)
        elif typing and event.key in ("pagedown", "pageup"):
            page = self.query_one(Document)
            (page.action_page_down if event.key == "pagedown" else page.action_page_up)()
        else:
            return
        event.stop()
        event.prevent_default()


def _name(one: Processor | Broken) -> str:
    return one.name if isinstance(one, Broken) else one.type


def _item(one: Processor | Broken) -> Item:
    name = _name(one)
    return Item(name, one, {"type": ((f"broken: {name}", "bad"),) if isinstance(one, Broken) else ((name, "text"),)})
