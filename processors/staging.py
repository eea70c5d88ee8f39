"""Where an upload lies between its first step and its last: STORAGE/.staging/UPLOAD/."""

import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context

UploadId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
"""An upload's id; it names folders, so nothing else may be in it."""


def storage(ctx: Context) -> Path:
    """The folder for what processing produced."""
    return Path(ctx.settings["storage"]["path"])


def folder(ctx: Context, upload_id: str) -> Path:
    """The folder of one upload while it is under way."""
    return storage(ctx) / ".staging" / upload_id


def final_folder(ctx: Context, upload_id: str, received: datetime, album: str | None) -> Path:
    """Where an upload's files will lie in the storage, as `storage.key` has it."""
    parts = ctx.settings["storage"]["key"].removesuffix("/{name}").split("/")
    values = {
        "year": f"{received:%Y}", "month": f"{received:%m}", "day": f"{received:%d}", "upload": upload_id,
        "user": _part(ctx.user or "nobody"), "album": _part(album or "none"),
    }  # fmt: skip
    return storage(ctx).joinpath(*(part.format_map(values) for part in parts))


def _part(words: str) -> str:
    """What people wrote, fit to be one part of a path and of a URL."""
    return re.sub(r"[^\w.-]+", "-", words).strip("-.")[:80] or "none"


def new_id(ctx: Context) -> str:
    """The id of the upload that this job begins; the same in every attempt."""
    return "upload_" + ctx.job.partition("_")[2]


def older_than(ctx: Context, age_s: float) -> Iterator[Path]:
    """Folders of uploads in which nothing was written for `age_s` seconds."""
    parent = storage(ctx) / ".staging"
    limit = time.time() - age_s
    for found in sorted(parent.iterdir()) if parent.is_dir() else ():
        if found.is_symlink() or not found.is_dir():
            continue
        if max(one.lstat().st_mtime for one in (found, *found.rglob("*"))) < limit:
            yield found


def weigh(path: Path) -> dict[str, Any]:
    """How many files lie in a folder and how many bytes they are."""
    sizes = [one.lstat().st_size for one in path.rglob("*") if not one.is_dir()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def remove(path: Path) -> None:
    """Remove a folder with all that is in it; it need not be there."""
    shutil.rmtree(path, ignore_errors=False) if path.is_dir() else None
