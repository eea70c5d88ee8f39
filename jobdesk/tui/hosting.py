"""Whether this app works: beginning to, beside others or instead of them, and leaving the work to others."""

import os
from typing import cast

from textual import on
from textual.driver import Driver

from jobdesk.runtime import processes
from jobdesk.tui.format import count_of
from jobdesk.tui.host import Farewell
from jobdesk.tui.living import DeskApp


class Hosting(DeskApp):
    """The part of the app that takes the work over and gives it away."""

    def change_host(self) -> None:
        """Begin to work, or stop; asks how where there are several ways."""
        if self.host.starting:
            self.notify("This app is about to work.", timeout=3)
        elif self.host.engine is not None:
            self._ask_how_to_stop()
        elif self.snapshot.workers:
            self._ask_how_to_begin()
        else:
            self.host.start()

    def _ask_how_to_begin(self) -> None:
        from jobdesk.tui.screens.ways import Way, Ways

        pids = [one.pid for one in self.snapshot.workers if one.pid != os.getpid()]
        others = f"Process {' and '.join(map(str, pids))} {'works' if len(pids) == 1 else 'work'} on this home."
        ways = [Way("beside", "b", "Work beside it", "both run jobs")]
        if any(processes.is_headless(pid) for pid in pids):
            ways.append(Way("instead", "t", "Take over", "the consumer is told to end in order"))
        else:
            others += " It is an app or a program: where it is to end, end it there."

        def chosen(how: str | None) -> None:
            if how is not None:
                self.host.start(instead=how == "instead")

        self.push_screen(Ways("Work in this app", others, ways, stay="only watch"), chosen)

    def _ask_how_to_stop(self) -> None:
        from jobdesk.tui.screens.ways import Way, Ways

        running = count_of(self.host.busy, "job runs", "jobs run") if self.host.busy else "Nothing runs"
        ways = [
            Way("finish", "f", "Finish, then only watch", "nothing new begins here"),
            Way("hand over", "b", "Hand over to the background", "a consumer without a screen"),
            Way("stop", "s", "Stop now", "what runs returns to its queue"),
        ]
        if self.host.retiring:  # it is finishing
            ways = ways[-1:]

        def chosen(how: str | None) -> None:
            if self.host.retiring and how is not None:
                self.host.hurry()
            elif how is not None:
                self.host.retire(cast("Farewell", how))

        said = f"{running} in this app. It stays open, and works again when {self._key('host')} is pressed."
        self.push_screen(Ways("Work no longer in this app", said, ways, stay="go on working"), chosen)

    @on(Driver.SignalResume)
    def _draw_again(self) -> None:
        """After the shell had the terminal: nothing of what was drawn is there any more."""
        self.refresh(layout=True)

    def action_suspend_process(self) -> None:
        """Back to the shell, if there is one."""
        if self._driver is None or not self._driver.can_suspend:
            self.notify("There is no shell to go back to: this app runs in a browser.", severity="warning", timeout=4)
        elif os.getpgrp() == os.getsid(0):
            self.notify(
                "There is no shell to go back to: this terminal was opened for the app.", severity="warning", timeout=4
            )
        else:
            super().action_suspend_process()
