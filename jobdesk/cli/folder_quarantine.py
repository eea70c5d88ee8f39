"""`jobdesk folders quarantine | release | destroy`: what was found infected, and what becomes of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group
from jobdesk.core.names import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobdesk.folders.rejected import Refused


def add(noun: Group) -> None:
    noun.command("quarantine", "the infected files that are kept apart, newest first", _list)
    out = noun.command("release", "let a file out of the quarantine: only if you know that it is harmless", _release)
    out.add_argument("name", metavar="NAME", help="of the file in the quarantine, or how it begins")
    out.add_argument("--to", metavar="PATH", required=True, help="where it is put: a folder, or a name of its own")
    gone = noun.command("destroy", "delete files in the quarantine, and what is said of them", _destroy)
    gone.add_argument("names", metavar="NAME", nargs="*", help="of files in the quarantine, or how they begin")
    gone.add_argument("--all", action="store_true", help="all of them")
    gone.add_argument("--dry-run", action="store_true", help="only say which")
    gone.add_argument("--yes", action="store_true", help="do not ask")


def _row(one: "Refused") -> dict[str, Any]:
    from jobdesk.core.clock import iso

    return {
        "file": one.file, "name": one.name, "path": one.lies, "folder": one.folder or None, "size": one.size,
        "reason": one.reason, "message": one.message, "job": one.job, "at": iso(one.at),
    }  # fmt: skip


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        _show(out, desk.quarantined())


def _show(out: Out, found: "Sequence[Refused]") -> None:
    from jobdesk.core.durations import size

    if out.json:
        out.document([_row(one) for one in found])
        return
    out.table(
        (Column("file", least=32), Column("size", right=True, drop=2), Column("why", least=12, drop=1)),
        [(one.file, size(one.size) if out.terminal else str(one.size), one.message) for one in found],
    )
    if not found:
        out.note("nothing is in the quarantine")


def _release(args: Args, out: Out) -> None:
    with opened(args) as desk:
        one = desk.find_quarantined(args.name)
        target = desk.release_file(one, Path(args.to).expanduser().absolute())
        lies = shown(os.fsencode(target))
        if out.json:
            out.document({"released": one.file, "path": lies})
        else:
            out.say(f"{one.file} lies in {lies} now, readable by its owner only")


def _destroy(args: Args, out: Out) -> None:
    from jobdesk.cli.acting import confirmed
    from jobdesk.core.errors import UsageError

    if bool(args.names) == args.all:
        raise UsageError("say which files are to be deleted, or --all of them")
    with opened(args) as desk:
        found = desk.quarantined() if args.all else [desk.find_quarantined(name) for name in args.names]
        if args.dry_run:
            _show(out, found)
            return
        what = found[0].path.name if len(found) == 1 else f"{len(found)} files of the quarantine"
        if found and not args.yes and not confirmed(out, f"delete {what}?", must_ask=True):
            out.note("nothing was deleted")
            return
        desk.destroy_files(found)
        if out.json:
            out.document({"destroyed": [one.file for one in found]})
        else:
            out.say(f"deleted {what}" if found else "nothing is in the quarantine")
