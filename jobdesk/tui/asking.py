"""Menus, help, colours, and the question that quitting asks."""

from typing import cast

from jobdesk.tui.actions import Scene, shown_key
from jobdesk.tui.host import Farewell
from jobdesk.tui.living import DeskApp
from jobdesk.tui.palette import THEMES


class Asking(DeskApp):
    """The part of the app that asks and explains."""

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
        from jobdesk.tui.screens.picker import Choice, Picker

        choices = [
            Choice(
                action.id,
                action.title,
                action.as_command(scene.selection) if action.command else "",
                shown_key(action),
                action.reason(scene),
            )
            for action in self.actions
            if (not sections or action.section in sections) and action.id not in ("actions", "palette")
        ]
        choices.sort(key=lambda choice: choice.reason is not None)

        def chosen(id_: str | None) -> None:
            if id_ is not None:
                self._perform(id_, scene)

        self.push_screen(Picker(title, choices), chosen)

    def show_help(self) -> None:
        """Every key."""
        from jobdesk.tui.screens.help import Help

        self.push_screen(Help())

    def pick_theme(self) -> None:
        """Choose the colours, seeing them at once."""
        from jobdesk.tui.screens.picker import Choice, Picker

        before, own = self.theme, {theme.name for theme in (*THEMES, *self.own_themes)}
        names = [theme.name for theme in (*self.own_themes, *THEMES)] + sorted(set(self.available_themes) - own)
        choices = [Choice(name, name, "dark" if self.available_themes[name].dark else "light") for name in names]

        def chosen(name: str | None) -> None:
            self.theme = name or before

        self.push_screen(
            Picker("Colours", choices, preview=lambda name: setattr(self, "theme", name), at=before), chosen
        )

    def pick_order(self) -> None:
        """Choose what the list of jobs is sorted by."""
        from jobdesk.ledger.sorting import KEYS
        from jobdesk.tui.screens.picker import Choice, Picker

        table = self.main.jobs.table
        choices = [Choice("", "newest first", "new jobs appear")]
        choices += [Choice(key, key, "again: the other way round" if table.order and table.order.key == key else "")
                    for key in KEYS if key != "age"]  # fmt: skip

        def chosen(key: str | None) -> None:
            if key is not None:
                table.do_sort(key or None)

        self.push_screen(Picker("Sort by", choices), chosen)

    def leave(self) -> None:
        """Quit; asks what becomes of jobs that run here."""
        running = self.host.busy
        if self.host.leaving:
            return
        if not running:
            self._go_away("stop")
            return
        from jobdesk.tui.screens.leave import Leave

        def answered(how: str | None) -> None:
            if how is not None:
                self._go_away(cast("Farewell", how))

        self.push_screen(Leave(running), answered)

    def _go_away(self, how: Farewell) -> None:
        if self.host.engine is None and not self.host.starting:
            self.exit()
            return
        from jobdesk.tui.screens.leave import Leaving

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
