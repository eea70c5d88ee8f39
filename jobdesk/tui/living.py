"""The life of the app: what it owns, what threads tell it, what it draws. What can be done is in its subclasses."""

import gc
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual import events, on
from textual.app import ScreenStackError
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.theme import Theme

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError
from jobdesk.core.nearest import nearest
from jobdesk.core.speech import Word
from jobdesk.desk import Desk
from jobdesk.tui import guard, personal
from jobdesk.tui.actions import ACTIONS, BY_ID, Action, Scene, shown_key
from jobdesk.tui.ahead import Ahead
from jobdesk.tui.colourless import WithoutColour
from jobdesk.tui.doing import Doer
from jobdesk.tui.feed import Feed
from jobdesk.tui.format import clock_time, home_path
from jobdesk.tui.glyphs import ASCII, UNICODE
from jobdesk.tui.host import Host
from jobdesk.tui.messages import Acted, Answered, HostChanged, Snapshot, SnapshotRead, Trouble
from jobdesk.tui.overview_rows import OverviewReader
from jobdesk.tui.palette import ANSI, LIKE, THEMES, Palette
from jobdesk.tui.resting import Rest
from jobdesk.tui.screens.main import Frame, Main
from jobdesk.tui.screens.overview import Overview

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

T = TypeVar("T")


