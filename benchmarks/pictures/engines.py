"""What each engine does with one photo. Run by `runner` in processes of their own."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from jobdesk.config import load
from jobdesk_processors import images, resizing, vips

FOUR: list[dict[str, Any]] = [
    {"name": "thumb", "width": 256, "height": 256, "format": "jpeg", "quality": 80},
    {"name": "square", "width": 1080, "height": 1080, "fit": "cover", "format": "jpeg", "quality": 80},
    {"name": "wide", "width": 1600, "height": 900, "fit": "cover", "format": "jpeg", "quality": 80},
    {"name": "large", "width": 1600, "format": "webp", "quality": 80},
]
"""The four renditions of the goal."""

Engine = Callable[[Path], None]


class Bare:
    """A context that does nothing: the pipeline without a desk."""

    def __init__(self, out: Path) -> None:
        config = load(out)
        self.settings = {
            "images": config.images.model_dump(),
            "presets": {},
            "storage": {"path": str(out)},
        }
        self.job = "bare"
        self.log = SimpleNamespace(info=_nothing, warning=_nothing)
        self.progress = self.checkpoint = self.artifact = _nothing


def _nothing(*_: object) -> None:
    pass


def floor(out: Path) -> Engine:
    """libjpeg-turbo decoding at 1/8 and nothing else."""

    def run(photo: Path) -> None:
        with Image.open(io.BytesIO(photo.read_bytes()), formats=["JPEG"]) as image:
            image.draft(None, (1, 1))
            image.load()

    return run


def thumbnail(out: Path) -> Engine:
    """THUMBNAIL_GENERATE: validated, decoded, resized, written and synced."""
    context: Any = Bare(out)

    def run(photo: Path) -> None:
        images.generate_thumbnails(context, photo, [256], "jpeg", 80, output=out)

    return run


def four(out: Path) -> Engine:
    """IMAGE_RESIZE with four renditions and the metadata: validated, decoded once, written and synced."""
    context: Any = Bare(out)
    shapes = [images.NamedShape(**shape) for shape in FOUR]

    def run(photo: Path) -> None:
        images.resize_image(context, photo, renditions=shapes, metadata=True, output=out)

    return run


def pillow_only(engine: Callable[[Path], Engine]) -> Callable[[Path], Engine]:
    """The engine without the extras `fast` and `vips`."""

    def made(out: Path) -> Engine:
        resizing._fast = vips._vips = lambda: None  # an engine runs in a process of its own
        return engine(out)

    return made


def naive(out: Path) -> Engine:
    """Pillow as its tutorial has it."""

    def run(photo: Path) -> None:
        with Image.open(photo) as image:
            done = image.convert("RGB")
            done.thumbnail((256, 256), Image.Resampling.LANCZOS)
            done.save(out / "naive.jpg", quality=80)

    return run


def pyvips(out: Path) -> Engine:
    """libvips by its Python binding: `thumbnail`."""
    import pyvips as peer

    def run(photo: Path) -> None:
        peer.Image.thumbnail(str(photo), 256, height=256, size="down").write_to_file(str(out / "v.jpg"), Q=80)

    return run


ENGINES: dict[str, Callable[[Path], Engine]] = {
    "floor": floor,
    "thumbnail": pillow_only(thumbnail),
    "thumbnail-fast": thumbnail,
    "four": pillow_only(four),
    "four-fast": four,
    "naive": naive,
    "pyvips": pyvips,
}
