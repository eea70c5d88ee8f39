"""The terminal app: it wires the feed, the host and the screens, and does what actions ask."""

import os
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

os.environ.setdefault("ESCDELAY", "35")  # Textual reads it on import: esc is answered at once

from textual import events, on
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError, UnknownType
from jobdesk.core.submission import Submission
from jobdesk.desk import Desk
from jobdesk.ledger.glance import ErrorGroup
from jobdesk.tui import guard
from jobdesk.tui.actions import ACTIONS, BY_ID, MANY, Danger, Scene, shown_key
from jobdesk.tui.doing import Doer
from jobdesk.tui.feed import Feed
from jobdesk.tui.format import clock_time, home_path
from jobdesk.tui.glyphs import ASCII, UNICODE
from jobdesk.tui.host import Farewell, Host
from jobdesk.tui.lock import only_app
from jobdesk.tui.messages import Acted, Answered, HostChanged, Snapshot, SnapshotRead, Trouble
from jobdesk.tui.palette import THEMES, Palette
from jobdesk.tui.screens.folders import Folders, FoldersReader
from jobdesk.tui.screens.jobs import DRAWER_FROM, Jobs
from jobdesk.tui.screens.main import Frame, JobScreen, Main
from jobdesk.tui.screens.overview import Overview, OverviewReader, group_query
from jobdesk.tui.selection import Selection

T = TypeVar("T")


