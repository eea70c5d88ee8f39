"""Pictures through a list of operations, and many pictures on one sheet."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from PIL import Image
from pydantic import Field

from jobdesk import Context, Reject, processor

from . import encoding, headers, keeping, pictures, rendering, safefiles, sheet, taking
from .darkroom import Darkroom
from .encoding import Output
from .operations import Operation, Resize, State, Watermark
from .pictures import Picture
from .shapes import Colour, OutputFormat, Pixels, Quality, Size, plan
from .taking import Output as OutputPath
from .taking import Source, SourceUrl

_BY_ENDING: dict[str, OutputFormat] = {ending: kind for kind, ending in encoding.EXTENSIONS.items()} | {
    ".jpeg": "jpeg",
    ".tiff": "tiff",
}


_STEM_BYTES = 200
"""Of the source's name; the rest of the 255 is for an ending, a checksum and what marks an unfinished file."""


@processor(
    "image_process", queue="processing.images", timeout="2m", retries=2, retry_delay="10s", memory_limit=headers.MEMORY
)
def process_image(
    ctx: Context,
    *,
    source: Source = None,
    source_url: SourceUrl = None,
    operations: Annotated[list[Operation], Field(min_length=1, max_length=50)],
    output: OutputPath = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Put a picture through operations in their order: resize, crop, rotate, watermark, sharpen and others."""
    with taking.local(ctx, source, source_url, ctx.settings["images"]["max_bytes"]) as path:
        stem = Path(taking.called(source, source_url)).stem.encode()[:_STEM_BYTES].decode(errors="ignore")
        return _processed(ctx, path, stem, operations, output)


def _processed(
    ctx: Context, source: Path, stem: str, operations: list[Operation], output: Path | None
) -> dict[str, Any]:
    settings = ctx.settings["images"]
    first = operations[0]
    bound = (lambda size: _bounded(size, first)) if isinstance(first, Resize) else None
    picture, sum_ = _open(ctx, source, bound)
    total = len(operations) + 1
    state = _begin(ctx, picture, output, first)
    for number, operation in enumerate(operations):
        ctx.checkpoint()
        ctx.progress(number, total, operation.type)
        if isinstance(operation, Watermark):
            state = operation.mark(_overlay(ctx, operation), state)
            continue
        if isinstance(operation, Resize):
            rendering.bound(plan(state.image.size, operation), settings["max_pixels"])
        state = operation.apply(state)
    ctx.progress(total - 1, total, "encoding")
    made = Output(
        format=state.format,
        quality=state.quality,
        ground=settings["background"],
        progressive=state.progressive,
        kept=keeping.chosen(picture, state.keep),
    )
    content, quality = (
        (encoding.encode(state.image, made), state.quality)
        if state.max_bytes is None
        else encoding.encode_within(state.image, made, state.max_bytes)
    )
    written = _write(ctx, output, stem, state.format, content, source)
    rendering.say_doubts(ctx, picture)
    ctx.progress(total, total)
    ctx.log.info(f"{state.image.width}×{state.image.height} {state.format}, {written.bytes:,} bytes")
    return {
        "path": str(written.path),
        "outputPath": str(written.path),
        "fileSize": written.bytes,
        "width": state.image.width,
        "height": state.image.height,
        "format": state.format,
        "quality": quality,
        "bytes": written.bytes,
        "sha256": written.sha256,
        "operations": [operation.type for operation in operations],
        "source": {"width": picture.size[0], "height": picture.size[1], "sha256": sum_},
    }


@processor("CONTACT_SHEET", queue="processing.images", timeout="10m", retries=3, memory_limit=headers.MEMORY)
def make_contact_sheet(
    ctx: Context,
    sources: Annotated[list[Path], Field(min_length=1, max_length=1000)],
    columns: Annotated[int, Field(ge=1, le=50)] = 5,
    cell: Annotated[int, Field(ge=16, le=2048)] = 256,
    gap: Annotated[int, Field(ge=0, le=512)] = 16,
    background: Colour = "#ffffff",
    labels: bool = True,
    format: OutputFormat = "jpeg",
    quality: Quality | None = None,
    output: Path | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Lay many pictures on one sheet, in rows, with their names; one that cannot be read is left out and said."""
    settings = ctx.settings["images"]
    ground = sheet.Ground(columns=min(columns, len(sources)), cell=cell, gap=gap, colour=background, labels=labels)
    wide, high = ground.size(len(sources))
    if wide * high > settings["max_pixels"] or max(wide, high) > 65_500:
        raise Reject(f"the sheet would have {wide}×{high} pixels: take fewer pictures or smaller cells")
    canvas = ground.empty(len(sources))
    left_out: list[dict[str, str]] = []
    for number, source in enumerate(sources):
        ctx.checkpoint()
        called = safefiles.shown(source.name)
        ctx.progress(number, len(sources), called)
        try:
            image = _small(ctx, source, cell)
        except Reject as refused:
            left_out.append({"source": str(source), "reason": refused.reason, "message": str(refused)})
            ctx.log.warning(f"{called} is left out: {refused}")
            image = None
        ground.place(canvas, number, image, called)
    if len(left_out) == len(sources):
        raise Reject(f"none of the {len(sources)} pictures can be read: {left_out[0]['message']}")
    made = Output(format=format, quality=quality or settings["quality"], ground=background)
    written = _write(ctx, output, "contact-sheet", format, encoding.encode(canvas, made))
    ctx.progress(len(sources), len(sources))
    shown = len(sources) - len(left_out)
    ctx.log.info(f"{shown} pictures on {wide}×{high} pixels, {written.bytes:,} bytes")
    return {
        "path": str(written.path), "width": wide, "height": high, "format": format, "bytes": written.bytes,
        "sha256": written.sha256, "pictures": shown, "left_out": left_out,
    }  # fmt: skip


def _open(ctx: Context, source: Path, bound: pictures.Fit | None) -> tuple[Picture, str]:
    limits = ctx.settings["images"]
    content = safefiles.read_regular(source, limits["max_bytes"])
    header = headers.inspect(content, source.name, limits["max_pixels"], limits["max_frames"])
    if header.frames > 1:
        ctx.log.warning(f"only the first of {header.frames:,} frames is taken")
    ctx.progress(0, None, "decoding")
    return pictures.decode(content, header, bound), hashlib.sha256(content).hexdigest()


def _begin(ctx: Context, picture: Picture, output: Path | None, first: Operation) -> State:
    """The picture upright and in sRGB; where it is resized first, that is done, from the size that it has in full."""
    settings = ctx.settings["images"]
    size = picture.image.size if picture.orientation < 5 else picture.image.size[::-1]
    keep: set[keeping.Part] = {*settings["keep"]}
    if not settings["strip_gps"]:
        keep.add("gps")
    if isinstance(first, Resize):
        planned = plan(picture.size, first)
        rendering.bound(planned, settings["max_pixels"])
        image = Darkroom(picture, _bounded(picture.size, first)).make(planned)
    else:
        image = Darkroom(picture, size).whole()
    return State(
        image=image,
        format=(_BY_ENDING.get(output.suffix.lower()) if output else None) or settings["format"],
        quality=settings["quality"],
        max_bytes=None,
        progressive=settings["progressive"],
        keep=frozenset(keep),
    )


def _bounded(size: Size, first: Resize) -> Size:
    scaled = plan(size, first).scaled
    return min(size[0], scaled[0]), min(size[1], scaled[1])


def _overlay(ctx: Context, operation: Watermark) -> Image.Image | None:
    if operation.image is None:
        return None
    picture, _ = _open(ctx, operation.image, None)
    return Darkroom(picture, picture.size).whole()


def _small(ctx: Context, source: Path, cell: Pixels) -> Image.Image:
    def bound(size: Size) -> Size:
        return sheet.within(size, cell)

    picture, _ = _open(ctx, source, bound)
    return Darkroom(picture, bound(picture.size)).make(sheet.planned(picture.size, cell))


def _write(
    ctx: Context, output: Path | None, name: str, kind: OutputFormat, content: bytes, source: Path | None = None
) -> safefiles.Written:
    if output is not None and output.suffix:
        if _BY_ENDING.get(output.suffix.lower()) != kind:
            ctx.log.warning(f"{safefiles.shown(output.name)} holds {kind}, whatever its name says")
        written = safefiles.write_whole(output, content)
    else:
        folder = output or Path(ctx.settings["storage"]["path"]) / "processed" / ctx.job
        own = folder / f"{name}{encoding.EXTENSIONS[kind]}"
        if source is not None and own.exists() and own.samefile(source):
            raise Reject(f"{own} would replace its source: say another folder, or the file itself, as output")
        written = rendering.write(ctx.settings["images"], folder, name, kind, content)
    ctx.artifact(written.path, "image")
    return written
