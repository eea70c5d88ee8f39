"""Files of any kind, taken in by what they are: scanned, checked, made smaller, shown, converted.

    fetch ── size ── virus_scan ── type, name ── validate ── optimize, thumbnail, convert ── storage

What is refused before an operation ends the job with its reason. Operations do not depend on one another: what one
makes is kept when another cannot be done, and the job fails with both in its result.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from jobdesk import Context, Reject, processor

from . import about, content_types, other_files, picture_files, safefiles, scan, staging, taking
from .file_operations import Operations, Processing, Switches, Target, VirusScan, wanted
from .file_work import Work, refuse, smallest
from .shapes import Pixels, Quality
from .shelving import shelve
from .spelling import either
from .staging import UploadId
from .taking import FileUrl, Output, Source

FileId = Annotated[UploadId | None, either("file_id")]
FileName = Annotated[
    str | None,
    Field(min_length=1, max_length=255, validation_alias=AliasChoices("name", "file_name", "fileName")),
]
FileType = Annotated[str | None, Field(pattern=r"^[^\s/]+/[^\s/]+"), either("file_type")]
FileSize = Annotated[int | None, Field(ge=0), either("file_size")]
Types = Annotated[
    list[Annotated[str, Field(pattern=r"^(\*|[a-z]+)/(\*|[a-z0-9][a-z0-9.+-]*)$")]] | None, either("allowed_types")
]
MaxBytes = Annotated[
    int | None, Field(ge=1, validation_alias=AliasChoices("max_bytes", "maxBytes", "max_file_size", "maxFileSize"))
]
Id = Annotated[str | None, Field(max_length=255)]
_HOW: dict[tuple[str, str], Callable[[Work, Any], dict[str, Any]]] = {
    ("validate", "picture"): picture_files.validate,
    ("validate", "pdf"): other_files.validate_pdf,
    ("validate", "archive"): other_files.validate_archive,
    ("validate", "text"): other_files.validate_text,
    ("validate", "video"): other_files.validate_video,
    ("optimize", "picture"): picture_files.optimize,
    ("optimize", "pdf"): other_files.optimize_pdf,
    ("thumbnail", "picture"): picture_files.thumbnail,
    ("thumbnail", "pdf"): other_files.thumbnail_pdf,
    ("thumbnail", "video"): other_files.thumbnail_video,
    ("convert", "picture"): picture_files.convert,
    ("convert", "pdf"): other_files.convert_pdf,
}
"""What is done with a file of a family."""


@processor("file-processing", queue="file-processing", timeout="5m")
def process_file(
    ctx: Context,
    source: Source = None,
    file_url: FileUrl = None,
    operations: Operations = [],  # noqa: B006  pydantic copies it
    options: Switches | None = None,
    processing_type: Processing = None,
    file_id: FileId = None,
    name: FileName = None,
    file_type: FileType = None,
    file_size: FileSize = None,
    user_id: Annotated[Id, either("user_id")] = None,
    product_id: Annotated[Id, either("product_id")] = None,
    allowed_types: Types = None,
    max_bytes: MaxBytes = None,
    format: Target | None = None,
    quality: Quality | None = None,
    sizes: list[Pixels] | None = None,
    output: Output = None,
) -> dict[str, Any]:
    """Scan, validate, optimize, thumbnail or convert a file, by what it is and not by its name."""
    steps = wanted(
        processing_type, operations, options,
        {"format": format, "quality": quality, "sizes": sizes},
    )  # fmt: skip
    called = safefiles.shown(name or taking.called(source, file_url))
    most, setting = smallest(ctx.settings["files"], max_bytes)
    if file_size is not None and file_size > most:
        raise Reject(f"{called} has {file_size:,} bytes, more than the {most:,} of {setting}", "too-large")
    id_ = file_id or "file_" + ctx.job.partition("_")[2]
    if source is not None:
        _not_quarantined(ctx, source, called, id_, steps)
    with taking.local(ctx, source, file_url, most) as path:
        content = safefiles.read_regular(path, most, setting)
        found = content_types.detect(content, called)
        scanned = _scanned(ctx, path, content, called, id_, steps)
        named = name is not None or source is not None
        refuse(ctx, content, found, called, declared=(file_type, file_size), allowed=allowed_types, named=named)
        ctx.log.info(f"{called}: {found.type}, {len(content):,} bytes")
        work = Work(ctx, path, called, content, found, staging.folder(ctx, ctx.job) / "made")
        work.known["scan"] = scanned
        try:
            done = [_do(work, step, number, len(steps)) for number, step in enumerate(steps)]
            _keep(ctx, work, done, output or staging.storage(ctx) / "files" / id_)
        finally:
            staging.remove(work.folder)
            if source is not None:
                staging.remove(work.folder.parent)
    ctx.progress(len(steps), len(steps), "done")
    return _told(done) | {
        "file_id": id_,
        "file_name": called,
        "file_type": found.type,
        "file_size": len(content),
        "checksums": about.sums(content),
        "user_id": user_id,
        "product_id": product_id,
        "operations": done,
    }


def _do(work: Work, step: Any, number: int, total: int) -> dict[str, Any]:
    """One operation. What a scan or a check refuses ends the job; anything else fails by itself."""
    work.ctx.checkpoint()
    work.ctx.progress(number, total, step.type)
    if step.type == "virus_scan":
        return {"operation": step.type, "status": "done", "files": [], **_verdict(work)}
    try:
        made = _how(step.type, work)(work, step)
    except Reject as refused:
        if step.type == "validate" or total == 1:
            raise
        work.ctx.log.error(f"{step.type}: {refused}")
        error = {"type": refused.reason, "message": str(refused)}
        return {"operation": step.type, "status": "failed", "files": [], "error": error}
    return {"operation": step.type, "status": "done", "files": [], **made}


def _how(operation: str, work: Work) -> Callable[[Work, Any], dict[str, Any]]:
    if (how := _HOW.get((operation, work.found.family))) is not None:
        return how
    if operation == "validate":
        return other_files.validate_any
    kinds = sorted(family for name, family in _HOW if name == operation)
    raise work.cannot(f"{operation} is for {' or '.join(kinds)} files")


def _scanned(
    ctx: Context, path: Path, content: bytes, called: str, id_: str, steps: Sequence[Any]
) -> dict[str, Any] | None:
    """What the scanners say, if they are asked: before anything else, so that a virus is called one."""
    step = next((one for one in steps if isinstance(one, VirusScan)), None)
    if step is None:
        return None
    kept = scan.quarantined(ctx, id_, path.name)
    return scan.look(ctx, content, called, path if step.quarantine else None, kept)


def _verdict(work: Work) -> dict[str, Any]:
    looked: dict[str, Any] | None = work.known["scan"]
    if looked is None:  # who asks for a scan must not take silence for a clean file
        raise Reject(f"{work.name} was not scanned, for there is no scanner: {scan.HOW_TO_SCAN}", "NotConfigured")
    return looked


def _not_quarantined(ctx: Context, source: Path, called: str, id_: str, steps: Sequence[Any]) -> None:
    """Say again what an attempt said that was killed after it had moved the file."""
    kept = scan.quarantined(ctx, id_, source.name)
    moves = any(isinstance(step, VirusScan) and step.quarantine for step in steps)
    if moves and not source.exists() and kept.with_suffix(".json").exists():
        raise Reject(f"{called} is infected and lies in the quarantine: {kept.name}", "virus")


def _keep(ctx: Context, work: Work, done: Sequence[dict[str, Any]], target: Path) -> None:
    """Put what was made where it stays, and say where that is."""
    made = [one for step in done for one in step["files"]]
    if not made:
        return
    files = [(Path(one["path"]), one["sha256"]) for one in made]
    ctx.checkpoint()
    for one, place in zip(made, shelve(ctx, ctx.job, files, target), strict=True):
        one["path"] = place
    ctx.log.info(f"{', '.join(one['name'] for one in made)} in {target}")


def _told(done: Sequence[dict[str, Any]]) -> dict[str, Any]:
    failed = [step for step in done if step["status"] == "failed"]
    if not failed:
        return {"success": True}
    first = failed[0]["error"]
    said = "; ".join(f"{step['operation']}: {step['error']['message']}" for step in failed)
    return {
        "success": False,
        "type": first["type"] if len(failed) == len(done) else "PartlyDone",
        "error": f"{len(failed)} of {len(done)} operations could not be done. {said}",
        "retryable": False,
    }
