"""The terminal app, put together, and the one function that opens it."""

import sys
from typing import ClassVar

from textual.binding import Binding, BindingType

from jobdesk.desk import Desk
from jobdesk.tui.actions import ACTIONS
from jobdesk.tui.asking import Asking
from jobdesk.tui.deeds import Deeds
from jobdesk.tui.dropped import Dropped
from jobdesk.tui.hosting import Hosting
from jobdesk.tui.inside import Inside
from jobdesk.tui.lock import only_app
from jobdesk.tui.speaking import Speaking
from jobdesk.tui.taking_out import TakingOut
from jobdesk.tui.viewing import Viewing

_SWITCH_S = 0.001
"""For so long a thread of the consumer may compute while the screen waits; Python's own 5 ms are a third of a frame."""


class JobdeskApp(Viewing, Inside, TakingOut, Deeds, Speaking, Dropped, Asking, Hosting):
    """The app of one home; see `DeskApp` for its arguments."""

    TITLE = "jobdesk"
    CSS_PATH = "jobdesk.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(action.keys, f"act('{action.id}')", action.title, id=action.id, show=False) for action in ACTIONS),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]


def run_app(
    desk: Desk,
    *,
    read_only: bool = False,
    attached: bool = False,
    mouse: bool = True,
    fps: int | None = None,
    ascii: bool = False,
) -> int:
    """Open the app and stay until it is closed; the exit code.

    Args:
        attached: beside an app or a consumer that works: any number of these may be open.
        mouse: False leaves the mouse to the terminal.
        fps: frames a second at the most.

    Raises:
        HomeError: another app is open on this home.
    """
    if fps:
        import textual.screen

        textual.screen.UPDATE_PERIOD = 1 / max(1, fps)  # type: ignore[misc]
    if read_only or attached:
        return _run(JobdeskApp(desk, read_only=read_only, attached=attached, ascii=ascii), mouse)
    with only_app(desk.home):
        return _run(JobdeskApp(desk, ascii=ascii), mouse)


def _run(app: JobdeskApp, mouse: bool) -> int:
    sys.setswitchinterval(_SWITCH_S)
    app.snapshot = app.feed.read(rates=False)
    app.run(mouse=mouse)
    app.guard.done()
    if app.host.engine is not None:  # nobody was asked: the terminal is gone, a browser was closed, or the app failed
        app.host.farewell(app.host.leaving or ("hand over" if app.host.busy else "stop"))
    return app.guard.code if app.guard.code is not None else app.return_code or 0