class DeskApp(Ahead):
    """The app of one home.

    Args:
        read_only: show, never change anything, never work.
        ascii: draw with 7-bit signs only.
        attached: work only when asked, whoever else works or does not.
    """

    full_screens = (Frame,)

    def __init__(self, desk: Desk, *, read_only: bool = False, ascii: bool = False, attached: bool = False) -> None:
        self.glyphs = ASCII if ascii else UNICODE
        self.palette = Palette({})
        super().__init__()
        if self.no_color:  # Textual would draw greys
            self._filters = [WithoutColour(lambda: self.palette.cursor)]
        self.animation_level = "none"
        self.desk = desk
        self.feed = Feed(desk, self.post_message)
        self.host = Host(desk, self.post_message, watch_only=read_only, attached=attached)
        self.doer = Doer(desk, self.post_message)
        self.guard = guard.Guard(self._leave_now, self._last_resort, self.host.parting, desk.ledger.between_writes)
        self.snapshot = Snapshot()
        self.rest = Rest(desk.clock)
        self.types: frozenset[str] | None = None
        """Job types that have a processor; None until they are known."""
        self.hears: Mapping[str, Collection[Word]] = {}
        """What can be said to running jobs of a type, as soon as the types are known."""
        self.user_home = str(Path.home())
        self.place = home_path(str(desk.home.path), self.user_home)
        self._asides = ThreadPoolExecutor(1, "jobdesk-aside")
        self._interrupted = False
        self._watched: tuple[int, ...] = ()
        self._said_once: dict[str, str] = {}
        self.actions: Sequence[Action] = ACTIONS
        """With the keys that somebody wants."""
        self.own_themes: Sequence[Theme] = ()
        self.remembered = personal.recall(desk.home.remembered)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self._wishes = self._take_wishes()
        """What is wrong with somebody's own settings, to be said when there is a screen."""
        self.style_now()
        self._lens = Overview.LENS
        """Of the open screen."""
        self.feed.lens(Overview.LENS, OverviewReader(desk, hurries=True).read)

    def _take_wishes(self) -> list[str]:
        """Take over somebody's own keys and colours; what is wrong with them."""
        self.own_themes, problems = personal.themes(self.desk.home.themes)
        for theme in self.own_themes:
            self.register_theme(theme)
        if not personal.asked_for(self.desk.home.settings):
            if self.remembered.theme in self.available_themes:
                self.theme = self.remembered.theme
            return problems
        try:
            own = self.desk.config.app
        except JobdeskError as error:  # the own consumer says it too, but this app may have none
            return [*problems, str(error)]
        self.actions, wrong = personal.remapped(ACTIONS, own.keys)
        self.set_keymap({action.id: action.keys for action in self.actions})
        problems += wrong
        wanted = own.theme or self.remembered.theme
        if wanted in self.available_themes:
            self.theme = wanted
        elif own.theme:
            problems.append(f"app.theme: there is no theme '{wanted}'{nearest(wanted, list(self.available_themes))}")
        return problems

    # ── life ──

    def get_default_screen(self) -> Screen[None]:
        main = Main()
        main.fit(self.size)
        return main

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        if self.current_theme.ansi:
            variables.update(ANSI)
        for name, like in LIKE.items():
            variables.setdefault(name, variables.get(like, variables["foreground"]))
        self.palette = Palette(variables)
        return variables

    def on_mount(self) -> None:
        if self.glyphs is ASCII:
            self.add_class("-ascii")
        if not self.is_headless:
            self.guard.watch(self._driver)
        self.call_after_refresh(self._begin)
        self.set_interval(1.0, self._tick)

    def _begin(self) -> None:
        """After the first frame: read on, work, and find out which types there are."""
        if not gc.isenabled():  # the command has put it off
            gc.freeze()  # what is there by now is looked through no more, which would hold keys up
            gc.enable()
        self._watched = self._others
        self.show_snapshot()
        self.feed.start()
        cast("JobdeskApp", self).return_to_last()
        for problem in self._wishes:
            self.notify(problem, severity="warning", timeout=8)
        self.aside(
            lambda: {type_: known.hears for type_, known in self.desk.registry.processors.items()}, self._know_types
        )

    def _tick(self) -> None:
        """Time goes on."""
        if self.rest.tick() and not self._asking:
            self.show_snapshot()

    @property
    def _asking(self) -> bool:
        """A dialog is open: what lies below it stands still. Textual would draw all of it anew for each number."""
        return isinstance(self.screen, ModalScreen)

    def _know_types(self, hears: Mapping[str, Collection[Word]]) -> None:
        self.types, self.hears = frozenset(hears), hears

    def on_unmount(self) -> None:
        if not self.host.watch_only:
            personal.remember(self.desk.home.remembered, replace(self.remembered, theme=self.theme))
        self.feed.stop()
        self.doer.close()
        self._asides.shutdown(wait=False, cancel_futures=True)

    def _leave_now(self, code: int) -> None:
        """The terminal is gone, or somebody ends the process: the rest is done when the screen is closed."""
        self.host.leaving = "hand over" if code == guard.LOST and self.host.busy else "stop"
        self.exit(return_code=code)

    def _last_resort(self, code: int) -> None:
        """The dead terminal holds up the way out: take care of the work, and go."""
        try:
            self.host.farewell(self.host.leaving or "stop")
        finally:
            guard.die(code)

    # ── what threads send ──

    @on(SnapshotRead)
    def _snapshot_read(self, message: SnapshotRead) -> None:
        self.snapshot = message.snapshot
        draw = self.rest.saw(message.snapshot)
        self._look_who_works()
        if draw and not self._asking:
            self.show_snapshot()

    @property
    def _others(self) -> tuple[int, ...]:
        return tuple(one.pid for one in self.snapshot.workers if one.pid != os.getpid())

    def _look_who_works(self) -> None:
        if self._watched and not self.snapshot.workers and not self.host.leaving:
            then = "" if self.host.watch_only else f" Nobody works now: {self._key('host')} lets this app."
            then = " This app works now." if self.host.eager else then
            self.notify(f"Consumer {self._watched[0]} has ended.{then}", timeout=8)
        self._watched = self._others
        self.host.look(self.snapshot.workers)

    def _key(self, action: str) -> str:
        return next(shown_key(one) for one in self.actions if one.id == action)

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        message.deliver(message.answer)

    @on(Trouble)
    def _trouble(self, message: Trouble) -> None:
        if message.once and self._said_once.get(message.once) == message.sentence:
            return
        self._said_once[message.once] = message.sentence
        self.notify(message.sentence, severity="error", timeout=8)

    @on(Acted)
    def _acted(self, message: Acted) -> None:
        said = f"{message.sentence}  {self.glyphs.dot}  {self._key('undo')} undoes it" if message.undoable else None
        severity: SeverityLevel = "warning" if message.failed else "information"
        self.notify(said or message.sentence, severity=severity, timeout=8 if said else 4)
        self.feed.poke()

    @on(HostChanged)
    def _host_changed(self, message: HostChanged) -> None:
        if self.host.leaving:
            self.exit(message=message.said or None)
            return
        if message.said:
            self.notify(message.said, severity="error" if message.error else "information", timeout=8)
        self.feed.poke()

    def on_app_blur(self) -> None:
        self.feed.away(True)

    def on_app_focus(self) -> None:
        self.feed.away(False)
        self.rest.moved()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseDown | events.MouseScrollDown | events.MouseScrollUp):
            if isinstance(event, events.MouseDown) or (isinstance(event, events.Key) and event.key not in _MOVES):
                self.feed.acting()
            self.rest.moved()
        await super().on_event(event)

    def on_click(self, event: events.Click) -> None:
        """A click beside a dialog closes it."""
        if self._asking and self.get_widget_at(event.screen_x, event.screen_y)[0] is self.screen:
            self.simulate_key("escape")

    # ── what it shows ──

    @property
    def clock(self) -> Clock:
        return self.desk.clock

    @property
    def clock_text(self) -> str:
        told = clock_time(self.clock.now())
        return f"at {told[:-3]}" if self.rest.now else told  # at rest: when the screen was drawn

    @property
    def hint(self) -> str:
        """What to do on an empty desk."""
        inbox = home_path(str(self.desk.home.inbox), self.user_home)
        return f"Nothing here yet. Drop a photo into {inbox}, or press n for a new job."

    @property
    def frame(self) -> Frame | None:
        """The full screen on top, below any dialog."""
        try:
            return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Frame)), None)
        except ScreenStackError:
            return None

    @property
    def main(self) -> Main:
        """The screen with the tabs."""
        return next(screen for screen in self.screen_stack if isinstance(screen, Main))

    def show_snapshot(self) -> None:
        """Draw what is known by now; what has not changed is not repainted."""
        frame = self.frame
        if frame is not None and frame.is_mounted and not self._exit:
            frame.show(self.snapshot)

    def scene_changed(self) -> None:
        """Cursor or marks moved: the line of keys may say something else."""
        frame = self.frame
        if frame is not None and frame.is_mounted and not self._exit:
            frame.scene_changed()

    def look_through(self, lens: str, read: Callable[[], Any]) -> None:
        """Read what the open screen shows, and no longer what the one before did."""
        if self._lens != lens:
            self.feed.lens(self._lens, None)
        self._lens = lens
        self.feed.lens(lens, read)

    # ── actions ──

    def action_act(self, id_: str) -> None:
        self.do(id_)

    def do(self, id_: str) -> None:
        """Do an action here and now, or say why not."""
        frame = self.frame
        if frame is not None:
            self._perform(id_, frame.scene)

    def _perform(self, id_: str, scene: Scene) -> None:
        action = BY_ID[id_]
        reason = action.reason(scene)
        if reason is None:
            action.run(cast("JobdeskApp", self), scene)
        elif id_ not in _QUIET:
            self.notify(f"{action.title}: {reason}.", severity="warning", timeout=3)

    def aside(self, work: Callable[[], T], deliver: Callable[[T], None], *, opens: bool = False) -> None:
        """Run something slow on a thread that is not the database's, then `deliver` its answer on the screen's.

        Args:
            opens: that opens a dialog, for which keys wait.
        """
        opened = self.opening() if opens else None

        def delivered(answer: T) -> None:
            deliver(answer)
            if opened is not None:
                opened()

        def guarded() -> None:
            try:
                self.post_message(Answered(delivered, work()))
            except JobdeskError as error:
                self.post_message(Trouble(str(error)))

        self._asides.submit(guarded)


_QUIET = frozenset({"back", "open"})
_MOVES = frozenset({"up", "down", "j", "k", "pageup", "pagedown", "home", "end"})
"""Keys after which nothing on the desk is any different."""
