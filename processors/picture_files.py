"""Operations on a file that is a picture, through the darkroom like any other."""

import io
from pathlib import Path
from typing import Any

from jobdesk import Reject

from . import animation, encoding, headers, pictures, rendering
from .colours import flatten
from .darkroom import Darkroom
from .file_operations import Convert, Optimize, Thumbnail, Validate
from .file_work import Work
from .headers import Header
from .shapes import NamedShape, OutputFormat, rgb

_OWN: dict[str, OutputFormat] = {
    "JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "TIFF": "tiff", "AVIF": "avif",
    "BMP": "png", "HEIF": "jpeg",
}  # fmt: skip
"""What a picture is written as where no format is said; nobody writes the last two."""
_EDGE_PX = 16_384


def validate(work: Work, _: Validate) -> dict[str, Any]:
    """Decode all of it (of an animation its first frame)."""
    header = _header(work)
    picture = pictures.decode(work.content, header)
    rendering.say_doubts(work.ctx, picture)
    wide, high = picture.size
    about = {"format": header.format.name, "width": wide, "height": high, "frames": header.frames}
    return {"details": about | {"mode": picture.mode, "doubts": picture.doubts}}


def thumbnail(work: Work, wanted: Thumbnail) -> dict[str, Any]:
    """By longest edge; a small picture is never enlarged."""
    sizes = sorted(set(wanted.sizes or work.ctx.settings["images"]["sizes"]))
    shapes = [
        NamedShape(name=f"thumbnail-{size}", width=size, height=size, format=wanted.format, quality=wanted.quality)
        for size in sizes
    ]
    return {"files": _rendered(work, shapes)}


def optimize(work: Work, wanted: Optimize) -> dict[str, Any]:
    """In its own format and size; the original is good enough where nothing is gained."""
    header = _header(work)
    if header.frames > 1 and not animation.is_moving(header):
        raise Reject(
            f"{work.name} has {header.frames} pages, and one file of it would have one: convert it", "has-pages"
        )
    (made,) = _rendered(work, [_whole(header, "optimized", _OWN[header.format.name], wanted.quality)])
    if header.frames > 1 and made.get("frames", 1) == 1:
        Path(made["path"]).unlink()
        raise Reject(f"{work.name} is an animation too large to be kept moving (images.animation)", "too-large")
    return saved(work, made)


def convert(work: Work, wanted: Convert) -> dict[str, Any]:
    """In another format; as PDF each page of a TIFF is a page, else its first frame."""
    header = _header(work)
    if wanted.format == "txt":
        raise work.cannot("there is no text in it to take out")
    if wanted.format == "pdf":
        return {"files": [_as_pdf(work, header, wanted)]}
    kind = wanted.format or work.ctx.settings["images"]["format"]
    pages = wanted.pages if header.frames > 1 and not animation.is_moving(header) else "first"
    if pages == "all":
        _few(work, header.frames)
    return {"files": _rendered(work, [_whole(header, "converted", kind, wanted.quality)], pages)}


def saved(work: Work, made: dict[str, Any]) -> dict[str, Any]:
    """What an optimised file gains; one that is no smaller is thrown away."""
    gain = len(work.content) - made["bytes"]
    if gain <= 0:
        Path(made["path"]).unlink()
        work.ctx.log.info(f"{work.name} is as small as it gets: the original is good enough")
        return {"files": [], "saved_bytes": 0, "saved_percent": 0.0, "original_is_smallest": True}
    percent = round(100 * gain / len(work.content), 1)
    return {"files": [made], "saved_bytes": gain, "saved_percent": percent, "original_is_smallest": False}


def _header(work: Work) -> Header:
    limits = work.ctx.settings["images"]
    return headers.inspect(work.content, work.name, limits["max_pixels"], limits["max_frames"])


def _whole(header: Header, name: str, format: OutputFormat, quality: int | None) -> NamedShape:
    """All of a picture, however it lies: neither edge is bounded by less than the longer one."""
    edge = max(header.width, header.height)
    if edge > _EDGE_PX:
        raise Reject(f"{edge:,} pixels are wider than the {_EDGE_PX:,} that are written", "too-many-pixels")
    return NamedShape(name=name, width=edge, height=edge, format=format, quality=quality)


def _rendered(work: Work, shapes: list[NamedShape], pages: str = "first") -> list[dict[str, Any]]:
    opened = rendering.open_content(work.ctx, work.path, work.content, shapes)
    made = rendering.render(work.ctx, opened, shapes, work.folder, pages, shown=False)
    return [one | {"name": Path(one["path"]).name, "type": f"image/{one['format']}"} for one in made]


def _as_pdf(work: Work, header: Header, wanted: Convert) -> dict[str, Any]:
    settings = work.ctx.settings["images"]
    many = wanted.pages == "all" and header.frames > 1 and not animation.is_moving(header)
    if many:
        _few(work, header.frames)
    sheets, pixels = [], 0
    for page in range(header.frames if many else 1):
        work.ctx.checkpoint()
        picture = pictures.decode(work.content, header, page=page, max_pixels=settings["max_pixels"])
        pixels += picture.size[0] * picture.size[1]
        if pixels > settings["max_pixels"]:
            raise Reject(f"its pages have more than {settings['max_pixels']:,} pixels (images.max_pixels)", "too-large")
        image = Darkroom(picture, picture.size).whole()
        sheets.append(flatten(image, rgb(settings["background"])))
        rendering.say_doubts(work.ctx, picture)
    file = io.BytesIO()
    dpi, quality = wanted.dpi or work.ctx.settings["files"]["dpi"], wanted.quality or settings["quality"]
    sheets[0].save(file, "PDF", save_all=True, append_images=sheets[1:], resolution=dpi, quality=quality)
    return work.write("converted.pdf", file.getvalue(), "application/pdf", pages=len(sheets))


def _few(work: Work, pages: int) -> None:
    if pages > (most := work.ctx.settings["files"]["max_pages"]):
        raise Reject(f"{work.name} has {pages:,} pages, more than {most:,} (files.max_pages): pages=first", "too-large")


def encoded(work: Work, image: Any, name: str, format: OutputFormat | None, quality: int | None) -> dict[str, Any]:
    """A picture that was drawn of another file, written as renditions are."""
    settings = work.ctx.settings["images"]
    made = encoding.Output(
        format=format or settings["format"],
        quality=quality or settings["quality"],
        ground=settings["background"],
        progressive=settings["progressive"],
    )
    content = encoding.encode(image, made)
    file = f"{name}{encoding.EXTENSIONS[made.format]}"
    return work.write(file, content, f"image/{made.format}", width=image.width, height=image.height)
