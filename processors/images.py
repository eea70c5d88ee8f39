"""Thumbnails, resized renditions, and what a picture says of itself.

The parameter `name` is what people call the picture, whose file may be named otherwise: lists show it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context, processor

from . import colours, headers, metadata, pictures, safefiles
from .pictures import Fit, OutputFormat, Picture

Pixels = Annotated[int, Field(ge=1, le=16384)]
Quality = Annotated[int, Field(ge=1, le=100)]


@processor("THUMBNAIL_GENERATE", queue="processing.images", timeout="2m", retries=3)
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
    picture = _open(ctx, source, lambda size: pictures.fit_longest(size, max(wanted)), gap=2.0)
    targets = {f"thumbnail-{size}": pictures.fit_longest(picture.size, size) for size in wanted}
    return _render(ctx, picture, targets, format, quality, output)


@processor("IMAGE_RESIZE", queue="processing.images", timeout="2m", retries=3)
def resize_image(
    ctx: Context,
    source: Path,
    widths: list[Pixels] | None = None,
    format: OutputFormat | None = None,
    quality: Quality | None = None,
    output: Path | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Make renditions of given widths; a picture narrower than that keeps its own."""
    wanted = _each_once(widths or ctx.settings["images"]["widths"])
    picture = _open(ctx, source, lambda size: pictures.fit_width(size, max(wanted)), gap=1.5)
    widest = picture.size[0]
    own = _each_once([min(width, widest) for width in wanted])
    targets = {f"width-{width}": pictures.fit_width(picture.size, width) for width in own}
    return _render(ctx, picture, targets, format, quality, output)


@processor("METADATA_EXTRACT", queue="processing.images", timeout="2m", retries=3)
def extract_metadata(ctx: Context, source: Path, name: str | None = None) -> dict[str, Any]:
    """Read dimensions, camera, exposure, time, place, colours and checksums of a picture."""
    limits = ctx.settings["images"]
    content = safefiles.read_regular(source, limits["max_bytes"])
    header = headers.inspect(content, source.name, limits["max_pixels"])
    ctx.progress(1, 3, "checksums")
    sums = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }
    ctx.checkpoint()
    ctx.progress(2, 3, "colours")
    picture = pictures.decode(content, header, _small)
    small = pictures.upright(picture, _small(picture.size))
    _say_doubts(ctx, picture)
    width, height = picture.size
    ctx.progress(3, 3)
    ctx.log.info(f"{width}×{height} {header.format.name}, {len(content):,} bytes")
    return {
        "width": width,
        "height": height,
        "format": header.format.name,
        "type": header.format.mime,
        "mode": picture.mode,
        "bytes": len(content),
        "frames": header.frames,
        "orientation": picture.orientation,
        "transparent": small.mode == "RGBA",
        "icc": None if picture.icc is None else colours.profile_name(picture.icc),
        "exif": metadata.describe(picture.exif),
        "dominant_colours": colours.dominant(small),
        "checksums": sums,
    }


def _open(ctx: Context, source: Path, largest: Fit, gap: float) -> Picture:
    limits = ctx.settings["images"]
    content = safefiles.read_regular(source, limits["max_bytes"])
    header = headers.inspect(content, source.name, limits["max_pixels"])
    ctx.progress(0, None, "decoding")
    picture = pictures.decode(content, header, largest, gap)
    ctx.checkpoint()
    return picture


def _small(size: tuple[int, int]) -> tuple[int, int]:
    return pictures.fit_longest(size, 256)


def _each_once(sizes: list[int]) -> list[int]:
    return sorted(set(sizes))


def _render(
    ctx: Context,
    picture: Picture,
    targets: dict[str, tuple[int, int]],
    format: OutputFormat | None,
    quality: int | None,
    output: Path | None,
) -> dict[str, Any]:
    """Write every target, largest first, each from the one before: one decoding, ever less to shrink."""
    settings = ctx.settings["images"]
    kind: OutputFormat = format or settings["format"]
    folder = output or Path(ctx.settings["storage"]["path"]) / "renditions" / ctx.job
    exif = b"" if settings["strip_gps"] else pictures.place_only(picture)
    order = sorted(targets.items(), key=lambda target: -target[1][0] * target[1][1])
    image = pictures.upright(picture, order[0][1])
    made: list[dict[str, Any]] = []
    for name, size in order:
        ctx.checkpoint()
        image = pictures.shrink(image, size)
        path = folder / f"{name}{pictures.EXTENSIONS[kind]}"
        written = safefiles.write_whole(path, pictures.encode(image, kind, quality or settings["quality"], exif))
        made.append(
            {
                "name": name,
                "path": str(path),
                "width": size[0],
                "height": size[1],
                "format": kind,
                "bytes": written.bytes,
                "sha256": written.sha256,
            }
        )
        if output is None:  # what a flow has us put in its staging folder is gone in a moment
            ctx.artifact(path, "image")
        ctx.progress(len(made), len(order), name)
    _say_doubts(ctx, picture)
    ctx.log.info(", ".join(f"{one['name']} {one['width']}×{one['height']} {one['bytes']:,} bytes" for one in made))
    return {"width": picture.size[0], "height": picture.size[1], "renditions": _by_size(made)}


def _by_size(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(made, key=lambda one: one["width"] * one["height"])


def _say_doubts(ctx: Context, picture: Picture) -> None:
    for doubt in picture.doubts:
        ctx.log.warning(doubt)
