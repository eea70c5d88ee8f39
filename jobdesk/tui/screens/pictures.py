"""Pictures of a job side by side: what it was given, and what it made."""

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from jobdesk.tui.graphics import Graphics
from jobdesk.tui.pictures import Pictures
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.picture import Picture

if TYPE_CHECKING:
    from jobdesk.tui.widgets.drawn import Drawn


class ShowPictures(Dialog[None]):
    """Left and right go through what was made, up and down through what was given; esc closes."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium")]
    BINDINGS = [
        Binding("escape,q,i", "close", show=False),
        Binding("right,l,space", "after(1)", show=False),
        Binding("left,h", "after(-1)", show=False),
        Binding("down,j", "before(1)", show=False),
        Binding("up,k", "before(-1)", show=False),
    ]

    def __init__(self, pictures: Pictures, graphics: Graphics) -> None:
        super().__init__()
        self._pictures = pictures
        self._graphics = graphics
        self._before = self._after = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            with Horizontal():
                yield self._made("Before", "before")
                yield self._made("After", "after")
            yield Foot()

    def _made(self, label: str, id_: str) -> "Picture | Drawn":
        if self._graphics.draws is None:
            return Picture(label, id=id_)
        from jobdesk.tui.widgets.drawn import Drawn

        return Drawn(label, self._graphics.draws, id=id_)

    def on_mount(self) -> None:
        retitle(self.query_one(".dialog"), "Pictures", self._graphics.said)
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        before, after = self._pictures.before, self._pictures.after
        given = before[self._before] if before else None
        made = after[self._after] if after else None
        for id_, file, empty in (
            ("before", given, "What it was given is no picture, or is not there any more."),
            ("after", made, "It has made no picture that is still there."),
        ):
            cast("Picture | Drawn", self.query_one(f"#{id_}")).show(file, empty)
        keys = [("escape", "close")]
        if len(after) > 1:
            keys.append(("left right", f"what it made, {self._after + 1} of {len(after)}"))
        if len(before) > 1:
            keys.append(("up down", f"what it was given, {self._before + 1} of {len(before)}"))
        self.query_one(Foot).show(keys)

    def action_after(self, by: int) -> None:
        if len(self._pictures.after) > 1:
            self._after = (self._after + by) % len(self._pictures.after)
            self._show()

    def action_before(self, by: int) -> None:
        if len(self._pictures.before) > 1:
            self._before = (self._before + by) % len(self._pictures.before)
            self._show()

    def action_close(self) -> None:
        self.dismiss(None)
