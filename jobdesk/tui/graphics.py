"""Whether the terminal draws real pictures (Kitty, Sixel): textual-image asks it, where that is installed."""

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
        from textual_image.widget import SixelImage, TGPImage
    if renderable.Image is renderable.SixelImage:
        return Graphics(SixelImage)
    if renderable.Image is renderable.TGPImage:
        return Graphics(TGPImage)
    return Graphics(said=_CANNOT)
