"""Who acts on a desk, as the audit log tells it: a person, at a terminal, by a command, the app or a program."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jobdesk.core.masks import masked_words
from jobdesk.core.who import user

Surface = Literal["command", "app", "api", "file"]
"""By which way: a command line, the terminal app, a program that uses or asks `Desk`, or an edit of jobdesk.toml."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who it is; given to `Desk` by whoever opens it.

    Args:
        command: the command line, secrets masked; None for programs.
        terminal: its device, like /dev/pts/3; None where there is none.
    """

    user: str
    surface: Surface
    command: str | None
    terminal: str | None
    pid: int
    host: str

    @classmethod
    def here(cls, surface: Surface, words: Sequence[str] | None = None) -> "Actor":
        """This process's user, by that way; `words` are those of its command line, after the program's name."""
        command = None if words is None else f"jobdesk {masked_words(words)}".rstrip()
        return cls(user(), surface, command, _terminal(), os.getpid(), os.uname().nodename)


def _terminal() -> str | None:
    for stream in (0, 2, 1):
        try:
            return os.ttyname(stream)
        except OSError:
            continue
    return None
