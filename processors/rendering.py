"""From an open picture to files: shapes planned, pixels made from the largest down, each file encoded while the next
is resized, written whole, and told about."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk import Context, Reject

from . import about, animation, encoding, headers, keeping, pictures, safefiles
from .darkroom import Darkroom, lay
from .encoding import Motion, Output
from .headers import Header
from .pictures import Picture
from .shapes import NamedShape, OutputFormat, Plan, Size, longest, plan, rgb

_ENCODERS = 2
"""Threads that encode beside the resizing; Pillow leaves the interpreter to others meanwhile."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was checked and whose first frame or page is decoded."""

    source: Path
    content: bytes
    header: Header
    picture: Picture
    room: Darkroom


@dataclass(frozen=True, slots=True)
class _Task:
    name: str
    plan: Plan
    output: Output
    ground: tuple[int, int, int] | None


def open_picture(ctx: Context, source: Path, shapes: Sequence[NamedShape]) -> Opened:
    """Read a file, refuse what must not be decoded, and decode it no further than the shapes need."""
    return open_content(ctx, source, safefiles.read_regular(source, ctx.settings["images"]["max_bytes"]), shapes)


def open_content(ctx: Context, source: Path, content: bytes, shapes: Sequence[NamedShape]) -> Opened:
    """The same of a file that was read from `source` before."""
    limits = ctx.settings["images"]
    header = headers.inspect(content, source.name, limits["max_pixels"], limits["max_frames"])
    ctx.progress(0, None, "decoding")
    picture = pictures.decode(content, header, lambda size: largest(size, shapes))
    ctx.checkpoint()
    return Opened(source, content, header, picture, Darkroom(picture, largest(picture.size, shapes)))


def largest(size: Size, shapes: Sequence[NamedShape]) -> Size:
    """The whole picture at the largest scale that any of the shapes needs; not larger than it is."""
    scaled = [plan(size, shape).scaled for shape in shapes]
    return min(size[0], max(one[0] for one in scaled)), min(size[1], max(one[1] for one in scaled))


def render(
    ctx: Context,
    opened: Opened,
    shapes: Sequence[NamedShape],
    folder: Path,
    pages: str = "first",
    *,
    shown: bool = True,
) -> list[dict[str, Any]]:
    """Write every shape into the folder; what was made, smallest first."""
    made: list[dict[str, Any]] = []
    count = opened.header.frames if pages == "all" and not animation.is_moving(opened.header) else 1
    for page in range(count):
        picture = opened.picture if page == 0 else _page(ctx, opened, shapes, page)
        suffix = f"-p{page + 1}" if count > 1 else ""
        tasks = _tasks(ctx, picture, shapes, suffix)
        room = opened.room if page == 0 else Darkroom(picture, largest(picture.size, shapes))
        made += _written(ctx, opened, room, tasks, folder, (page * len(tasks), count * len(tasks)))
        say_doubts(ctx, picture)
    if shown:
        for one in made:
            ctx.artifact(one["path"], "image")
    ctx.log.info(", ".join(f"{one['name']} {one['width']}×{one['height']} {one['bytes']:,} bytes" for one in made))
    return sorted(made, key=lambda one: (one["width"] * one["height"], one["name"]))


def tell(opened: Opened) -> dict[str, Any]:
    """What METADATA_EXTRACT would say, of the same decoding."""
    small = opened.room.make(plan(opened.picture.size, longest(256)))
    return about.tell(opened.content, opened.header, opened.picture, small, about.sums(opened.content))


def bound(planned: Plan, max_pixels: int) -> None:
    """Refuse a rendition that is larger than any picture may be.

    Raises:
        Reject: `too-many-pixels`.
    """
    wide, high = planned.size
    if wide * high > max_pixels:
        raise Reject(
            f"{wide}×{high} pixels are wanted, more than the {max_pixels:,} allowed (images.max_pixels)",
            reason="too-many-pixels",
        )


def say_doubts(ctx: Context, picture: Picture) -> None:
    """Put what could not be read into the job's log."""
    for doubt in picture.doubts:
        ctx.log.warning(doubt)


