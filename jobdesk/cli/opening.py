"""Opening the home for one command; imports nothing heavy until it is called."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jobdesk.desk import Desk


@contextmanager
def opened(args: argparse.Namespace, surface: Literal["command", "app", "api"] = "command") -> Iterator["Desk"]:
    """The desk of the command's home, without a consumer, closed afterwards; `surface` is what the audit log says."""
    from jobdesk.core.actor import Actor
    from jobdesk.desk import Desk

    desk = Desk(
        getattr(args, "home", None),
        read_only=getattr(args, "read_only", False),
        actor=Actor.here(surface, args.command_line),
    )
    if desk.ledger.migrated is not None:
        sys.stderr.write(f"jobdesk: {desk.ledger.migrated}\n")
    try:
        yield desk
    finally:
        desk.close()
