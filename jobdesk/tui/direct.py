"""Textual's app with some ways made shorter: of a key to what it does, and of the style sheet to the screen."""

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import App
from textual.driver import Driver

from jobdesk.tui.widgets.lines import Painted

if TYPE_CHECKING:  # not loaded before it is opened
    from jobdesk.tui.widgets.field import Quick


class Direct(App[None]):
    """Keys act at once where nobody could want them as text; the style sheet is read anew for other colours only."""

    full_screens: tuple[type, ...] = ()
    """Screens without anybody who asks for keys on their way."""
    _drawn_with: dict[str, str] | None = None
    """Colours of the style sheet."""
    _letters: "tuple[Quick, str] | None" = None
    """Typed, and not put into their field yet."""

    def get_driver_class(self) -> type[Driver]:
        """Its own in a terminal; a browser has another."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from jobdesk.tui.terminal import Terminal

        return Terminal

    def style_now(self) -> None:
        """Take the colours as they are chosen by now; Textual has read those of its own theme before."""
        self._drawn_with = self.get_css_variables()
        self.stylesheet.set_variables(self._drawn_with)

    def refresh_css(self, animate: bool = True) -> None:
        """Read the style sheet anew; Textual asks for it at each start too, where nothing has changed."""
        variables = self.get_css_variables()
        if variables != self._drawn_with:
            self._drawn_with = variables
            super().refresh_css(animate)

    async def on_event(self, event: events.Event) -> None:
        focused = self.focused if isinstance(event, events.Key) and not event.is_forwarded else None
        if isinstance(event, events.Key) and hasattr(focused, "put_in") and event.is_printable:
            self._type(cast("Quick", focused), event.character or "")
            return
        self._put_in()
        if (
            isinstance(event, events.Key)
            and isinstance(focused, Painted)
            and isinstance(self.screen, self.full_screens)
        ):
            self.app_focus = True
            await self._press(event, focused)
        else:
            await super().on_event(event)

    def _type(self, field: "Quick", letter: str) -> None:
        """Put the letter in together with those that are there already behind it."""
        self.app_focus = True
        if self._letters is None:
            self.call_later(self._put_in)
        elif self._letters[0] is not field:
            self._put_in()
        self._letters = field, (self._letters[1] if self._letters else "") + letter

    def _put_in(self) -> None:
        if self._letters is not None:
            field, letters = self._letters
            self._letters = None
            field.put_in(letters)

    async def _press(self, event: events.Key, focused: Painted) -> None:
        """Do what Textual does when a key has gone through the queues of all that is around the focus, one by one.

        All keys go this way while one of them does, so that none overtakes another. Keys that only the focus knows come
        first: to gather those of the whole app takes longer than most of them do.
        """
        for binding in focused.bindings_of(event.key):
            if await self.run_action(binding.action, focused):
                return
        if event.key == "escape":
            self.screen.clear_selection()
        if not await self._check_bindings(event.key, priority=True):
            await self._on_key(event)
