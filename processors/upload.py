"""The upload of a picture: what is asked for, put in its place, and reported, step by step.

    IMAGE_UPLOAD_REQUESTED ── VIRUS_SCAN ─┬─ METADATA_EXTRACT ──┐
                                          ├─ THUMBNAIL_GENERATE ┼─ IMAGE_UPLOAD_PROCESSING ── DATABASE_UPDATE
                                          └─ IMAGE_RESIZE ──────┘                                  │
              NOTIFICATION_SEND, CLEANUP_TEMP_FILES ── IMAGE_UPLOAD_COMPLETED ─────────────────────┘

If any of them fails, what waits for it is cancelled and IMAGE_UPLOAD_FAILED runs. The staged files
stay, so that retrying the failed step resumes the flow.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context, Reject, processor

from . import headers, remote, safefiles, staging, taking
from .spelling import either
from .staging import UploadId

Label = Annotated[str, Field(min_length=1, max_length=255)]


BY_PRIORITY = {"high": "upload.high-priority", "low": "upload.batch"}


@processor(
    "IMAGE_UPLOAD_REQUESTED", queue="upload.normal", timeout="2m", retries=3, queues=BY_PRIORITY,
    memory_limit=headers.MEMORY,
)  # fmt: skip
def request_upload(
    ctx: Context,
    source: taking.Source = None,
    source_url: taking.SourceUrl = None,
    name: Label | None = None,
    upload_id: Annotated[UploadId | None, either("upload_id")] = None,
    album: Label | None = None,
    tags: list[Label] = [],  # noqa: B006  pydantic copies it
    user_id: Annotated[Label | None, either("user_id")] = None,
    image_id: Annotated[Label | None, either("image_id")] = None,
) -> dict[str, Any]:
    """Check a picture by content and size, take a copy, and start its upload."""
    called = safefiles.shown(name or taking.called(source, source_url))
    upload = upload_id or staging.new_id(ctx)
    ctx.on_failure("IMAGE_UPLOAD_FAILED", {"upload_id": upload, "name": called})
    limits = ctx.settings["images"]
    with taking.local(ctx, source, source_url, limits["max_bytes"]) as file:
        content = safefiles.read_regular(file, limits["max_bytes"])
    from . import pictures

    header = headers.inspect(content, called, limits["max_pixels"], limits["max_frames"])
    width, height = pictures.upright(content, header)
    suffix = Path(called).suffix.lower()
    if suffix and suffix not in (header.format.extension, *header.format.also):
        ctx.log.warning(f"{called} is named {suffix} but holds {header.format.name}: its content decides")
    staged = safefiles.write_whole(staging.folder(ctx, upload) / f"original{header.format.extension}", content)
    ctx.log.info(f"{called}: {width}×{height} {header.format.name}, {staged.bytes:,} bytes")
    received = datetime.now(UTC)
    seen = f"{width}×{height} {header.format.name}"
    _submit_steps(ctx, upload, called, staged.path, seen, received, album, tags)
    return {
        "upload_id": upload,
        "name": called,
        "album": album,
        "source": str(source or source_url),
        "staged": str(staged.path),
        "format": header.format.name,
        "type": header.format.mime,
        "width": width,
        "height": height,
        "bytes": staged.bytes,
        "sha256": staged.sha256,
        "received_at": _instant(received),
        "user_id": user_id,
        "image_id": image_id,
    }


@processor("IMAGE_UPLOAD_PROCESSING", queue="upload.normal", timeout="5m", retries=3, queues=BY_PRIORITY)
def store_upload(
    ctx: Context,
    source: Path,
    upload_id: UploadId | None = None,
    output: Path | None = None,
    renditions: list[dict[str, Any]] | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Put the original and its renditions at their place in the storage, each checked by its checksum."""
    upload = upload_id or staging.new_id(ctx)
    folder = output or staging.final_folder(ctx, upload, datetime.now(UTC), None)
    if renditions is None:
        renditions = [
            one
            for step in ("THUMBNAIL_GENERATE", "IMAGE_RESIZE")
            for one in ctx.results.get(step, {}).get("renditions", [])
        ]
    expected = ctx.results.get("IMAGE_UPLOAD_REQUESTED", {}).get("sha256")
    if remote.is_remote(ctx) and folder.is_relative_to(staging.storage(ctx)):
        return _store_remotely(ctx, upload, source, expected, folder, renditions)
    original = _store(ctx, source, folder, expected)
    ctx.progress(1, 1 + len(renditions), source.name)
    stored = []
    for number, rendition in enumerate(renditions, 2):
        ctx.checkpoint()
        placed = _store(ctx, Path(rendition["path"]), folder, rendition.get("sha256"))
        stored.append(rendition | placed)
        ctx.artifact(placed["path"], "image")
        ctx.progress(number, 1 + len(renditions), rendition["name"])
    safefiles.sync_folder(folder)
    ctx.artifact(original["path"], "image")
    ctx.log.info(f"stored {1 + len(stored)} files in {folder}")
    return {"upload_id": upload, "folder": str(folder), "original": original, "renditions": stored}