def write(
    settings: Mapping[str, Any], folder: Path, name: str, kind: OutputFormat, content: bytes, *, synced: bool = True
) -> safefiles.Written:
    """Write one file; where the settings say so, its name ends in the beginning of its checksum."""
    ending = encoding.EXTENSIONS[kind]
    if settings["names"] == "content":
        name = f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"
    return safefiles.write_whole(folder / f"{name}{ending}", content, synced=synced)


def output_of(settings: Mapping[str, Any], picture: Picture, shape: Any) -> Output:
    """How a rendition's file is written: as its shape says, else as the settings have it."""
    parts: set[keeping.Part] = {*settings["keep"]}
    if not settings["strip_gps"]:
        parts.add("gps")
    return Output(
        format=shape.format or settings["format"],
        quality=shape.quality or settings["quality"],
        ground=shape.background or settings["background"],
        progressive=settings["progressive"],
        kept=keeping.chosen(picture, parts),
    )


def _page(ctx: Context, opened: Opened, shapes: Sequence[NamedShape], page: int) -> Picture:
    ctx.checkpoint()
    limit = ctx.settings["images"]["max_pixels"]
    return pictures.decode(opened.content, opened.header, lambda size: largest(size, shapes), page, limit)


def _tasks(ctx: Context, picture: Picture, shapes: Sequence[NamedShape], suffix: str) -> list[_Task]:
    """The shapes of one page, largest first."""
    settings = ctx.settings["images"]
    tasks = []
    for shape in shapes:
        output = output_of(settings, picture, shape)
        clear = shape.background is None and output.format != "jpeg"
        ground = None if clear else rgb(output.ground)
        planned = plan(picture.size, shape)
        bound(planned, settings["max_pixels"])
        tasks.append(_Task(shape.name + suffix, planned, output, ground))
    return sorted(tasks, key=lambda task: (-task.plan.scaled[0] * task.plan.scaled[1], not task.plan.whole))


def _written(
    ctx: Context, opened: Opened, room: Darkroom, tasks: Sequence[_Task], folder: Path, steps: tuple[int, int]
) -> list[dict[str, Any]]:
    settings = ctx.settings["images"]
    moving = _moving(ctx, opened, tasks)
    made: list[dict[str, Any]] = []
    with ThreadPoolExecutor(_ENCODERS) as encoders:
        files: list[Future[bytes]] = []
        for task in tasks:
            ctx.checkpoint()
            if task.name in moving:
                files.append(encoders.submit(encoding.encode_motion, moving[task.name], task.output))
            else:
                image = lay(room.make(task.plan), task.plan.canvas, task.ground)
                files.append(encoders.submit(encoding.encode, image, task.output))
        for task, file in zip(tasks, files, strict=True):
            written = write(settings, folder, task.name, task.output.format, file.result(), synced=False)
            ctx.checkpoint()
            made.append(_told(task, written, moving))
            ctx.progress(steps[0] + len(made), steps[1], task.name)
    safefiles.sync_folder(folder)
    return made


def _moving(ctx: Context, opened: Opened, tasks: Sequence[_Task]) -> dict[str, Motion]:
    """The renditions that stay animations, by name; none where the picture is still."""
    if not animation.is_moving(opened.header) or ctx.settings["images"]["animation"] != "keep":
        return {}
    wanted = [task for task in tasks if task.output.format in encoding.ANIMATED]
    if (why := animation.why_not(opened.header, [task.plan for task in wanted])) is not None:
        ctx.log.warning(f"only the first frame is kept: {why}")
        return {}
    total = opened.header.frames

    def step(number: int) -> None:
        ctx.checkpoint()
        ctx.progress(0, None, f"frame {number} of {total}")

    plans, grounds = [task.plan for task in wanted], [task.ground for task in wanted]
    made = animation.render(opened.content, opened.picture, plans, grounds, step) if wanted else []
    return {task.name: motion for task, motion in zip(wanted, made, strict=True)}


def _told(task: _Task, written: safefiles.Written, moving: Mapping[str, Motion]) -> dict[str, Any]:
    told = {
        "name": task.name,
        "path": str(written.path),
        "width": task.plan.size[0],
        "height": task.plan.size[1],
        "format": task.output.format,
        "bytes": written.bytes,
        "sha256": written.sha256,
    }
    return told | ({"frames": len(moving[task.name].frames)} if task.name in moving else {})
