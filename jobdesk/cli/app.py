"""`jobdesk` without a command: opens the terminal app."""

import gc
import os
import signal
import sys

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out, forget_streams
from jobdesk.cli.parsing import Args
from jobdesk.core.errors import UsageError


def run(args: Args, out: Out) -> int:
    """Open the app on the home; its exit code when it closes.

    Raises:
        UsageError: there is no terminal to draw on.
    """
    need_terminal(out)
    gc.disable()  # until the first frame: what is made before it stays
    with opened(args, "app") as desk:
        from jobdesk.tui.app import run_app

        code = run_app(
            desk,
            read_only=desk.read_only,
            attached=args.attach,
            mouse=not args.no_mouse,
            fps=args.fps,
            ascii=args.ascii,
        )
    if code == 128 + signal.SIGHUP:  # the terminal is gone
        forget_streams()
    return code


def need_terminal(out: Out) -> None:
    """Refuse to draw on a pipe, or where the cursor cannot be moved.

    Raises:
        UsageError: there is no terminal, or none to draw on.
    """
    if os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver"):
        return  # `jobdesk web` draws in a browser
    if out.json or not out.terminal or not sys.stdin.isatty():
        raise UsageError(
            "the app needs a terminal: use `jobdesk --consumer` to work without one, or see `jobdesk --help`"
        )
    if os.environ.get("TERM") == "dumb":
        raise UsageError(
            "the app cannot draw on a terminal of lines only (TERM=dumb): use `jobdesk watch --plain`, or set TERM"
        )