@processor("IMAGE_UPLOAD_COMPLETED", queue="upload.events", priority="normal", timeout="30s", isolation="thread")
def complete_upload(ctx: Context, upload_id: UploadId | None = None, name: str | None = None) -> dict[str, Any]:
    """Note that an upload is done and what came of it."""
    asset = ctx.results.get("DATABASE_UPDATE", {})
    scan = ctx.results.get("VIRUS_SCAN", {})
    called = name or asset.get("name") or upload_id or ctx.job
    ctx.log.info(f"{called} is in the library ({scan.get('verdict', 'not scanned')})")
    return {
        "upload_id": upload_id or asset.get("asset"),
        "name": called,
        "asset": asset.get("asset"),
        "renditions": asset.get("renditions", 0),
        "verdict": scan.get("verdict", "not scanned"),
        "completed_at": _instant(datetime.now(UTC)),
    }


@processor("IMAGE_UPLOAD_FAILED", queue="upload.events", priority="normal", timeout="30s", isolation="thread")
def fail_upload(
    ctx: Context,
    upload_id: UploadId | None = None,
    name: str | None = None,
    failed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Note why an upload failed and tell about it; its staged files stay for a retry."""
    failed = failed or {}
    called = name or upload_id or "an upload"
    error = failed.get("error")
    reason = error.get("type") if isinstance(error, dict) else error
    message = (
        failed.get("message") or (error.get("message") if isinstance(error, dict) else None) or "no reason was given"
    )
    ctx.log.error(f"{called}: {message}")
    if upload_id is not None and failed.get("type") == "IMAGE_UPLOAD_PROCESSING" and remote.is_remote(ctx):
        ctx.submit("STORAGE_ROLLBACK", {"upload_id": upload_id}, optional=True)
    ctx.submit(
        "NOTIFICATION_SEND",
        {
            "title": f"{called} was not uploaded",
            "message": f"{message} ({failed.get('type', 'unknown step')}, {failed.get('job', 'unknown job')})",
            "level": "error",
        },
        queue="notifications",
        priority="low",
        optional=True,
    )
    return {
        "upload_id": upload_id,
        "name": name,
        "reason": reason or "unknown",
        "message": message,
        "failed_type": failed.get("type"),
        "failed_job": failed.get("job"),
        "failed_at": _instant(datetime.now(UTC)),
    }


def _submit_steps(
    ctx: Context,
    upload: str,
    name: str,
    staged: Path,
    seen: str,
    received: datetime,
    album: str | None,
    tags: list[str],
) -> None:
    picture, folder = {"source": str(staged), "name": name}, staged.parent
    scan = ctx.submit(
        "VIRUS_SCAN",
        picture | {"upload_id": upload, "quarantine": True},
        queue="upload.high-priority",
        priority="high",
    )
    pictures = [
        ctx.submit("METADATA_EXTRACT", picture, after=[scan]),
        ctx.submit("THUMBNAIL_GENERATE", picture | {"output": str(folder / "thumbnails")}, after=[scan]),
        ctx.submit("IMAGE_RESIZE", picture | {"output": str(folder / "renditions")}, after=[scan]),
    ]
    final = str(staging.final_folder(ctx, upload, received, album))
    same = ctx.queue if ctx.queue in BY_PRIORITY.values() else None  # the queue that its priority has chosen
    stored = ctx.submit(
        "IMAGE_UPLOAD_PROCESSING", picture | {"upload_id": upload, "output": final}, after=pictures, queue=same
    )
    data = {"upload_id": upload, "name": name, "album": album, "tags": tags}
    recorded = ctx.submit("DATABASE_UPDATE", data, after=[stored], queue=same)
    completed = ctx.submit("IMAGE_UPLOAD_COMPLETED", {"upload_id": upload, "name": name}, after=[recorded])
    ctx.submit(
        "NOTIFICATION_SEND",
        {"title": f"{name} is in the library", "message": f"{seen}, upload {upload}", "level": "info"},
        priority="low",
        after=[completed],
        optional=True,
    )
    ctx.submit(
        "CLEANUP_TEMP_FILES", {"upload_id": upload, "name": name}, priority="low", after=[completed], optional=True
    )


def _store_remotely(
    ctx: Context, upload: str, source: Path, sha256: str | None, folder: Path, renditions: list[dict[str, Any]]
) -> dict[str, Any]:
    prefix = folder.relative_to(staging.storage(ctx)).as_posix()
    files = [(source, sha256), *((Path(one["path"]), one.get("sha256")) for one in renditions)]
    pieces, placed = [], []
    for path, expected in files:
        size, found = _checked(ctx, path, expected)
        pieces.append(remote.Piece(path, f"{prefix}/{path.name}", found))
        placed.append({"bytes": size, "sha256": found})
    for one, address in zip(placed, remote.store(ctx, upload, pieces), strict=True):
        one["path"] = address
    where = remote.url_of(ctx.settings["storage"], prefix)
    ctx.log.info(f"stored {len(pieces)} files in {where}")
    stored = [one | at for one, at in zip(renditions, placed[1:], strict=True)]
    return {"upload_id": upload, "folder": where, "original": placed[0], "renditions": stored}


def _checked(ctx: Context, source: Path, sha256: str | None) -> tuple[int, str]:
    """Size and checksum of a file that was made before; it must not have changed."""
    content = safefiles.read_regular(source, max(ctx.settings["images"]["max_bytes"], 100_000_000))
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise Reject(f"{source} changed since it was made: submit the upload again", reason="corrupt")
    return len(content), found


def _store(ctx: Context, source: Path, folder: Path, sha256: str | None) -> dict[str, Any]:
    size, found = _checked(ctx, source, sha256)
    target = folder / source.name
    safefiles.place(source, target)
    return {"path": str(target), "bytes": size, "sha256": found}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
