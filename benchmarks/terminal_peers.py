"""Textual apps to measure the terminal app beside: one with a label, one with a table of 10,000 rows."""

import sys

LABEL = "a Textual app with one label"
TABLE = "a Textual DataTable of 10,000 rows"
ROWS = 10_000


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
