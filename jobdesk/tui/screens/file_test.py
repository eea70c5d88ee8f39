"""What would happen to a file if it were dropped: each folder's answer, rule by rule, as its path is typed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widgets import Input

from jobdesk.folders.explain import Explanation
from jobdesk.folders.rules import FolderRule
from jobdesk.tui.folder_pages import explained
from jobdesk.tui.format import Spans
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.job_view import Document

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_TYPING_S = 0.15
_MOST_NAMES = 2_000
"""Entries of a folder that are looked through for a completion."""


class _Paths(Suggester):
    """Offers the rest of a name; → takes it."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        folder, _, start = value.rpartition("/")
        if not start or not folder:
            return None
        try:
            with os.scandir(Path(folder or "/").expanduser()) as entries:
                names = [entry.name for _, entry in zip(range(_MOST_NAMES), entries, strict=False)]
        except OSError:
            return None
        fits = sorted(name for name in names if name.startswith(start))
        return f"{folder}/{fits[0]}" if fits else None


class FileTest(Dialog[None]):
    """Nothing is changed; esc closes.

    Args:
        start: what stands in the field at first: a file, or a folder to go on from.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium")]

    def __init__(self, start: str) -> None:
        super().__init__()
        self._start = start
        self._asked = 0
        self._typing: Timer | None = None
        self._found: Sequence[tuple[FolderRule, Explanation]] = ()

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            yield Field(self._start, placeholder="the path of a file", suggester=_Paths(), select_on_focus=False)
            yield Document(focusable=True)
            yield Foot()

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = "What would happen to a file"
        self.query_one(Foot).show([("right", "take the suggestion"), ("tab", "to the answer"), ("escape", "close")])
        self.query_one(Input).cursor_position = len(self._start)
        self._ask()

    @on(Input.Changed)
    def _typed(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_S, self._ask)

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one(Document).focus()

    def _ask(self) -> None:
        text = self.query_one(Input).value.strip()
        self._asked += 1
        asked = self._asked
        if not text or text.endswith("/"):
            self._found = ()
            self._say((("Type the path of a file, or one that is not there yet.", "muted"),))
            return
        file = Path(text).expanduser().absolute()

        def answered(found: Sequence[tuple[FolderRule, Explanation]]) -> None:
            if asked == self._asked and self.is_attached:
                self._found = found
                self._show()

        self.desk_app.aside(lambda: self.desk_app.desk.explain_file(file), answered)

    def _show(self) -> None:
        page = self.query_one(Document)
        lines = explained(self._found, max(20, page.size.width - 2), self.desk_app.glyphs)
        page.show(lines or [(("There is no drop folder.", "muted"),)])
        page.scroll_to(y=0, animate=False)

    def _say(self, line: Spans) -> None:
        self.query_one(Document).show([line])

    def on_resize(self) -> None:
        if self._found:
            self.call_after_refresh(self._show)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
