"""A picture that the terminal itself draws: textual-image sends it, made small by a process of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PIL import Image
from textual.app import ComposeResult
from textual.containers import Container
from textual_image._terminal import get_cell_size

from jobdesk.tui.format import Spans, wrap
from jobdesk.tui.pictures import Small, small
from jobdesk.tui.widgets.lines import Lines, retitle
from jobdesk.tui.widgets.picture import titles

if TYPE_CHECKING:
    from textual_image.widget import SixelImage, TGPImage

    from jobdesk.tui.app import JobdeskApp


class Drawn(Container):
    """Shows one file; its border says what it is.

    Args:
        draws: the widget of the terminal's own way.
    """

    def __init__(self, label: str, draws: "type[SixelImage] | type[TGPImage]", *, id: str) -> None:
        super().__init__(id=id)
        self._label = label
        self._image = draws()
        self._file: Path | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="said")
        yield self._image

    def show(self, file: Path | None, empty: str) -> None:
        """Show this file, as soon as it is decoded."""
        app = cast("JobdeskApp", self.app)
        self._file = file
        self._say(empty if file is None else f"decoding{app.glyphs.more}")
        width, height = self.content_size
        if file is None or not width or not height:
            return
        cell = get_cell_size()

        def decoded(picture: Small | str) -> None:
            if file != self._file or not self.is_attached:
                return
            self._say(picture)
            if isinstance(picture, Small):
                self._image.image = Image.frombytes("RGB", (picture.width, picture.height), picture.pixels)

        app.aside(lambda: small(file, width * cell.width, height * cell.height), decoded)

    def _say(self, picture: Small | str) -> None:
        """A sentence in place of the picture, or the picture."""
        retitle(self, *titles(self._label, self._file, picture))
        lines, said = self.query_one("#said", Lines), picture if isinstance(picture, str) else ""
        shown: list[Spans] = [((line, "muted"),) for line in wrap(said, max(10, self.content_size.width - 2))]
        lines.show(shown)
        lines.display = bool(said)
        self._image.display = not said

    def on_resize(self) -> None:
        if self._file is not None:
            self.show(self._file, "")
