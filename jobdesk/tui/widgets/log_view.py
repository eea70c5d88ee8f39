"""The log of a job: a window into any number of lines, of which only those are read and drawn that are seen.

A place in it is a line and a row of that line, since lines are wrapped. While one stands at the end it is followed.
"""

import re

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from jobdesk.core.events import Event
from jobdesk.tui.finding import Finding
from jobdesk.tui.format import Spans, number
from jobdesk.tui.log_known import KnownLines
from jobdesk.tui.log_lines import TIMES, LogLook, rows, widest
from jobdesk.tui.log_pages import Found, LogReader, LogState
from jobdesk.tui.widgets.lines import Painted

_LAID_KEPT = 2000
_STEP = 8


class LogView(Painted, can_focus=True):
    """The page Log of an open job."""

    BINDINGS = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,ctrl+f", "leaf(1)", show=False),
        Binding("pageup,ctrl+b", "leaf(-1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("n", "next(1)", show=False),
        Binding("N", "next(-1)", show=False),
        Binding("escape", "forget", show=False),
        Binding("right,l", "pan(1)", show=False),
        Binding("left,h", "pan(-1)", show=False),
    ]

    class Moved(Message):
        """Other lines are seen, or more is known of what is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.following = True
        self._moving = False
        """It is about to be drawn where it has got to."""
        self._known: KnownLines | None = None
        self._place = (0, 0)
        self._left = 0
        self._wrapped = True
        self._times = TIMES[0]
        self._since = 0.0
        self._empty = ""
        self._drawn: list[Spans] = []
        self._last_seen = -1
        self._bar_drawn = range(0)
        self._laid: dict[tuple[int, str, LogLook], list[Spans]] = {}
        self.finding: Finding | None = None

    # ── what it shows ──

    def open(self, reader: LogReader) -> None:
        """Show the log of another job."""
        self._known = KnownLines(reader, self.desk_app.feed.ask, self.draw)
        self._place, self._left = (0, 0), 0
        self.following, self.finding = True, None

    def take(self, state: LogState, since: float, empty: str) -> None:
        """The log as a look found it."""
        if self._known is None:
            return
        top = None if self.following else self._line(self._place[0])
        self._since, self._empty = since, empty
        if self._known.take(state) and top is not None and state.ready:
            self._go_to(top.id, keep=True)
        if self.finding is not None and self.finding.idle and state.tail and state.tail[-1].id > self.finding.upto:
            self._search()
        self.draw()

    @property
    def _state(self) -> LogState:
        return LogState() if self._known is None else self._known.state

    def _line(self, at: int) -> Event | None:
        return None if self._known is None else self._known.line(at)

    @property
    def _look(self) -> LogLook:
        wanted = self.finding
        return LogLook(
            max(20, self.size.width - 1), self._wrapped, self._times, self._since, self._left,
            wanted.pattern if wanted else None, wanted.at if wanted else 0,
        )  # fmt: skip

    def _lines(self, at: int) -> list[Spans]:
        """The rows of one line; of one that is not read yet a sign that it is there."""
        event = self._line(at)
        if event is None:
            return [((self.glyphs.more, "faint"),)]
        key = (event.id, str(event.data.get("message", "")), self._look)
        if key not in self._laid:
            if len(self._laid) > _LAID_KEPT:
                self._laid.clear()
            self._laid[key] = rows(event, key[2])
        return self._laid[key]

    def draw(self) -> None:
        """Lay out what is seen; rows that are equal are not repainted."""
        height = self.size.height
        if not height or not self.display or self._known is None:
            return
        end = self._end(height)
        if self.following or self._place >= end:
            self._place = end
        line, skipped = self._place
        drawn: list[Spans] = []
        while line < self._state.total and len(drawn) < height:
            drawn.extend(self._lines(line)[skipped:])
            line, skipped = line + 1, 0
        self._last_seen = line - 1
        old, self._drawn = self._drawn, drawn[:height]
        bar = self._bar(height)
        for y, spans in enumerate([*self._drawn, *[()] * (height - len(self._drawn))]):
            if y >= len(old) or old[y] != spans or bar != self._bar_drawn:
                self.refresh_line(y)
        self._bar_drawn = bar
        if len(old) > len(self._drawn):
            self.refresh()
        self.post_message(self.Moved())

    def _bar(self, height: int) -> range:
        """Rows of the bar at the right that stand for what is seen."""
        total = self._state.total
        if total <= height and self._place == (0, 0):
            return range(0)
        length = max(1, min(height, height * height // max(1, total)))
        last = max(1, self._end(height)[0])
        start = round((height - length) * min(1.0, self._place[0] / last))
        return range(start, start + length)

    def _end(self, height: int) -> tuple[int, int]:
        """The place from which the last line is the lowest."""
        line, room = self._state.total, height
        while line > 0:
            line -= 1
            room -= len(self._lines(line))
            if room <= 0:
                return line, -room
        return 0, 0

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._state.total:
            return self.paint(((self._empty, "muted"),) if y == 0 else (), width)
        line = self.paint(self._drawn[y] if y < len(self._drawn) else (), width - 1)
        sign, tone = (self.glyphs.full, "faint") if y in self._bar_drawn else (" ", "text")
        return self.beside(line, self.paint(((sign, tone),), 1))

    def on_resize(self) -> None:
        self.draw()

    @property
    def note(self) -> str:
        """What is looked for, and how many lines there are below."""
        dot, said = f" {self.glyphs.dot} ", []
        if self.finding is not None:
            said.append(self.finding.said)
        hidden = self._state.total - 1 - self._last_seen
        if not self.following and hidden > 0:
            said.append(f"+{number(hidden)} line{'' if hidden == 1 else 's'}, f follows")
        elif self._state.total:
            said.append(f"{number(self._state.total)} line{'' if self._state.total == 1 else 's'}"
                        if self._state.ready else "counting")  # fmt: skip
        return dot.join(said)

    # ── moving ──

    def action_move(self, by: int) -> None:
        line, row = self._place
        if by > 0 and self.following:
            return
        self.following = False
        row += by
        while row < 0 and line > 0:
            line -= 1
            row += len(self._lines(line))
        while line < self._state.total - 1 and row >= len(self._lines(line)):
            row -= len(self._lines(line))
            line += 1
        self._to((line, max(0, row)))

    def _to(self, place: tuple[int, int]) -> None:
        end = self._end(self.size.height)
        self.following = place >= end
        self._place = min(place, end)
        if not self._moving:
            self._moving = True
            self.call_later(self._arrive)  # once, however many keys came at once

    def _arrive(self) -> None:
        self._moving = False
        self.draw()

    def action_leaf(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self._to((0, 0))

    def action_last(self) -> None:
        self.following = True
        self.draw()

    def toggle_follow(self) -> None:
        """Follow, or stay here."""
        self.following = not self.following
        self.draw()

    def toggle_wrap(self) -> bool:
        """Break long lines, or let them go on to the right; whether they are broken now."""
        self._wrapped, self._left = not self._wrapped, 0
        self._place = (self._place[0], 0)
        self.draw()
        return self._wrapped

    def next_times(self) -> str:
        """The next way to tell the time of a line; its name."""
        self._times = TIMES[(TIMES.index(self._times) + 1) % len(TIMES)]
        self.draw()
        return self._times

    def action_pan(self, by: int) -> None:
        if by < 0 or self._more_right:
            self._left = max(0, self._left + by * _STEP)
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where a key has nothing to do here it goes on to others."""
        if action in ("next", "forget"):
            return self.finding is not None
        if action == "pan":
            return not self._wrapped and (parameters == (1,) or self._left > 0)
        return True

    @property
    def _more_right(self) -> bool:
        seen = [self._line(line) for line in range(self._place[0], self._last_seen + 1)]
        look = self._look
        return max((widest(one, look) for one in seen if one), default=0) > self._left + look.width - 20

    # ── finding ──

    def find(self, text: str) -> None:
        """Look for a text in all of the log, in any case; "" ends that."""
        top = self._line(self._place[0])
        self.finding = None
        if text:
            self.finding = Finding(re.compile(re.escape(text), re.IGNORECASE), 0 if top is None else top.id)
            self._search()
        self.draw()

    def _search(self) -> None:
        finding, known = self.finding, self._known
        assert finding is not None and known is not None
        finding.idle = False

        def found(part: Found) -> None:
            if finding is not self.finding:
                return
            goal = finding.take(part.ids, part.upto, part.more)
            if part.more:
                self._search()
            if goal is not None:
                self._go_to(goal)
            self.draw()

        self.desk_app.feed.ask(lambda: known.reader.search(finding.pattern, finding.upto), found)

    def action_next(self, by: int) -> None:
        if self.finding is not None:
            goal = self.finding.step(by)
            if goal is not None:
                self._go_to(goal)

    def action_forget(self) -> None:
        self.find("")

    def _go_to(self, id_: int, *, keep: bool = False) -> None:
        """Bring the line with this id into view; `keep` as the highest."""
        known = self._known
        assert known is not None

        def there(at: int) -> None:
            if known is not self._known:
                return
            if keep:
                self._place = (at, 0)
            elif not (self._place[0] < at <= self._last_seen):
                self._to((max(0, at - self.size.height // 3), 0))
            self.draw()

        self.following = False
        self.desk_app.feed.ask(lambda: known.reader.number_of(id_), there)

    # ── the mouse ──

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.x >= self.size.width - 1:
            self.capture_mouse()
            self._drag(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.app.mouse_captured is self:
            self._drag(event.y)

    def on_mouse_up(self) -> None:
        self.release_mouse()

    def _drag(self, y: int) -> None:
        height = max(1, self.size.height - 1)
        self._to((self._end(self.size.height)[0] * max(0, min(y, height)) // height, 0))
