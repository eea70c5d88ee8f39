"""What every flow needs at its end: a record, a notice, and no leftovers."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from jobdesk import Context, Reject, processor

from . import headers, safefiles, staging
from .staging import UploadId

Label = Annotated[str, Field(min_length=1, max_length=255)]
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
Age = Annotated[str, Field(pattern=r"^\d+(\.\d+)?(ms|s|m|h|d|w)$")]


@processor("DATABASE_UPDATE", queue="upload.normal", timeout="1m", retries=3)
def record_asset(
    ctx: Context,
    upload_id: UploadId | None = None,
    source: Path | None = None,
    name: Label | None = None,
    album: Label | None = None,
    tags: list[Label] = [],  # noqa: B006  pydantic copies it
) -> dict[str, Any]:
    """Record an asset: where it lies, what it says of itself, its renditions and checksums."""
    id_ = upload_id or staging.new_id(ctx)
    stored = ctx.results.get("IMAGE_UPLOAD_PROCESSING")
    if stored is not None:
        facts = _of_flow(ctx.results, stored)
    elif source is not None:
        facts = _of_file(ctx, source)
    else:
        raise Reject("there is nothing to record: give source=FILE, or run it in a flow after IMAGE_UPLOAD_PROCESSING")
    record = {
        "id": id_,
        "name": name or (source or Path(facts["path"])).name,
        "album": album,
        "tags": tags,
        "user": ctx.user,
        "flow": ctx.flow,
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **facts,
    }
    ctx.asset(record)
    ctx.log.info(f"recorded {record['name']} as {id_}")
    return {
        "asset": id_,
        "name": record["name"],
        "path": facts["path"],
        "sha256": facts["sha256"],
        "bytes": facts["bytes"],
        "renditions": len(facts["renditions"]),
    }


@processor("NOTIFICATION_SEND", queue="notifications", priority="low", timeout="30s", retries=3)
def send_notification(
    ctx: Context, message: str, title: str = "jobdesk", level: Literal["info", "warning", "error"] = "info"
) -> dict[str, Any]:
    """Tell about something: in the job's log, and on the desktop where the settings say so."""
    write = {"info": ctx.log.info, "warning": ctx.log.warning, "error": ctx.log.error}[level]
    write(f"{title}: {message}")
    channels = ["log"]
    if ctx.settings["notify"]["desktop"]:
        problem = _show_on_desktop(title, message, level)
        if problem is None:
            channels.append("desktop")
        else:
            ctx.log.warning(f"not shown on the desktop: {problem}")
    return {"title": title, "message": message, "level": level, "channels": channels}


@processor("CLEANUP_TEMP_FILES", queue="upload.batch", priority="low", timeout="1h", retries=3)
def clean_up(
    ctx: Context,
    upload_id: UploadId | None = None,
    older_than: Age | None = None,
    dry_run: bool = False,
    name: Label | None = None,
) -> dict[str, Any]:
    """Remove the staged files of an upload, or of every upload at rest for longer than, say, 7d."""
    if (upload_id is None) == (older_than is None):
        raise Reject("give either upload_id=ID or older_than=7d")
    if upload_id is not None:
        found = [folder] if (folder := staging.folder(ctx, upload_id)).is_dir() else []
    else:
        found = list(staging.older_than(ctx, _seconds(older_than or "")))
    total = {"files": 0, "bytes": 0}
    for number, folder in enumerate(found, 1):
        ctx.checkpoint()
        weight = staging.weigh(folder)
        if not dry_run:
            staging.remove(folder)
        total = {key: total[key] + weight[key] for key in total}
        ctx.progress(number, len(found), folder.name)
    verb = "would remove" if dry_run else "removed"
    ctx.log.info(f"{verb} {total['files']} files, {total['bytes']:,} bytes, of {len(found)} uploads")
    return {"dry_run": dry_run, "uploads": [folder.name for folder in found][:1000], **total}


def _of_flow(results: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    about = dict(results.get("METADATA_EXTRACT", {}))
    request = results.get("IMAGE_UPLOAD_REQUESTED", {})
    original = stored["original"]
    return {
        "path": original["path"],
        "bytes": original["bytes"],
        "sha256": original["sha256"],
        "type": about.get("type") or request.get("type") or "application/octet-stream",
        "width": about.get("width") or request.get("width"),
        "height": about.get("height") or request.get("height"),
        "checksums": about.pop("checksums", {"sha256": original["sha256"]}),
        "metadata": about,
        "renditions": stored["renditions"],
        "scan": results.get("VIRUS_SCAN", {"scanned": False, "verdict": "not scanned: not part of this flow"}),
    }


def _of_file(ctx: Context, source: Path) -> dict[str, Any]:
    from . import pictures

    limits = ctx.settings["images"]
    content = safefiles.read_regular(source, limits["max_bytes"])
    header = headers.inspect(content, source.name, limits["max_pixels"], limits["max_frames"])
    width, height = pictures.upright(content, header)
    sha256 = hashlib.sha256(content).hexdigest()
    return {
        "path": str(source),
        "bytes": len(content),
        "sha256": sha256,
        "type": header.format.mime,
        "width": width,
        "height": height,
        "checksums": {"sha256": sha256},
        "metadata": {},
        "renditions": [],
        "scan": {"scanned": False, "verdict": "not scanned: recorded without a flow"},
    }


def _show_on_desktop(title: str, message: str, level: str) -> str | None:
    """Show a notice; why it could not be shown, or None."""
    program = shutil.which("notify-send")
    if program is None:
        return "the program notify-send is not installed"
    urgency = "critical" if level == "error" else "normal"
    command = [program, "--app-name=jobdesk", f"--urgency={urgency}", "--", title, message]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip() or "notify-send failed"


def _seconds(age: str) -> float:
    unit = age.lstrip("0123456789.")
    return float(age.removesuffix(unit)) * _UNITS[unit]