class JobdeskApp(App[None]):
    """The app of one home.

    Args:
        read_only: show, never change anything, never work.
        ascii: draw with 7-bit signs only.
    """

    TITLE = "jobdesk"
    CSS_PATH = "jobdesk.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(action.keys, f"act('{action.id}')", action.title, id=action.id, show=False) for action in ACTIONS),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]

    def __init__(self, desk: Desk, *, read_only: bool = False, ascii: bool = False) -> None:
        self.glyphs = ASCII if ascii else UNICODE
        self.palette = Palette({})
        super().__init__()
        self.animation_level = "none"
        self.desk = desk
        self.feed = Feed(desk, self.post_message)
        self.host = Host(desk, self.post_message, watch_only=read_only)
        self.doer = Doer(desk, self.post_message)
        self.guard = guard.Guard(self._leave_now, self._last_resort)
        self.snapshot = Snapshot()
        self.types: frozenset[str] | None = None
        """Job types that have a processor; None until they are known."""
        self.user_home = str(Path.home())
        self.place = home_path(str(desk.home.path), self.user_home)
        self._asides = ThreadPoolExecutor(1, "jobdesk-aside")
        self._interrupted = False
        self._watched: tuple[int, ...] = ()
        self._said_once: dict[str, str] = {}
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.feed.lens(Overview.LENS, OverviewReader(desk).read)

    # ── life ──

    def get_default_screen(self) -> Screen[None]:
        return Main()

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        for name, like in _LIKE.items():
            variables.setdefault(name, variables.get(like, variables["foreground"]))
        self.palette = Palette(variables)
        return variables

    def on_mount(self) -> None:
        if self.glyphs is ASCII:
            self.add_class("-ascii")
        if not self.is_headless:
            self.guard.watch(self._driver)
        self.call_after_refresh(self._begin)
        self.set_interval(1.0, self.show_snapshot)

    def _begin(self) -> None:
        """After the first frame: read on, work, and find out which types there are."""
        self.show_snapshot()
        self.feed.start()
        self.aside(lambda: frozenset(self.desk.registry.processors), self._know_types)

    def _know_types(self, types: frozenset[str]) -> None:
        self.types = types

    def on_unmount(self) -> None:
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
        self._look_who_works()
        self.show_snapshot()

    def _look_who_works(self) -> None:
        others = tuple(one.pid for one in self.snapshot.workers if one.pid != os.getpid())
        if self._watched and not self.snapshot.workers and not self.host.leaving:
            self.notify(f"Consumer {self._watched[0]} has ended. This app works now." if not self.host.watch_only
                        else f"Consumer {self._watched[0]} has ended.", timeout=8)  # fmt: skip
        self._watched = others
        self.host.look(self.snapshot.workers)

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
        self.notify(message.sentence, severity="warning" if message.failed else "information", timeout=4)
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

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseDown | events.MouseScrollDown | events.MouseScrollUp):
            self.feed.acting()
        await super().on_event(event)

    # ── what it shows ──

    @property
    def clock(self) -> Clock:
        return self.desk.clock

    @property
    def clock_text(self) -> str:
        return clock_time(self.clock.now())

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
        if frame is not None and frame.is_mounted:
            frame.show(self.snapshot)

    def scene_changed(self) -> None:
        """Cursor or marks moved: the line of keys and the titles may say something else."""
        frame = self.frame
        if frame is not None and frame.is_mounted:
            frame.show(self.snapshot)

    def lens_for(self, name: str, view: Widget) -> None:
        """Read what the open screen shows, and no longer what the others would."""
        readers: dict[str, Callable[[], Any]] = {}
        if isinstance(view, Overview):
            readers[Overview.LENS] = OverviewReader(self.desk).read
        elif isinstance(view, Jobs):
            readers[Jobs.TABLE_LENS] = view.table.look
        elif isinstance(view, Folders):
            readers[Folders.LENS] = FoldersReader(self.desk).read
        for lens in (Overview.LENS, Jobs.TABLE_LENS, Folders.LENS):
            self.feed.lens(lens, readers.get(lens))

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
            action.run(self, scene)
        elif id_ not in _QUIET:
            self.notify(f"{action.title}: {reason}.", severity="warning", timeout=3)

    def go(self, view: str) -> None:
        """Open a screen by its id."""
        while not isinstance(self.screen, Main):
            self.pop_screen()
        self.call_later(self.main.go, view)

    async def go_filtered(self, query: str) -> None:
        """Open the list of jobs with this filter."""
        await self.main.go("jobs")
        self.main.jobs.filter(query)
        self.main.jobs.table.focus()

    def open_filter(self) -> None:
        """Put the cursor into the filter of the list of jobs."""

        async def opened() -> None:
            await self.main.go("jobs")
            self.main.jobs.open_filter()

        while not isinstance(self.screen, Main):
            self.pop_screen()
        self.call_later(opened)

    def open(self, scene: Scene) -> None:
        """Open what is under the cursor."""
        view, focused = self.main.view, self.screen.focused
        if isinstance(view, Jobs):
            self._open_job(view)
            return
        value = getattr(focused, "value", None)
        if value == "rejected":
            self.go("folders")
            return
        if isinstance(value, ErrorGroup):
            self.call_later(self.go_filtered, group_query(value))
        elif isinstance(value, dict) and value.get("job"):
            self.push_screen(JobScreen(value["job"]))
        elif scene.selection.one is not None:
            self.push_screen(JobScreen(scene.selection.one.id))
        elif scene.selection.queue is not None:
            self.call_later(self.go_filtered, f"queue:{scene.selection.queue}")

    def _open_job(self, jobs: Jobs) -> None:
        line = jobs.table.current
        if line is None:
            return
        if self.size.width < DRAWER_FROM:
            self.push_screen(JobScreen(line.id))
        elif jobs.drawer_open:
            jobs.drawer.query_one("Document").focus()
        else:
            jobs.open_drawer(line.id)

    def back(self, scene: Scene) -> None:
        """One step back: a job's screen, a range, the drawer, the marks, the filter."""
        if scene.view == "job":
            self.pop_screen()
            self.show_snapshot()
            return
        jobs = self.main.jobs
        table = jobs.table
        if table.marks.range_from is not None:
            table.marks.range_from = None
            table.refresh()
        elif jobs.drawer_open:
            jobs.close_drawer()
        elif table.marks.any:
            table.do_clear()
        else:
            jobs.filter("")
        self.scene_changed()

    def table(self, what: str) -> None:
        """Marking and following, in the list of jobs."""
        table = self.main.jobs.table
        {"mark": table.do_mark, "follow": table.do_follow, "range": table.do_range, "all": table.do_all,
         "clear": table.do_clear}[what]()  # fmt: skip

    def apply(self, verb: str, selection: Selection) -> None:
        """Retry, cancel or delete; asks first as much as the harm is."""
        action = BY_ID[verb]
        many = selection.query is not None or len(selection.jobs) > MANY
        if action.danger is Danger.NONE and not (many and selection.count > 1):
            self.doer.each(verb, selection)
            self._acted_on(selection)
            return
        from jobdesk.tui.screens.confirm import Confirm  # noqa: PLC0415

        count = selection.count if selection.query is not None else len(selection.jobs)
        typed = str(count) if count > MANY or (action.danger is Danger.LOSES and selection.query is not None) else ""
        said = [f"{action.title.split(',')[0]} {selection.words}?"]
        if selection.query:
            said.append(f"All that match {selection.query}")
        elif selection.query is not None:
            said.append("These are all jobs of this desk.")
        if verb == "delete":
            said.append("Its history goes too. This cannot be taken back." if count == 1
                        else "Their history goes too. This cannot be taken back.")  # fmt: skip
        said.extend(f"  {job.type} {job.subject}" for job in selection.jobs[:5] if len(selection.jobs) > 1)
        if len(selection.jobs) > 5:
            said.append(f"  and {len(selection.jobs) - 5:,} more")

        def answered(yes: bool | None) -> None:
            if yes:
                self.doer.each(verb, selection)
                self._acted_on(selection)

        self.push_screen(Confirm(action.title.split(",")[0], said, yes=verb, typed=typed), answered)

    def _acted_on(self, selection: Selection) -> None:
        if selection.marked:
            self.main.jobs.table.do_clear()

    def toggle_pause(self, selection: Selection) -> None:
        """Pause the queue, or let it go on."""
        queue = selection.queue
        assert queue is not None

        def toggle() -> str:
            if selection.paused:
                self.desk.resume(queue)
                return f"Resumed {queue}"
            self.desk.pause(queue)
            return f"Paused {queue}: what runs goes on, nothing new starts"

        self.doer.do(toggle)

    def new_job(self) -> None:
        """Choose a type, then fill in its form."""
        self.aside(lambda: self.desk.registry, self._choose_type)

    def _choose_type(self, registry: Any) -> None:
        from jobdesk.tui.screens.new_job import NewJob  # noqa: PLC0415
        from jobdesk.tui.screens.picker import Choice, Picker  # noqa: PLC0415

        choices = [Choice(type_, type_, one.summary) for type_, one in sorted(registry.processors.items())]
        choices += [Choice(one.name, one.name, reason=one.error) for one in registry.broken]

        def chosen(type_: str | None) -> None:
            if type_ is not None:
                self.push_screen(NewJob(registry.processors[type_]))

        self.push_screen(Picker("New job: which type?", choices, hint="type to narrow"), chosen)

    def submit(self, wanted: Submission) -> None:
        """Store a job."""

        def store() -> str:
            job = self.desk.submit(wanted.type, wanted.data, priority=wanted.priority, delay=wanted.delay)
            return f"Submitted {job.type} {job.id[-8:].lower()}"

        self.doer.do(store)

    def copy_ids(self, selection: Selection) -> None:
        """The ids, to the clipboard."""
        self._copy(
            "\n".join(job.id for job in selection.jobs), selection.jobs[0].id if selection.one else selection.words
        )

    def copy_command(self, selection: Selection) -> None:
        """The command that shows the job, to the clipboard."""
        command = BY_ID["open"].as_command(selection)
        self._copy(command, command)

    def _copy(self, text: str, said: str) -> None:
        if os.environ.get("TMUX"):
            done = subprocess.run(
                ["tmux", "load-buffer", "-w", "-"], input=text.encode(), capture_output=True, check=False
            )
            if done.returncode == 0:
                self.notify(f"Copied to tmux: {said}", timeout=3)
                return
        self.copy_to_clipboard(text)
        self.notify(f"Copied: {said}", timeout=3)

    def open_artifact(self, selection: Selection) -> None:
        """Show the first file that the job made, with what the desktop has for it."""
        assert selection.one is not None
        id_ = selection.one.id
        self.feed.ask(lambda: self.desk.job(id_).artifacts, self._open_files)

    def _open_files(self, files: Any) -> None:
        if not files:
            self.notify("This job made no file that it wants shown.", severity="warning", timeout=3)
        elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
            self.aside(lambda: webbrowser.open(Path(files[0].path).as_uri()), lambda _: None)
            self.notify(f"Opened {files[0].path}", timeout=3)
        else:
            self.copy_to_clipboard(files[0].path)
            self.notify(f"Copied the path, since there is no desktop to open it: {files[0].path}", timeout=6)

    def show_actions(self, scene: Scene) -> None:
        """What can be done with what is chosen, and why the rest cannot."""
        self._pick_action(
            f"Actions: {scene.selection.words}" if scene.selection.has_jobs else "Actions",
            scene,
            ("Act", "Take out", "Mark"),
        )

    def show_palette(self) -> None:
        """Every action by its name."""
        frame = self.frame
        if frame is not None:
            self._pick_action("Commands", frame.scene, ())

    def _pick_action(self, title: str, scene: Scene, sections: tuple[str, ...]) -> None:
        from jobdesk.tui.screens.picker import Choice, Picker  # noqa: PLC0415

        choices = [
            Choice(action.id, action.title, action.as_command(scene.selection) if action.command else "", shown_key(action), action.reason(scene))
            for action in ACTIONS
            if (not sections or action.section in sections) and action.id not in ("actions", "palette")
        ]  # fmt: skip
        choices.sort(key=lambda choice: choice.reason is not None)

        def chosen(id_: str | None) -> None:
            if id_ is not None:
                self._perform(id_, scene)

        self.push_screen(Picker(title, choices), chosen)

    def show_help(self) -> None:
        """Every key."""
        from jobdesk.tui.screens.help import Help  # noqa: PLC0415

        self.push_screen(Help())

    def pick_theme(self) -> None:
        """Choose the colours, seeing them at once."""
        from jobdesk.tui.screens.picker import Choice, Picker  # noqa: PLC0415

        before, own = self.theme, {theme.name for theme in THEMES}
        names = [theme.name for theme in THEMES] + sorted(set(self.available_themes) - own)
        choices = [Choice(name, name, "dark" if self.available_themes[name].dark else "light") for name in names]

        def chosen(name: str | None) -> None:
            self.theme = name or before

        self.push_screen(
            Picker("Colours", choices, preview=lambda name: setattr(self, "theme", name), at=before), chosen
        )

    def leave(self) -> None:
        """Quit; asks what becomes of jobs that run here."""
        running = self.host.busy
        if self.host.leaving:
            return
        if not running:
            self._go_away("stop")
            return
        from jobdesk.tui.screens.leave import Leave  # noqa: PLC0415

        def answered(how: str | None) -> None:
            if how is not None and how != "stay":
                self._go_away(how)  # type: ignore[arg-type]

        self.push_screen(Leave(running), answered)

    def _go_away(self, how: Farewell) -> None:
        if self.host.engine is None and not self.host.starting:
            self.exit()
            return
        from jobdesk.tui.screens.leave import Leaving  # noqa: PLC0415

        screen = Leaving(how)
        self.push_screen(screen)
        self.set_interval(0.5, lambda: screen.tell(self.host.busy) if screen.is_mounted else None)
        self.host.leave(how)

    def action_interrupt(self) -> None:
        """ctrl+c: the second within two seconds quits."""
        if self._interrupted:
            self.leave()
            return
        self._interrupted = True
        self.set_timer(2.0, self._forget_interrupt)
        self.notify("Press ctrl+c again to quit, or q.", timeout=2)

    def _forget_interrupt(self) -> None:
        self._interrupted = False

    def aside(self, work: Callable[[], T], deliver: Callable[[T], None]) -> None:
        """Run something slow on a thread that is not the database's, then `deliver` its answer on the screen's."""

        def guarded() -> None:
            try:
                self.post_message(Answered(deliver, work()))
            except (JobdeskError, UnknownType) as error:
                self.post_message(Trouble(str(error)))

        self._asides.submit(guarded)


