"""Whether the terminal draws real pictures (Kitty, Sixel): textual-image asks it, where that is installed."""

import os
import re
import select
import sys
import termios
import time
import tty
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from textual.app import App, SuspendNotSupported

from jobdesk.tui.outside import stepped_aside

if TYPE_CHECKING:
    from textual_image.widget import SixelImage, TGPImage

_MISSING = 'in blocks: pip install "jobdesk[pictures]" draws them finely in Kitty, foot, WezTerm and the like'
_CANNOT = "in blocks: this terminal draws no pictures"
_PATIENCE_S = 1.0
"""For a terminal that answers nothing; one far away takes a third of that."""
_ASIDE = "in blocks: no terminal of its own could be asked for pictures"


@dataclass(frozen=True, slots=True)
class Graphics:
    """The widget that draws pictures here, or None for blocks of colour, and why it is these."""

    draws: "type[SixelImage] | type[TGPImage] | None" = None
    said: str = ""


def graphics(app: App[Any]) -> Graphics:
    """How pictures are drawn here. The app steps aside for the moment in which the terminal is asked, once."""
    if app.no_color or app.has_class("-ascii"):
        return Graphics()
    if find_spec("textual_image") is None:
        return Graphics(said=_MISSING)
    if app.is_headless:
        return Graphics()
    try:
        return _asked(app)
    except SuspendNotSupported:
        return Graphics(said=_ASIDE)
    except ImportError as error:
        return Graphics(said=f"in blocks: textual-image cannot be loaded ({error})")


@cache
def _asked(app: App[Any]) -> Graphics:
    with stepped_aside(app):  # an answer would go to the app as if somebody had typed it
        from textual_image import renderable
        from textual_image._terminal import get_cell_size
        from textual_image.widget import SixelImage, TGPImage

        get_cell_size()  # it asks too, and keeps the answer
        late = _last_words()
    sixel = renderable.Image is renderable.SixelImage or any("4" in found for found in _attributes(late))
    if sixel:
        return Graphics(SixelImage)
    if renderable.Image is renderable.TGPImage or ";OK\x1b\\" in late:
        return Graphics(TGPImage)
    return Graphics(said=_CANNOT)


def _attributes(said: str) -> list[list[str]]:
    """What a terminal is, from its answers to `ESC [ c`; the beginnings of those may be gone."""
    return [found.split(";") for found in re.findall(r"\?([0-9;]*)c", said)]


def _last_words() -> str:
    """What a slow terminal answers when nobody waits for it any more: it says everything before the answer to this."""
    number = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    if number < 0 or sys.__stdout__ is None or not os.isatty(number):
        return ""
    modes, said, deadline = termios.tcgetattr(number), b"", time.monotonic() + _PATIENCE_S
    tty.setcbreak(number)
    try:
        sys.__stdout__.write("\x1b[5n")  # how are you
        sys.__stdout__.flush()
        while b"\x1b[0n" not in said and select.select([number], [], [], max(0.0, deadline - time.monotonic()))[0]:
            read = os.read(number, 1024)
            if not read:
                break
            said += read
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, modes)
    return said.decode("utf-8", "replace")
