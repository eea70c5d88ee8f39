"""Textual apps to measure the terminal app beside: two of our own, and those of others that are installed."""

import shutil
import sys

from benchmarks.screen import python

LABEL = "a Textual app with one label"
TABLE = "a Textual DataTable of 10,000 rows"
ROWS = 10_000
INSTALLED = {"harlequin": (["-a", "sqlite", ":memory:"], b"Data Catalog"), "posting": ([], b"Collection")}
"""Programs with their arguments, and what stands in their first frame."""


def own(name: str) -> list[str]:
    """The command of one of our own: label or table."""
    return python("-m", "benchmarks.terminal_peers", name)


def installed() -> dict[str, tuple[list[str], bytes]]:
    """Those that are found on the PATH: their command, and a sign of the first frame.

    posting needs an older Textual, and so an environment of its own.
    """
    found = {name: (shutil.which(name), words, sign) for name, (words, sign) in INSTALLED.items()}
    return {name: ([path, *words], sign) for name, (path, words, sign) in found.items() if path}


def label() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import Label

    class Hello(App[None]):
        def compose(self) -> ComposeResult:
            yield Label("processing.images")

    Hello().run()


def table() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class Rows(App[None]):
        def compose(self) -> ComposeResult:
            yield DataTable[str](cursor_type="row")

        def on_mount(self) -> None:
            shown = self.query_one(DataTable)
            for title in ("state", "type", "about", "queue", "try", "took", "age"):
                shown.add_column(title)
            for number in range(ROWS - 1, -1, -1):
                photo = f"IMG_{number:07}.jpg"
                shown.add_row("completed", "THUMBNAIL_GENERATE", photo, "processing.images", "1/4", "1.2s", "3h20")

    Rows().run()


if __name__ == "__main__":
    {"label": label, "table": table}[sys.argv[1]]()
