"""`jobdesk folders add | set | remove`: drop folders beside those of the settings."""

import argparse
from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, Parser, number
from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.folders.rules import FolderRule

_LISTS = {"pattern": "patterns", "exclude": "exclude", "type": "types", "owner": "owners"}
_WORDS = (
    "pipeline", "source", "settle", "stable", "marker", "lock", "rescan", "watch", "duplicates", "min_size", "max_size",
    "depth", "ahead", "min_free",
)  # fmt: skip
_ADD_MORE = """
  jobdesk folders add ~/Scans --pipeline IMAGE_UPLOAD_REQUESTED --pattern '*.jpg' --type 'image/*' 'album={folder}'

The data of its jobs may hold {name} {stem} {suffix} {folder} {parts[0]} {relative} {size} {sha256} {modified}.
A consumer that works begins at once."""
_SET_MORE = """
  jobdesk folders set ~/Scans --settle 10s --max-size 50MB
  jobdesk folders set ~/Scans --unset max-size --unset pattern"""


def add(noun: Group) -> None:
    new = noun.command("add", "watch one more folder from now on", _add, rest="pairs", more=_ADD_MORE)
    new.add_argument("path", metavar="PATH")
    new.add_argument("pairs", metavar="key=value", nargs="*", help="data of its jobs")
    new.add_argument("--pipeline", metavar="P", required=True, help="the flow or job type that its files go to")
    _options(new)
    change = noun.command("set", "change a folder that was added", _set, rest="pairs", more=_SET_MORE)
    change.add_argument("path", metavar="PATH")
    change.add_argument("pairs", metavar="key=value", nargs="*", help="data of its jobs, besides what was said before")
    change.add_argument("--pipeline", metavar="P", help="the flow or job type that its files go to")
    change.add_argument(
        "--unset", metavar="NAME", action="append", default=[], help="take an option, or the data, back"
    )
    _options(change)
    gone = noun.command("remove", "watch a folder that was added no more; its files stay", _remove)
    gone.add_argument("path", metavar="PATH")


def _options(parser: Parser) -> None:
    several = {"action": "append", "default": None}
    parser.add_argument("--pattern", metavar="GLOB", **several, help="take only these; may be given again")  # type: ignore[arg-type]
    parser.add_argument("--exclude", metavar="GLOB", **several, help="but not these")  # type: ignore[arg-type]
    parser.add_argument("--type", metavar="TYPE", **several, help="take only this by content, like image/*")  # type: ignore[arg-type]
    parser.add_argument("--owner", metavar="USER", **several, help="take only files of this user")  # type: ignore[arg-type]
    parser.add_argument(
        "--recursive", action=argparse.BooleanOptionalAction, default=None, help="look into sub-folders"
    )
    parser.add_argument("--depth", type=number(0), metavar="N", help="at most so many sub-folders deep")
    parser.add_argument("--source", choices=("archive", "delete", "keep"), help="what becomes of a file that is done")
    parser.add_argument("--settle", metavar="TIME", help="how long a file must stay unchanged (default: 2s)")
    parser.add_argument("--stable", choices=("all", "size"), help="what of it: all, or its size alone")
    parser.add_argument("--marker", metavar="ENDING", help="whole only when NAME and this ending lies beside it: .done")
    parser.add_argument("--lock", metavar="ENDING", help="not whole while NAME and this ending lies beside it: .lck")
    parser.add_argument("--rescan", metavar="TIME", help="look through it so often, whatever is heard (default: 30s)")
    parser.add_argument("--watch", choices=("auto", "inotify", "poll"), help="how changes are noticed (default: auto)")
    parser.add_argument("--duplicates", choices=("skip", "process"), help="the same content again")
    parser.add_argument("--min-size", metavar="SIZE", help="refuse smaller files")
    parser.add_argument("--max-size", metavar="SIZE", help="refuse larger files, like 50MB, unread")
    parser.add_argument("--ahead", type=number(1), metavar="N", help="files at work at most; the rest waits")
    parser.add_argument("--min-free", metavar="SIZE", help="take nothing in with less free space")
    parser.add_argument("--data", metavar="JSON|@FILE|-", help="data of its jobs as a JSON object")


def _said(args: Args) -> dict[str, Any]:
    """What the options say, in the words of the settings."""
    said = {name: getattr(args, name) for name in _WORDS}
    said |= {key: getattr(args, option) for option, key in _LISTS.items()}
    said["recursive"] = args.recursive
    return {key: value for key, value in said.items() if value is not None}


def _data(args: Args, before: dict[str, Any]) -> dict[str, Any]:
    """Data of the options; pairs are laid over what was said before."""
    from jobdesk.cli.payload import data_of, merged

    return merged(data_of(args.data) if args.data is not None else before, args.pairs, {})


def _add(args: Args, out: Out) -> None:
    with opened(args) as desk:
        said = _said(args)
        data = _data(args, {})
        if data:
            said["data"] = data
        rule = desk.add_folder(args.path, said.pop("pipeline"), **said)
        _told(desk, rule, out, "is watched from now on")


def _set(args: Args, out: Out) -> None:
    with opened(args) as desk:
        changes: dict[str, Any] = {}
        for name in args.unset:
            key = name.lstrip("-").replace("-", "_")
            key = _LISTS.get(key, key)
            if key == "pipeline":
                raise UsageError("a drop folder needs a pipeline: name another with --pipeline")
            changes[key] = None
        changes |= _said(args)
        if args.data is not None or args.pairs:
            rule = desk.added_folder(args.path)
            changes["data"] = _data(args, dict(rule.data))
        if not changes:
            raise UsageError("say what to change. See `jobdesk folders set --help`")
        _told(desk, desk.set_folder(args.path, **changes), out, "is watched so from now on")


def _remove(args: Args, out: Out) -> None:
    with opened(args) as desk:
        path = desk.remove_folder(args.path)
        if out.json:
            out.document({"removed": str(path)})
        else:
            out.say(f"{path} is watched no more; its files stay, and what was taken in comes to its end")


def _told(desk: "Desk", rule: "FolderRule", out: Out, said: str) -> None:
    from jobdesk.cli.folders import row_of

    if out.json:
        out.document(row_of(desk, rule))
        return
    out.say(f"{rule.path} {said}" if desk.consumers() else f"{rule.path} is watched as soon as a consumer works")
