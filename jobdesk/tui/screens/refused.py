"""The files that were not taken: those in `_rejected` of the drop folders, and those in the quarantine."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from jobdesk.folders.rejected import Refused
from jobdesk.tui.columns import Column
from jobdesk.tui.folder_pages import refused_page
from jobdesk.tui.format import ago, clean
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.job_view import Document
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_COLUMNS = (
    Column("where", "where", 10, rank=3),
    Column("name", "file", 14, grow=1),
    Column("reason", "reason", 13, rank=2),
    Column("ago", "", 5, rank=1, align=">"),
)


class RefusedFiles(Dialog[None]):
    """Enter copies or opens the place of a file, `r` runs its job again, esc closes."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium")]

    def __init__(self, files: Sequence[Refused]) -> None:
        super().__init__()
        self._files = files

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            with Horizontal():
                yield Listing(_COLUMNS, titles=True, empty="Nothing was rejected, and nothing is in quarantine.")
                yield Document(focusable=True)
            yield Foot()

    def on_mount(self) -> None:
        held = sum(one.quarantined for one in self._files)
        title = f"Rejected files: {len(self._files)}" + (f", {held} of them in quarantine" if held else "")
        retitle(self.query_one(".dialog"), title)
        now = self.desk_app.clock.now()
        listing = self.query_one(Listing)
        listing.show([_item(at, one, now) for at, one in enumerate(self._files)])
        listing.focus()
        self._show()

    @on(Listing.Moved)
    def _show(self) -> None:
        app, page, one = self.desk_app, self.query_one(Document), self.query_one(Listing).value
        keys = [("escape", "close")]
        if isinstance(one, Refused):
            width = max(20, page.size.width - 2)
            page.show(refused_page(one, width, app.clock.now(), app.user_home, app.glyphs))
            page.scroll_to(y=0, animate=False)
            again = [("r", "run its job again")] if self._may_run(one) else []
            keys = [("enter", "open where it lies"), *again, *keys]
        self.query_one(Foot).show(keys)

    def _may_run(self, one: Refused) -> bool:
        return one.job is not None and not one.quarantined and not self.desk_app.host.watch_only

    @on(Listing.Opened)
    def _opened(self, event: Listing.Opened) -> None:
        event.stop()
        if isinstance(event.value, Refused):
            self.desk_app.show_place(event.value.path.parent)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_key(self, event: events.Key) -> None:
        one, app = self.query_one(Listing).value, self.desk_app
        if event.key in ("escape", "q"):
            self.dismiss(None)
        elif event.key == "r" and isinstance(one, Refused) and self._may_run(one):
            job = one.job or ""
            self.dismiss(None)
            app.doer.do(lambda: f"Retried {app.desk.retry(job).type} {clean(one.name)}")
        else:
            return
        event.stop()
        event.prevent_default()


def _item(at: int, one: Refused, now: float) -> Item:
    where = ("quarantine", "warn") if one.quarantined else ("rejected", "muted")
    return Item(
        f"{at} {one.path}",
        one,
        {
            "where": (where,),
            "name": ((clean(one.name), "text"),),
            "reason": ((clean(one.reason), "bad"),),
            "ago": ((ago(one.at, now), "muted"),),
        },
    )
