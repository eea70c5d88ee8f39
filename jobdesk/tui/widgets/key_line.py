"""The line of keys at the bottom: what can be done here and now, by importance, as far as there is room."""

from textual import events
from textual.strip import Strip

from jobdesk.tui.actions import Scene, key_name, shown_key
from jobdesk.tui.format import Span, width_of
from jobdesk.tui.key_words import word_and_rank
from jobdesk.tui.widgets.lines import Painted

_GAP = "  "
_TYPED = {
    "filter": (("enter", "to the list"), ("tab", "complete"), ("escape", "no filter")),
    "find": (("enter", "find"), ("escape", "leave it")),
}
"""While somebody types all other keys are letters."""


class KeyLine(Painted):
    """Keys of the actions that are possible; help always stays."""

    def __init__(self) -> None:
        super().__init__()
        self._scene: Scene | None = None
        self._pieces: list[tuple[str, tuple[Span, ...]]] = []

    def show(self, scene: Scene) -> None:
        """The keys that fit this scene."""
        if scene != self._scene:
            self._scene = scene
            if self._arranged(self.size.width) != self._pieces:
                self.refresh()

    def _arranged(self, width: int) -> list[tuple[str, tuple[Span, ...]]]:
        """The keys that fit, by action (those of a field by key)."""
        room, pieces = width - 1, list[tuple[str, tuple[Span, ...]]]()
        if self._scene is None:
            return pieces
        if self._scene.typing:
            return [(key, ((key_name(key), "key"), (f" {word}", "muted"))) for key, word in _TYPED[self._scene.typing]]
        wanted = [(*word_and_rank(action, self._scene), action) for action in self.desk_app.actions]
        for word, _, action in sorted(wanted, key=lambda one: one[1]):
            if not word or action.reason(self._scene) is not None:
                continue
            piece: tuple[Span, ...] = ((shown_key(action), "key"), (f" {word}", "muted"))
            width = width_of(piece) + len(_GAP)
            if width <= room:
                pieces.append((action.id, piece))
                room -= width
        return pieces

    def render_line(self, y: int) -> Strip:
        self._pieces = self._arranged(self.size.width)
        spans: list[Span] = [(" ", "text")]
        for _, piece in self._pieces:
            spans.extend([*piece, (_GAP, "text")])
        return self.paint(tuple(spans) if y == 0 else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        event.stop()  # above it would be a click beside the dialog that it opens
        at = 1
        for id_, piece in self._pieces:
            width = width_of(piece) + len(_GAP)
            if at <= event.x < at + width - len(_GAP):
                if self._scene is not None and self._scene.typing:
                    self.app.simulate_key(id_)
                else:
                    self.desk_app.do(id_)
            at += width
