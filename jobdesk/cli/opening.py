"""Opening the home for one command; imports nothing heavy until it is called."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jobdesk.desk import Desk


@contextmanager
def opened(
    args: argparse.Namespace, surface: Literal["command", "app", "api"] = "command", *, or_only_look: bool = True
) -> Iterator["Desk"]:
    """The desk of the command's home, without a consumer, closed afterwards.

    Args:
        surface: what the audit log says.
        or_only_look: where the ledger cannot be opened, as on a full disk, a command that only looks reads it all the
            same, as with --read-only; False for one that tells what is wrong with it.
    """
    from jobdesk.cli.read_only import only_looks
    from jobdesk.core.actor import Actor
    from jobdesk.core.errors import JobdeskError, LedgerError
    from jobdesk.desk import Desk

    home, actor = getattr(args, "home", None), Actor.here(surface, args.command_line)
    try:
        desk = Desk(home, read_only=getattr(args, "read_only", False), actor=actor)
    except LedgerError as error:  # on a full disk SQLite cannot even make what it reads with
        if not or_only_look or surface != "command" or not only_looks(args):
            raise
        try:
            desk = Desk(home, read_only=True, actor=actor)
        except JobdeskError:
            raise error from None
        sys.stderr.write(f"jobdesk: only looked, as with --read-only: {error}\n")
    if desk.ledger.notice is not None:
        sys.stderr.write(f"jobdesk: {desk.ledger.notice}\n")
    try:
        yield desk
    finally:
        desk.close()
