"""Keys that are typed ahead wait for what they are meant for: `/` and a word at once is a filter, not nine commands."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.screen import Screen

from jobdesk.tui.direct import Direct


class Ahead(Direct):
    """An app that holds keys while a screen, a dialog or a field is being opened, and then gives them on in order."""

    patience_s = 1.0
    """What takes longer to open than this is not waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._openings = 0
        self._held: deque[events.Key] = deque()

    def open_with(self, work: Callable[[], Awaitable[object]]) -> None:
        """Run this, which opens something, after what is due now; keys wait for it."""
        opened = self.opening()

        async def run() -> None:
            try:
                await work()
            finally:
                opened()

        self.call_later(run)

    def push_screen(self, screen: Any, *args: Any, **more: Any) -> Any:  # the overloads of Textual's own hold
        """As Textual does; keys wait until it is there."""
        answer = super().push_screen(screen, *args, **more)
        if isinstance(screen, Screen):
            screen.call_after_refresh(self.opening())
        return answer

    def opening(self) -> Callable[[], None]:
        """Hold keys until the answer is called; after `patience_s` they go on anyway."""
        self._openings += 1
        over = False

        def opened() -> None:
            nonlocal over
            if not over:
                over = True
                self._openings -= 1
                self.call_later(self._go_on)  # behind the focus, which is given in the same way

        self.set_timer(self.patience_s, opened)
        return opened

    async def _go_on(self) -> None:
        while self._held and not self._openings:
            await super().on_event(self._held.popleft())

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and (self._openings or self._held):
            self._held.append(event)
        else:
            await super().on_event(event)
