"""Thumbnails, resized renditions, and what a picture says of itself.

The parameter `name` is what people call the picture, whose file may be named otherwise: lists show it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from jobdesk import Context, Reject, processor

from . import about, headers, pictures, rendering, safefiles
from .darkroom import Darkroom
from .presets import named, shape_of
from .shapes import NamedShape, OutputFormat, Pixels, Quality, Shape, longest, plan

Pages = Literal["first", "all"]
Preset = Annotated[str, named("preset")]


@processor("THUMBNAIL_GENERATE", queue="processing.images", timeout="2m", retries=3, memory_limit=headers.MEMORY)
def generate_thumbnails(
    ctx: Context,
    source: Path,
    sizes: list[Pixels] | None = None,
    format: OutputFormat | None = None,
    quality: Quality | None = None,
    output: Path | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Make thumbnails by their longest edge; a small picture is never enlarged."""
    wanted = _each_once(sizes or ctx.settings["images"]["sizes"])
    shapes = [
        NamedShape(name=f"thumbnail-{size}", width=size, height=size, format=format, quality=quality) for size in wanted
    ]
    return _render(ctx, rendering.open_picture(ctx, source, shapes), shapes, output, "first")


@processor("IMAGE_RESIZE", queue="processing.images", timeout="2m", retries=3, memory_limit=headers.MEMORY)
def resize_image(
    ctx: Context,
    source: Path,
    widths: list[Pixels] | None = None,
    presets: list[Preset] = [],  # noqa: B006  pydantic copies it
    renditions: list[NamedShape] = [],  # noqa: B006
    format: OutputFormat | None = None,
    quality: Quality | None = None,
    pages: Pages = "first",
    metadata: bool = False,
    output: Path | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Make renditions: by width, by the named shapes of [presets], or by shapes of one's own, decoded once."""
    settings = ctx.settings["images"]
    shapes = [shape.model_copy(update=_missing(shape, format, quality)) for shape in renditions]
    for preset in dict.fromkeys(presets):
        shape = Shape.model_validate(shape_of(ctx.settings["presets"], preset))
        given = {key: value for key, value in shape if value is not None} | _missing(shape, format, quality)
        shapes.append(NamedShape(name=preset, **given))
    if widths or not shapes:
        wide = [
            NamedShape(name=f"width-{width}", width=width, format=format, quality=quality)
            for width in _each_once(widths or settings["widths"])
        ]
        opened = rendering.open_picture(ctx, source, [*shapes, *wide])
        widest = opened.picture.size[0]
        own = {min(shape.width or widest, widest): shape for shape in wide}
        shapes += [shape.model_copy(update={"name": f"width-{width}"}) for width, shape in sorted(own.items())]
    else:
        opened = rendering.open_picture(ctx, source, shapes)
    names = [shape.name for shape in shapes]
    if twice := [one for one in names if names.count(one) > 1]:
        raise Reject(f"two renditions are named {twice[0]}: one would replace the other")
    made = _render(ctx, opened, shapes, output, pages)
    return made | {"metadata": rendering.tell(opened)} if metadata else made


@processor("METADATA_EXTRACT", queue="processing.images", timeout="2m", retries=3, memory_limit=headers.MEMORY)
def extract_metadata(ctx: Context, source: Path, name: str | None = None) -> dict[str, Any]:
    """Read dimensions, camera, exposure, time, place, colours and checksums of a picture."""
    limits = ctx.settings["images"]
    content = safefiles.read_regular(source, limits["max_bytes"])
    header = headers.inspect(content, source.name, limits["max_pixels"], limits["max_frames"])
    ctx.progress(1, 3, "checksums")
    sums = about.sums(content)
    ctx.checkpoint()
    ctx.progress(2, 3, "colours")
    picture = pictures.decode(content, header, _small)
    small = Darkroom(picture, _small(picture.size)).make(plan(picture.size, longest(256)))
    told = about.tell(content, header, picture, small, sums)
    rendering.say_doubts(ctx, picture)
    ctx.progress(3, 3)
    ctx.log.info(f"{told['width']}×{told['height']} {header.format.name}, {len(content):,} bytes")
    return told


def _small(size: tuple[int, int]) -> tuple[int, int]:
    return plan(size, longest(256)).scaled


def _each_once(sizes: Sequence[int]) -> list[int]:
    return sorted(set(sizes))


def _missing(shape: Shape, format: OutputFormat | None, quality: int | None) -> dict[str, Any]:
    """Format and quality for a shape that does not say its own."""
    return {"format": shape.format or format, "quality": shape.quality or quality}


def _render(
    ctx: Context, opened: rendering.Opened, shapes: Sequence[NamedShape], output: Path | None, pages: Pages
) -> dict[str, Any]:
    folder = output or Path(ctx.settings["storage"]["path"]) / "renditions" / ctx.job
    # what a flow has us put in its staging folder is gone in a moment: no artifact
    made = rendering.render(ctx, opened, shapes, folder, pages, shown=output is None)
    width, height = opened.picture.size
    return {"width": width, "height": height, "renditions": made}
