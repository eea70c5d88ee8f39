"""What one does about drop folders: ask what they would make of a file, look at what they refused."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from jobdesk.tui.living import DeskApp
from jobdesk.tui.selection import Selection

if TYPE_CHECKING:
    from jobdesk.folders.rejected import Refused


class Dropped(DeskApp):
    """The part of the app that knows of files."""

    def test_file(self, selection: Selection) -> None:
        """What would happen to a file; it begins with the one under the cursor, or with the folder."""
        from jobdesk.tui.screens.file_test import FileTest
        from jobdesk.tui.screens.folders import Folders

        view = self.main.view
        file = view.file if isinstance(view, Folders) else None
        start = str(file) if file is not None else f"{selection.folder or self.desk.home.inbox}/"
        self.push_screen(FileTest(start))

    def show_refused(self) -> None:
        """The rejected files, and those in the quarantine."""

        def found(files: "list[Refused]") -> None:
            if not files:
                self.notify("Nothing was rejected, and nothing is in quarantine.", timeout=3)
                return
            from jobdesk.tui.screens.refused import RefusedFiles

            self.push_screen(RefusedFiles(files))

        self.aside(self.desk.refused_files, found, opens=True)

    def show_place(self, folder: Path) -> None:
        """A folder, with what the desktop has for it; without a desktop its path, to the clipboard."""
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
            self.aside(lambda: webbrowser.open(folder.as_uri()), lambda _: None)
            self.notify(f"Opened {folder}", timeout=3)
        else:
            self.copy_to_clipboard(str(folder))
            self.notify(f"Copied the path, since there is no desktop to open it: {folder}", timeout=6)
