"""Who acts: the name that goes into jobs, pauses and events."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

_for: ContextVar[str | None] = ContextVar("jobdesk_user", default=None)


def user() -> str:
    """The name of whoever is acted for, else of this process's user; the number where it has no name."""
    return _for.get() or _own()


def acted_for() -> str | None:
    """The name of whoever is acted for; None: nobody but this process's user."""
    return _for.get()


@contextmanager
def acting_for(name: str | None) -> Iterator[None]:
    """Let what is done in the block be somebody else's: a server acts for those who ask it. None changes nothing."""
    if name is None:
        yield
        return
    before = _for.set(name)
    try:
        yield
    finally:
        _for.reset(before)


@cache
def _own() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
