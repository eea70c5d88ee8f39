"""A field to type in. Its cursor does not blink: at rest nothing goes to the terminal."""

from typing import Any

from textual.widgets import Input


class Field(Input):
    """An input as this app wants it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_blink = False