_LIKE = {
    "edge": "panel-lighten-2", "faint": "panel-lighten-3", "muted": "foreground-darken-3",
    "cursor": "primary-muted", "cursor-blurred": "panel",
}  # fmt: skip
_QUIET = frozenset({"back", "open"})


def run_app(
    desk: Desk, *, read_only: bool = False, mouse: bool = True, fps: int | None = None, ascii: bool = False
) -> int:
    """Open the app and stay until it is closed; the exit code.

    Args:
        mouse: False leaves the mouse to the terminal.
        fps: frames a second at the most.

    Raises:
        HomeError: another app is open on this home.
    """
    if fps:
        import textual.screen  # noqa: PLC0415

        textual.screen.UPDATE_PERIOD = 1 / max(1, fps)  # type: ignore[misc]
    if read_only:
        return _run(JobdeskApp(desk, read_only=True, ascii=ascii), mouse)
    with only_app(desk.home):
        return _run(JobdeskApp(desk, ascii=ascii), mouse)


def _run(app: JobdeskApp, mouse: bool) -> int:
    app.snapshot = app.feed.read(rates=False)
    app.run(mouse=mouse)
    app.guard.done()
    if app.guard.code is not None:
        app.host.farewell(app.host.leaving or "stop")
        return app.guard.code
    return app.return_code or 0
