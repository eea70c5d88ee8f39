"""Who acts: the name that goes into jobs, pauses and events."""

import getpass
import os
from functools import cache


@cache
def user() -> str:
    """The name of this process's user; the number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
