"""`jobdesk audit` and `jobdesk undo`: what people did, and taking it back."""

import argparse
from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, Parser, number
from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from jobdesk.desk import Desk
    from jobdesk.ledger.audit_reads import Entry

_UNDO_MORE = """
For a day these can be undone: cancel, retry (while the job has not started), delete, clean, purge and drain, also of
many jobs; pause and resume; what flows and schedules were told. An undo is an action too: it is in the log, and may
be undone by its number. What has moved on since is left as it is, and said."""
_CSV = ("id", "at", "user", "surface", "terminal", "pid", "host", "action", "target", "query", "count", "jobs",
        "before", "after", "undoes", "undone_by", "command")  # fmt: skip


def add(commands: Group) -> None:
    parser = commands.command("audit", "what people did to this desk, newest first: who, when, to what", _list)
    group = Group(parser)
    parser.set_defaults(run=_list)
    _filters(parser)
    parser.add_argument("--limit", type=number(1), default=50, metavar="N", help="at most so many (default: 50)")
    export = group.command("export", "write the log to a file, oldest first: NDJSON, or CSV by its name", _export)
    export.add_argument("file", metavar="FILE", help="like audit.ndjson or audit.csv; - is standard output")
    _filters(export)
    undo = commands.command(
        "undo", "take back the last thing you did, or one of `jobdesk audit`", _undo, more=_UNDO_MORE
    )
    undo.add_argument("id", metavar="ID", nargs="?", type=_entry_id, help="its number in the log")
    undo.add_argument("--list", action="store_true", help="what can be undone")


def _filters(parser: Parser) -> None:
    for flag, metavar, about in (
        ("--since", "1d", "not before so long ago, or an instant like 2027-01-31T18:00Z"),
        ("--user", "NAME", "what this person did"),
        ("--action", "VERB", "only this: cancel, retry, delete, pause …"),
        ("--job", "ID", "what was done to this job; a deleted one by its full id"),
    ):
        parser.add_argument(flag, metavar=metavar, default=argparse.SUPPRESS, help=about)


def _entry_id(text: str) -> int:
    return number(1)(text.removeprefix("#"))


def _wanted(desk: "Desk", args: Args) -> dict[str, Any]:
    """The filters of a command line as `Desk.audit` takes them."""
    wanted: dict[str, Any] = {name: getattr(args, name) for name in ("user", "action") if hasattr(args, name)}
    if hasattr(args, "since"):
        wanted["since"] = _instant(args.since, desk.clock.now())
    if hasattr(args, "job"):
        from jobdesk.core.errors import NotFound

        try:
            wanted["job"] = desk.full_id(args.job)
        except NotFound:
            wanted["job"] = args.job
    return wanted


def _instant(text: str, now: float) -> float:
    from datetime import datetime

    from jobdesk.core.durations import seconds

    try:
        return now - seconds(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError(f"'{text}' is neither a duration like 1d nor an instant like 2027-01-31T18:00Z") from None


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        _print(desk, desk.audit(limit=args.limit, **_wanted(desk, args)), out)


def _print(desk: "Desk", found: "list[Entry]", out: Out) -> None:
    if out.json:
        out.document([one.to_json() for one in found])
        return
    now = desk.clock.now()
    out.table(
        (
            Column("#", right=True),
            Column("when"),
            Column("who", least=6),
            Column("by", drop=3),
            Column("did"),
            Column("to", least=16),
            Column("before", least=8, drop=1),
            Column("after", least=8, drop=1),
            Column("", drop=2),
        ),
        [
            (
                str(one.id),
                out.when(one.at, now),
                one.user,
                one.surface,
                one.action,
                one.what,
                _words(one.before),
                _words(one.after),
                f"undone by #{one.undone_by}" if one.undone_by else "can be undone" if one.undoable else "",
            )
            for one in found
        ],
    )
    if not found:
        out.note("nobody did anything yet")


def _words(told: Any) -> str:
    """Before or after, in one line."""
    import json

    if not isinstance(told, dict):
        return "" if told is None else str(told)
    if list(told) == ["states"]:
        return ", ".join(f"{count:,} {state}" for state, count in told["states"].items())
    if list(told) == ["state"]:
        return str(told["state"])
    pairs = ((key, value) for key, value in told.items() if value is not None)
    return " ".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in pairs)


def _export(args: Args, out: Out) -> None:
    from pathlib import Path

    from jobdesk.ledger import audit_reads

    with opened(args) as desk:
        found = audit_reads.entries(desk.ledger, oldest_first=True, **_wanted(desk, args))
        if args.file == "-":
            _write(found, out.stream, csv=False)
            return
        path = Path(args.file).expanduser()
        count = _to_file(found, path)
        if out.json:
            out.document({"file": str(path), "actions": count})
        else:
            out.say(f"{count:,} actions written to {path}")


def _to_file(found: "Iterator[Entry]", path: "Path") -> int:
    import os

    try:
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8", newline="") as stream:
            return _write(found, stream, csv=path.suffix.lower() == ".csv")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another place") from None


def _write(found: "Iterator[Entry]", stream: "TextIO", *, csv: bool) -> int:
    import json

    count = 0
    if not csv:
        for one in found:
            count += 1
            stream.write(json.dumps(one.to_json(), ensure_ascii=False) + "\n")
        return count
    import csv as tables

    rows = tables.writer(stream)
    rows.writerow(_CSV)
    for one in found:
        count += 1
        told = one.to_json()
        rows.writerow([_cell(" ".join(told[name]) if name == "jobs" else told[name]) for name in _CSV])
    return count


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    import json

    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and value else value


def _undo(args: Args, out: Out) -> None:
    with opened(args) as desk:
        if args.list:
            _print(desk, desk.undoable(), out)
            return
        done = desk.undo(args.id)
        if out.json:
            out.document(
                {
                    "id": done.id,
                    "undoes": done.entry.id,
                    "action": done.entry.action,
                    "jobs": done.jobs,
                    "refused": [{"of": name, "why": why} for name, why in done.refused.items()],
                }
            )
            return
        from jobdesk.cli.output import plain

        out.line(plain(f"undid #{done.entry.id}: {done.entry.action} {done.entry.what}"))
        for why in list(done.refused.values())[:20]:
            out.errors.write(f"jobdesk: not put back: {plain(why)}\n")
        if len(done.refused) > 20:
            out.errors.write(f"jobdesk: … and {len(done.refused) - 20:,} more were not put back\n")
