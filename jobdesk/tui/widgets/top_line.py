"""The two lines on top: which home and who works, and the tabs."""

from textual import events
from textual.strip import Strip

from jobdesk.tui.format import Span, fit_path, width_of
from jobdesk.tui.widgets.lines import Painted


class TopLine(Painted):
    """Home, who works, how busy, how fast; a click on the alerts opens them. What matters least gives way first."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[tuple[int, Span], ...] = ()
        self._place = ""
        self._clock = ""
        self._alerts = range(0)
        """The cells that say how many alerts there are."""

    def show(self, place: str, parts: tuple[tuple[int, Span], ...], clock: str) -> None:
        """`parts` is (rank, span) from left to right; a higher rank is dropped sooner."""
        if (place, parts, clock) != (self._place, self._parts, self._clock):
            self._place, self._parts, self._clock = place, parts, clock
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if width < 40:
            return self.paint(tuple(span for _, span in self._parts[:1]), width)
        parts = list(self._parts)
        while parts and 12 + _wide(parts) + len(self._clock) + 12 > width:
            parts.remove(max(parts, key=lambda part: part[0]))
        room = width - 12 - _wide(parts) - len(self._clock) - 4
        place = fit_path(self._place, max(0, room), self.glyphs.more) if room > 8 else ""
        left: list[Span] = [(" jobdesk", "strong"), (f"  {place}   " if place else "   ", "muted")]
        self._alerts = range(0)
        for _, span in parts:
            if span[0].startswith(self.glyphs.alert):
                begin = width_of(tuple(left))
                self._alerts = range(begin, begin + width_of((span,)))
            left.extend([span, ("   ", "text")])
        pad = width - width_of(tuple(left)) - len(self._clock) - 1
        return self.paint((*left, (" " * max(0, pad), "text"), (self._clock, "muted"), (" ", "text")), width)

    def on_click(self, event: events.Click) -> None:
        if event.x in self._alerts:
            event.stop()  # above it would be a click beside the dialog that it opens
            self.desk_app.do("alerts")


def _wide(parts: list[tuple[int, Span]]) -> int:
    return sum(width_of((span,)) + 3 for _, span in parts)


class TabLine(Painted):
    """The screens by number; a click goes there."""

    def __init__(self, tabs: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._tabs = tabs
        self._open = tabs[0][0]
        self._counts: dict[str, Span] = {}

    def show(self, open_: str, counts: dict[str, Span]) -> None:
        """The open tab's id, and a number to show behind a name."""
        if (open_, counts) != (self._open, self._counts):
            self._open, self._counts = open_, counts
            self.refresh()

    def _pieces(self) -> list[tuple[str, list[Span]]]:
        """As much of each as there is room for: the gaps give way first, then long names, then all but the open one."""
        for gap, words in ((3, 9), (1, 9), (1, 1), (0, 1)):
            pieces = [self._piece(at, id_, name, gap, words) for at, (id_, name) in enumerate(self._tabs, 1)]
            if sum(width_of(tuple(spans)) for _, spans in pieces) <= self.size.width + gap:
                return pieces
        return [self._piece(at, id_, name, 0, id_ == self._open) for at, (id_, name) in enumerate(self._tabs, 1)]

    def _piece(self, at: int, id_: str, name: str, gap: int, words: int) -> tuple[str, list[Span]]:
        on = id_ == self._open
        said = " ".join(name.split()[:words])
        spans: list[Span] = [(f" {at} ", "key" if on else "muted"), (said, "strong" if on else "muted")]
        if words and id_ in self._counts:
            text, tone = self._counts[id_]
            spans.append((f" {text}", tone))
        spans.append((" " * gap, "text"))
        return id_, spans

    def render_line(self, y: int) -> Strip:
        spans = tuple(span for _, piece in self._pieces() for span in piece)
        return self.paint(spans if y == 0 else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = 0
        for id_, spans in self._pieces():
            width = width_of(tuple(spans))
            if at <= event.x < at + width:
                self.desk_app.go(id_)
            at += width
