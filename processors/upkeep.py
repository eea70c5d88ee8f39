"""What a desk does to itself as jobs: backups, pruning, archives, checks of services, recounts.

Each opens the desk that runs it, like any program would; `Desk` does the work.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from jobdesk import Context, Desk, JobdeskError, Reject, Retry, processor

from . import ages, mail_server, snapshots
from .ages import Age, DryRun, OlderThan, OlderThanDays

QueueName = Annotated[str, Field(min_length=1, max_length=255)]
What = Literal["database", "settings", "all"]
State = Literal["completed", "cancelled", "failed", "expired"]
Keep = Annotated[int, Field(ge=1, le=10_000)]
_MAIL = "smtp"
_BEAT = 100
"""Jobs between two looks whether it was cancelled."""


@processor("backup", queue="maintenance", priority="low", timeout="10m", retries=1, retry_delay="1m")
def back_up(
    ctx: Context,
    type: What = "database",
    retention: Age | None = None,
    keep: Keep | None = None,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Copy the ledger while jobs run, check the copy, and remove backups that are too old."""
    return _backed_up(ctx, type, retention, keep, dry_run)


@processor("backup-data", queue="maintenance", priority="low", timeout="10m", retries=1, retry_delay="1m")
def back_up_data(
    ctx: Context,
    type: What = "all",
    retention: Age | None = None,
    keep: Keep | None = None,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Copy the ledger, the settings, processors, templates and themes, and check the copies."""
    return _backed_up(ctx, type, retention, keep, dry_run)


def _backed_up(ctx: Context, type: What, retention: str | None, keep: int | None, dry_run: bool) -> dict[str, Any]:
    folder = snapshots.folder(ctx, dry_run=dry_run)
    most = ctx.settings["backup"]["keep"] if keep is None else keep
    made: list[dict[str, Any]] = []
    if type in ("database", "all"):
        target = snapshots.free_name(folder, "jobdesk", ".db")
        told: dict[str, Any] = {"path": str(target), "kind": "database"}
        if not dry_run:
            with _opened(ctx) as desk:
                told |= {"jobs": desk.backup(target).jobs, "bytes": target.stat().st_size}
            ctx.artifact(target, "backup")
        made.append(told)
    ctx.checkpoint()
    if type in ("settings", "all"):
        target = snapshots.free_name(folder, "settings", ".tar.gz")
        told = {"path": str(target), "kind": "settings", "files": snapshots.members(ctx.home)}
        if not dry_run:
            told |= {"bytes": snapshots.pack(ctx.home, target, told["files"])}
            ctx.artifact(target, "backup")
        made.append(told)
    age_s = None if retention is None else ages.seconds(retention)
    kinds, new = [one["kind"] for one in made], [Path(one["path"]) for one in made]
    gone = snapshots.rotate(folder, kinds, most, age_s, dry_run=dry_run, made=new)
    freed = sum(bytes_ for _, bytes_ in gone)
    verb = "would write" if dry_run else "wrote"
    ctx.log.info(f"{verb} {', '.join(one['path'] for one in made)}; {len(gone)} former ones of {freed:,} bytes go")
    return {
        "type": type,
        "dry_run": dry_run,
        "backups": made,
        "bytes": sum(one.get("bytes", 0) for one in made),
        "removed": [str(path) for path, _ in gone],
        "removed_bytes": freed,
    }


@processor("cleanup-expired-jobs", queue="cleanup", priority="low", timeout="1h", retries=3)
def clean_up_expired_jobs(
    ctx: Context,
    older_than_days: OlderThanDays = None,
    older_than: OlderThan = None,
    queue: QueueName | None = None,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Remove ended jobs that are past their time, as retention and the queues' own limits say."""
    age_s = ages.chosen(older_than, older_than_days)
    with _opened(ctx) as desk:
        done = desk.prune(older_than=age_s, queue=queue, dry_run=dry_run, told=_teller(ctx, "removed"))
    verb = "would remove" if dry_run else "removed"
    ctx.log.info(f"{verb} {done['removed']:,} jobs, {done['bytes']:,} bytes; {done['expired']:,} expired")
    return {"dry_run": dry_run, **done}


@processor("archive", queue="cleanup", priority="low", timeout="2h", retries=3)
def archive(
    ctx: Context,
    older_than_days: OlderThanDays = None,
    older_than: OlderThan = None,
    states: Annotated[list[State], Field(min_length=1)] = ["completed", "cancelled"],  # noqa: B006  pydantic copies it
    queue: QueueName | None = None,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Move old ended jobs with their history into files, and out of the ledger once these are checked."""
    age_s = ages.chosen(older_than, older_than_days)
    with _opened(ctx) as desk:
        done = desk.archive(
            older_than=age_s, states=states, queue=queue, dry_run=dry_run, told=_teller(ctx, "archived")
        )
    for file in done["files"]:
        ctx.artifact(file["path"], "archive")
    verb = "would archive" if dry_run else "archived"
    ctx.log.info(f"{verb} {done['jobs']:,} jobs in {len(done['files']):,} files, {done['bytes']:,} bytes")
    return {"dry_run": dry_run, **done}


@processor("health-check-services", queue="maintenance", priority="low", timeout="10m", retries=1)
def check_services(ctx: Context, services: list[QueueName] | None = None) -> dict[str, Any]:
    """Ask every configured service whether it is there, and let health know."""
    found: dict[str, Any] = {}
    with _opened(ctx) as desk:
        known = {one.name: one.kind for one in desk.services() if one.url is not None}
        if unknown := [name for name in services or () if name not in known]:
            raise Reject(
                f"service {unknown[0]} is not configured: write [services.{unknown[0]}] with a url into jobdesk.toml",
                "NotConfigured",
            )
        wanted = sorted(set(services or known))
        for number, name in enumerate(wanted, 1):
            ctx.checkpoint()
            answer = desk.check_service(name, (lambda: _greeted(ctx)) if name == _MAIL else None)
            found[name] = {"healthy": answer.ok, "message": answer.message, "took_ms": answer.took_ms}
            (ctx.log.info if answer.ok else ctx.log.warning)(f"{name}: {answer.message}")
            ctx.progress(number, len(wanted), name)
        status = desk.health()["status"]
    healthy = sum(one["healthy"] for one in found.values())
    if not wanted:
        ctx.log.info("no service is configured: see [services.NAME] in jobdesk.toml")
    return {
        "checked": len(found), "healthy": healthy, "unhealthy": len(found) - healthy, "services": found,
        "status": status,
    }  # fmt: skip


def _greeted(ctx: Context) -> tuple[bool, str]:
    try:
        return True, mail_server.greet(ctx.settings["email"])
    except (Reject, Retry, OSError) as error:
        return False, str(error)


@processor("update-queue-stats", queue="maintenance", priority="low", timeout="30m", retries=1)
def update_queue_stats(ctx: Context) -> dict[str, Any]:
    """Hold the counts of all queues against what is there, correct them, and say how each queue does."""
    with _opened(ctx) as desk:
        corrected = desk.recount()
        ctx.progress(1, 2, "counted")
        lately, checks = desk.metrics(hours=1)["queues"], desk.health(detailed=True)["details"].get("queues", {})
        queues = {}
        for queue in desk.queues():
            counts, rates = {state.value: n for state, n in queue.counts.items()}, lately.get(queue.name, {})
            queues[queue.name] = {
                "waiting": counts["pending"],
                "active": counts["processing"],
                "delayed": queue.later,
                "completed": counts["completed"],
                "failed": queue.dead,
                "total": sum(counts.values()),
                "paused": queue.paused_at is not None,
                "processingRate": rates.get("processingRate", 0.0),
                "averageProcessingTime": rates.get("averageProcessingTime", 0),
                "healthStatus": checks.get(queue.name, {}).get("status", "healthy"),
            }
    wrong = sum(corrected.values())
    (ctx.log.warning if wrong else ctx.log.info)(f"{len(queues)} queues; {wrong:,} counts were wrong and are corrected")
    return {"corrected": corrected, "queues": queues}


@contextmanager
def _opened(ctx: Context) -> Iterator[Desk]:
    """The desk that runs this job. What the payload names and the desk does not know is an error for good."""
    desk = Desk(ctx.home)
    try:
        yield desk
    except JobdeskError as error:
        if error.code not in ("not_found", "usage"):
            raise
        raise Reject(str(error), "NotFound" if error.code == "not_found" else "data") from None
    finally:
        desk.close()


def _teller(ctx: Context, what: str) -> Callable[[int], None]:
    done = looked = 0

    def tell(count: int) -> None:
        nonlocal done, looked
        done += count
        if count != 1 or done >= looked + _BEAT:
            looked = done
            ctx.checkpoint()
            ctx.progress(done, None, f"{done:,} {what}")

    return tell
