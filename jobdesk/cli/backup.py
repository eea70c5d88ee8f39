"""`jobdesk backup` and `restore`: a checked copy of the ledger, and putting one in its place."""

from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group

if TYPE_CHECKING:
    from pathlib import Path

_MORE = """
The former database, sound or damaged, is kept beside the new one as jobdesk.db.before-restore-TIME. What was
submitted after the backup was made is not in it; what ran then goes back to its queue."""


def add(commands: Group) -> None:
    backup = commands.command("backup", "copy the ledger to a file, while jobs run", _backup)
    backup.add_argument("file", metavar="FILE", help="a former backup there is replaced once the new one is checked")
    restore = commands.command("restore", "put a backup in the place of the ledger", _restore, more=_MORE)
    restore.add_argument("file", metavar="FILE", help="what `jobdesk backup` made")


def _path(args: Args) -> "Path":
    import os
    from pathlib import Path

    return Path(os.path.abspath(Path(args.file).expanduser()))  # noqa: PTH100 - the words that the user gave, tidied


def _jobs(count: int) -> str:
    return f"{count:,} job{'s' * (count != 1)}"


def _backup(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.clock import iso
        from jobdesk.core.durations import size

        file = _path(args)
        copied = desk.backup(file)
        bytes_ = file.stat().st_size
        if out.json:
            newest = iso(copied.newest_at)
            out.document({"file": str(file), "bytes": bytes_, "jobs": copied.jobs, "newest_job_at": newest})
            return
        out.line(str(file))
        out.note(f"{_jobs(copied.jobs)} in {size(bytes_)}, checked")


def _restore(args: Args, out: Out) -> None:
    from jobdesk import home
    from jobdesk.backup import restore
    from jobdesk.core.actor import Actor
    from jobdesk.core.clock import SystemClock, iso

    prepared = home.prepare(home.locate(getattr(args, "home", None)), restores=True)
    done = restore(prepared, _path(args), SystemClock(), Actor.here("command", args.command_line))
    if out.json:
        out.document(
            {
                "database": str(prepared.database),
                "jobs": done.copied.jobs,
                "newest_job_at": iso(done.copied.newest_at),
                "kept": None if done.kept is None else str(done.kept),
                "missing_jobs": done.missing,
                "changed_jobs": done.changed,
                "given_back": done.given_back,
            }
        )
        return
    newest = f", the newest of {iso(done.copied.newest_at)}" if done.copied.jobs else ""
    out.line(f"restored {_jobs(done.copied.jobs)}{newest}")
    if done.given_back:
        out.line(f"ran when the backup was made and wait in their queues again: {_jobs(done.given_back)}")
    if done.kept is None:
        return
    if done.missing is None:
        out.line("the former database cannot be read, so what it had more is not known")
    elif done.missing or done.changed:
        missing, changed = _jobs(done.missing), _jobs(done.changed or 0)
        out.line(f"not in the backup, since they came later: {missing}; in another state before: {changed}")
    out.line(f"the former database is kept as {done.kept}")
