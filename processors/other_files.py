"""Operations on files that are no pictures: PDF, archives, text, videos."""

import json
from typing import Any

from jobdesk import Reject

from . import archives, document_pages, documents, picture_files, video
from .file_operations import Convert, Optimize, Thumbnail, Validate
from .file_work import Work

_PARSED_BYTES = 16_000_000
_MORE = "only its type, size and checksum are known here"


def validate_pdf(work: Work, _: Validate) -> dict[str, Any]:
    """Unpack every part of it."""
    about = _document(work)
    if about["contains"]:
        work.ctx.log.warning(f"{work.name} is more than its pages: {', '.join(about['contains'])}")
    if about["repaired"]:
        work.ctx.log.warning(f"{work.name} is not as it should be, and could be read: {about['repaired'][0]}")
    return {"details": about}


def optimize_pdf(work: Work, wanted: Optimize) -> dict[str, Any]:
    """The same document packed tighter."""
    ctx = work.ctx
    with documents.opened(work.content, work.name, work.limits, ctx.checkpoint) as document:
        content = documents.smaller(document, wanted.quality, ctx.settings["images"]["max_pixels"], ctx.checkpoint)
        pages = len(document.pdf.pages)
    return picture_files.saved(work, work.write("optimized.pdf", content, "application/pdf", pages=pages))


def thumbnail_pdf(work: Work, wanted: Thumbnail) -> dict[str, Any]:
    """Its first page."""
    _document(work)
    images = work.ctx.settings["images"]
    made = []
    for size in sorted(set(wanted.sizes or images["sizes"])):
        work.ctx.checkpoint()
        page = document_pages.drawn(work.content, 0, document_pages.by_edge(size), images["max_pixels"])
        made.append(picture_files.encoded(work, page, f"thumbnail-{size}", wanted.format, wanted.quality))
    return {"files": made}


def convert_pdf(work: Work, wanted: Convert) -> dict[str, Any]:
    """Its pages as pictures, or what is written on them."""
    if wanted.format == "pdf":
        raise work.cannot("it need not be converted; optimize makes it smaller")
    settings = work.ctx.settings["files"]
    pages = _document(work)["pages"] if wanted.pages == "all" else 1
    _document(work)
    if pages > settings["max_pages"]:
        raise Reject(
            f"{work.name} has {pages:,} pages, more than {settings['max_pages']:,} (files.max_pages): pages=first",
            "too-large",
        )
    if wanted.format == "txt":
        return {"files": [_text(work, pages)]}
    scale = document_pages.by_dpi(wanted.dpi or settings["dpi"])
    made = []
    for number in range(pages):
        work.ctx.checkpoint()
        work.ctx.progress(number, pages, f"page {number + 1}")
        image = document_pages.drawn(work.content, number, scale, work.ctx.settings["images"]["max_pixels"])
        made.append(picture_files.encoded(work, image, f"page-{number + 1:03}", wanted.format, wanted.quality))
    return {"files": made}


def validate_archive(work: Work, _: Validate) -> dict[str, Any]:
    """Unpack all of it into nothing."""
    return {"details": archives.look(work.content, work.found.type, work.name, work.limits, work.ctx.checkpoint)}


def validate_text(work: Work, _: Validate) -> dict[str, Any]:
    """Read all of it; JSON must be JSON."""
    encoding = "utf-16" if work.content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = work.content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Reject(f"{work.name} is damaged: byte {error.start:,} is no {encoding[:6]} text", "corrupt") from None
    if "\0" in text:
        raise Reject(f"{work.name} is damaged: there are zeros in the text", "corrupt")
    about: dict[str, Any] = {"encoding": encoding.removesuffix("-sig"), "characters": len(text)}
    about["lines"] = text.count("\n") + (not text.endswith("\n"))
    if work.found.type in ("application/json", "application/x-ndjson"):
        about["parsed"] = len(text) <= _PARSED_BYTES
        if about["parsed"]:
            lines = text.splitlines() if work.found.type.endswith("ndjson") else [text]
            for number, line in enumerate(lines, 1):
                _parse(work, line, number)
    return {"details": about}


def validate_video(work: Work, _: Validate) -> dict[str, Any]:
    """What its container says of it, as far as `jobdesk[video]` is there."""
    return {"details": {key: value for key, value in video.describe(work.path).items() if key != "tags"}}


def thumbnail_video(work: Work, wanted: Thumbnail) -> dict[str, Any]:
    """Its first frame that can be shown on its own."""
    images = work.ctx.settings["images"]
    sizes = sorted(set(wanted.sizes or images["sizes"]))
    taken = next(iter(video.key_frames(work.path, 1, sizes[-1], images["max_pixels"])), None)
    if taken is None:
        raise Reject(f"{work.name} has no frame that can be shown", "corrupt")
    made = []
    for size in sizes:
        small = taken[1].convert("RGB")
        small.thumbnail((size, size))
        made.append(picture_files.encoded(work, small, f"thumbnail-{size}", wanted.format, wanted.quality))
    return {"files": made}


def validate_any(work: Work, _: Validate) -> dict[str, Any]:
    """What was found out when it was taken in is all that can be."""
    work.ctx.log.info(f"{work.name} is {work.found.type}: {_MORE}")
    return {"details": {"checked": _MORE}}


def _document(work: Work) -> dict[str, Any]:
    """What is in a document; looked through once, before anything draws it."""
    if "document" not in work.known:
        with documents.opened(work.content, work.name, work.limits, work.ctx.checkpoint) as document:
            work.known["document"] = document.told
    about: dict[str, Any] = work.known["document"]
    return about


def _text(work: Work, pages: int) -> dict[str, Any]:
    words = []
    for number in range(pages):
        work.ctx.checkpoint()
        words.append(document_pages.text(work.content, number).strip())
    content = "\n\f".join(words).encode("utf-8", "replace") + b"\n"
    if not content.strip():
        raise Reject(f"there is no text on the pages of {work.name}: they may be scans", "no-text")
    return work.write("converted.txt", content, "text/plain", pages=pages)


def _parse(work: Work, line: str, number: int) -> None:
    if not line.strip() and work.found.type.endswith("ndjson"):
        return
    try:
        json.loads(line)
    except (ValueError, RecursionError) as error:
        where = f"line {number}: " if work.found.type.endswith("ndjson") else ""
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Reject(f"{work.name} is no JSON: {where}{why}", "corrupt") from None
