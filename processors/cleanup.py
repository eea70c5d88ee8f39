"""Removing files that are old: staged and unfinished ones, what failed generations left, logs, ended drop files.

Nothing is removed outside the home, the storage and the drop folders, nothing through a link, and nothing that a job in
flight needs.
"""

import re
import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from jobdesk import Context, Desk, JobdeskError, Reject, processor

from . import ages, staging, sweeping
from .ages import DryRun, OlderThan, OlderThanDays
from .sweeping import Swept

_GENERATIONS = "type:image-generation,image-generation-batch state:failed,expired"
_FOLDER = re.compile(r"[A-Za-z0-9][\w-]*")
_PAGE = 500
_ALL = ("temp-files", "failed-generations", "old-logs")
"""Of `all`: what people dropped is never among it."""


def _kind(word: Any) -> Any:
    """`remove_old_logs` and `temp_files` as the documents have them are old-logs and temp-files."""
    return word.strip().lower().replace("_", "-").removeprefix("remove-") if isinstance(word, str) else word


Kind = Annotated[
    Literal["temp-files", "failed-generations", "old-logs", "done-files", "rejected-files", "all"],
    BeforeValidator(_kind),
]


@processor("file-cleanup", queue="file-cleanup", priority="low", timeout="1h", retries=3)
def clean_files(
    ctx: Context,
    type: Kind = "all",
    older_than_days: OlderThanDays = None,
    older_than: OlderThan = None,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Remove temporary files, what failed generations left, and old logs."""
    return _cleaned(ctx, type, ages.chosen(older_than, older_than_days), dry_run)


@processor("cleanup", queue="cleanup", priority="low", timeout="1h", retries=3)
def clean(
    ctx: Context,
    action: Kind | None = None,
    type: Kind | None = None,
    older_than: OlderThan = None,
    older_than_days: OlderThanDays = None,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Remove temporary files, what failed generations left, and old logs, as `action` says."""
    if action is not None and type is not None and action != type:
        raise Reject("action and type say different things: give one of them", "data")
    return _cleaned(ctx, action or type or "all", ages.chosen(older_than, older_than_days), dry_run)


def _cleaned(ctx: Context, kind: Kind, age_s: float | None, dry_run: bool) -> dict[str, Any]:
    kinds = _ALL if kind == "all" else (kind,)
    total, jobs, paths = {"files": 0, "bytes": 0}, 0, list[str]()
    told: dict[str, Any] = {}
    with closing(Desk(ctx.home)) as desk:
        for number, one in enumerate(kinds, 1):
            own_s = float(ctx.settings["cleanup"][one.replace("-", "_")]) if age_s is None else age_s
            swept = Swept(dry_run, ctx.checkpoint)
            gone = _SWEEPS[one](ctx, desk, swept, time.time() - own_s)
            told[one] = {"files": swept.files, "bytes": swept.bytes, "jobs": gone, "older_than_s": own_s}
            jobs, paths = jobs + gone, paths + swept.paths
            total = {"files": total["files"] + swept.files, "bytes": total["bytes"] + swept.bytes}
            verb = "would remove" if dry_run else "removed"
            ctx.log.info(f"{one}: {verb} {swept.files:,} files, {swept.bytes:,} bytes, {gone:,} jobs")
            ctx.progress(number, len(kinds), one)
    return {"type": kind, "dry_run": dry_run, **total, "jobs": jobs, "of": told, "paths": paths[:1000]}


def _temp_files(ctx: Context, desk: Desk, swept: Swept, before: float) -> int:
    """Staged uploads at rest, working folders that nobody works in, unfinished files of the storage."""
    storage = staging.storage(ctx).resolve()
    staged = {one.name: one for one in sweeping.at_rest(storage / ".staging", before)}
    used = desk.in_use(staged)
    for name, folder in staged.items():
        if name not in used:
            swept.tree(folder)
    work = {one: one.name.rpartition("-")[0] for one in sweeping.at_rest(ctx.home / "run" / "work", before)}
    used = desk.in_use(set(work.values()))
    for folder, job in work.items():
        if job not in used:
            swept.tree(folder)
    sweeping.unfinished(swept, storage, before, without=storage / ".staging")
    return 0


def _failed_generations(ctx: Context, desk: Desk, swept: Swept, before: float) -> int:
    """Failed jobs that were to make a picture, what they made so far, and what of it was stored but not recorded."""
    found, page = dict[str, str](), None
    while True:
        listed = desk.jobs(_GENERATIONS, limit=_PAGE, page=page)
        found |= {
            job.id: str(job.data.get("generation_id") or "gen_" + job.id.partition("_")[2])
            for job in listed.jobs
            if job.finished_at is not None and job.finished_at < before
        }
        page = listed.next
        if page is None:
            break
    used, storage = desk.in_use({*found, *found.values()}), staging.storage(ctx).resolve()
    for id_, generation in found.items():
        folders = [storage / ".staging" / id_]
        if _FOLDER.fullmatch(generation) and generation not in used and not _is_recorded(desk, generation):
            folders.append(storage / "generated" / generation)
        for folder in folders:
            if sweeping.is_folder(folder.parent) and sweeping.is_folder(folder):
                swept.tree(folder)
    if swept.dry_run or not found:
        return len(found)
    refused = [why for why in desk.each("delete", list(found)).values() if why is not None]
    for why in refused:
        ctx.log.warning(why)
    return len(found) - len(refused)


def _is_recorded(desk: Desk, asset: str) -> bool:
    try:
        return bool(desk.asset(asset)["id"] == asset)
    except JobdeskError as error:
        if error.code != "not_found":  # a ledger that cannot be read now says nothing about it
            raise
        return False


def _old_logs(ctx: Context, desk: Desk, swept: Swept, before: float) -> int:
    for path, bytes_ in desk.forget_logs(before, dry_run=swept.dry_run):
        swept.note(path, 1, bytes_)
    return 0


def _ended_files(corner: str) -> Callable[[Context, Desk, Swept, float], int]:
    def sweep(ctx: Context, desk: Desk, swept: Swept, before: float) -> int:
        """Of every drop folder, those that cannot be written (whose corner is in the home) included."""
        kept = ctx.home / "kept"
        places = [rule.path for rule in desk.folder_rules()]
        places += sorted(kept.iterdir()) if sweeping.is_folder(kept) else []
        for place in places:
            sweeping.ended_files(swept, place / corner, before)
        return 0

    return sweep


_SWEEPS: dict[str, Callable[[Context, Desk, Swept, float], int]] = {
    "temp-files": _temp_files,
    "failed-generations": _failed_generations,
    "old-logs": _old_logs,
    "done-files": _ended_files("_done"),
    "rejected-files": _ended_files("_rejected"),
}
