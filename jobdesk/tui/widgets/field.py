"""A field to type in, and a box to tick. No cursor blinks: at rest nothing goes to the terminal."""

from dataclasses import dataclass
from typing import Any

from textual import events, on
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widgets import Checkbox, Input


class Field(Input):
    """An input as this app wants it."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """As that of `Input`, but a letter that is typed does not lay the whole screen out anew."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_blink = False

    @on(events.Key)
    async def _act(self, event: events.Key) -> None:
        """Act here and now: on its way to the app, where Textual acts, letters typed right behind it overtake a key."""
        if event.is_printable:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return


class Quick(Field):
    """A field into which letters that come at once are put at once: each costs as much as all of them."""

    @dataclass
    class Letters(Message):
        """Some were typed; behind the keys that came before them."""

        text: str

    def put_in(self, text: str) -> None:
        """Put letters where the cursor is then, in place of what is selected."""
        self.post_message(self.Letters(text))

    def on_quick_letters(self, message: Letters) -> None:
        message.stop()
        self.replace(message.text, *self.selection)


class Tick(Checkbox):
    """A box that is told from its sign, not only its colour, and in 7-bit signs."""

    BUTTON_LEFT, BUTTON_INNER, BUTTON_RIGHT = "", "[ ]", ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sign()

    def watch_value(self) -> None:
        self._sign()
        super().watch_value()

    def _sign(self) -> None:
        self.BUTTON_INNER = "[x]" if self.value else "[ ]"
