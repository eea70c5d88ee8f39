"""The line of keys at the foot of a dialog: what its keys do; a click on one is the key itself."""

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from jobdesk.tui.actions import key_name
from jobdesk.tui.format import Span, width_of
from jobdesk.tui.widgets.lines import Painted

_GAP = "   "


class Foot(Painted):
    """Keys and their words. A key is a Textual name; one that is none (`left right`) is only read."""

    def __init__(self) -> None:
        super().__init__(id="foot")
        self._keys: tuple[tuple[str, str], ...] = ()

    def show(self, keys: Sequence[tuple[str, str]]) -> None:
        """(key, word) from left to right."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        spans: list[Span] = [(" ", "text")]
        for key, word in self._keys:
            spans += [(key_name(key), "key"), (f" {word}{_GAP}", "muted")]
        return self.paint(tuple(spans) if y == 0 else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = 1
        for key, word in self._keys:
            width = width_of(((f"{key_name(key)} {word}", ""),))
            if at <= event.x < at + width and " " not in key:
                self.app.simulate_key(key)
            at += width + len(_GAP)
