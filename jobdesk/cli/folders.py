"""`jobdesk folders`: list, add, set, remove, scan, test, files, quarantine, release, destroy."""

import os
from typing import TYPE_CHECKING, Any

from jobdesk.cli import folder_changes, folder_quarantine
from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number
from jobdesk.core.errors import NotFound

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.folders.rules import FolderRule

STATES = ("waiting", "settling", "claimed", "queued", "running", "done", "rejected", "duplicate", "ignored")
_TONES = {"done": "ok", "rejected": "bad", "duplicate": "warn", "running": "run", "ignored": "faint"}


def add(commands: Group) -> None:
    noun = commands.noun("folders", "drop folders and their files")
    noun.command("list", "every drop folder and how it does", _list)
    folder_changes.add(noun)
    scan = noun.command("scan", "have drop folders looked through at once", _scan)
    scan.add_argument("path", metavar="PATH", nargs="?", help="only this one")
    test = noun.command("test", "what would happen to a file; nothing is changed", _test)
    test.add_argument("file", metavar="FILE")
    files = noun.command("files", "the files that drop folders saw, newest first", _files)
    files.add_argument("path", metavar="PATH", nargs="?", help="only those of this folder")
    files.add_argument("--state", choices=STATES, help="only those in this state")
    files.add_argument("--limit", type=number(1), default=100, metavar="N", help="at most so many (default: 100)")
    folder_quarantine.add(noun)


def _rows(desk: "Desk") -> list[dict[str, Any]]:
    """Every folder, with what whoever watches it reported."""
    return [row_of(desk, rule) for rule in desk.folder_rules()]


def row_of(desk: "Desk", rule: "FolderRule") -> dict[str, Any]:
    """One folder as `folders list --json` shows it. Durations are in seconds, sizes in bytes."""
    from jobdesk.ledger import folders

    known = folders.status(desk.ledger, str(rule.path))
    return {
        "path": str(rule.path),
        "pipeline": rule.pipeline,
        "mode": None,
        "origin": "added" if desk.is_added_folder(rule.path) else "settings",
        "patterns": list(rule.patterns),
        "exclude": list(rule.exclude),
        "recursive": rule.recursive,
        "depth": rule.levels,
        "source": rule.source,
        "settle": rule.settle_s,
        "stable": rule.stable,
        "marker": rule.marker,
        "lock": rule.lock,
        "rescan": rule.rescan_s,
        "watch": rule.watch,
        "duplicates": rule.duplicates,
        "types": list(rule.types),
        "min_size": rule.min_bytes,
        "max_size": rule.max_bytes,
        "owners": list(rule.owners),
        "ahead": rule.max_ahead,
        "min_free": rule.min_free_bytes,
        "data": desk.shown_data(rule),
        **known,
        "watched": known.get("consumer") in {consumer.id for consumer in desk.consumers()},
    }


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        rows = _rows(desk)
        if out.json:
            out.document(rows)
            return
        counted = ("waiting", "settling", "queued", "done", "rejected", "duplicate", "ignored")
        out.table(
            (
                Column("folder", least=16),
                Column("mode", tone=lambda cell: "bad" if cell == "offline" else "warn" if cell == "unwatched" else ""),
                *(Column(name, right=True, drop=4 if name in ("ignored", "settling") else 0) for name in counted),
                Column("becomes", least=8, drop=1),
                Column("", least=10, tone=lambda cell: "warn"),
            ),
            [
                (
                    row["path"],
                    row["mode"] if row["watched"] else "unwatched",
                    *(str(row.get(name, 0)) for name in counted),
                    row["pipeline"],
                    row.get("message") or "",
                )
                for row in rows
            ],
        )


def _find(desk: "Desk", path: str) -> str:
    """The folder of the settings that the user means, as the ledger names it."""
    from pathlib import Path

    rows = _rows(desk)
    wanted = {str(Path(path).expanduser().absolute()), str(desk.home.path / path), os.path.realpath(path)}
    for row in rows:
        if row["path"] in wanted or os.path.realpath(row["path"]) in wanted:
            return str(row["path"])
    known = ", ".join(str(row["path"]) for row in rows) or "none"
    raise NotFound(f"{path} is not a drop folder: there are {known}")


def _scan(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.ledger import folders

        paths = None if args.path is None else [_find(desk, args.path)]
        with desk.ledger.write() as tx:
            asked = folders.want_scan(tx, paths)
        watched = bool(desk.consumers())
        if out.json:
            out.document({"folders": asked, "watched": watched})
        else:
            said = f"{asked} folder{'s' * (asked != 1)} looked through now"
            out.say(said if watched else "no consumer works on this home: they are looked through when one starts")


def _test(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from pathlib import Path

        file = Path(args.file).expanduser().absolute()
        if not os.path.lexists(file):
            raise NotFound(f"there is no file {file}")
        said = desk.explain_file(file)
        parents = {os.path.realpath(parent) for parent in file.parents}
        if out.json:
            document = [
                {
                    "folder": str(rule.path),
                    "pipeline": rule.pipeline,
                    "outcome": found.outcome,
                    "explanation": found.text,
                    "size": found.size,
                    "detected_type": found.detected_type,
                    "checks": [check.to_json() for check in found.checks],
                }
                for rule, found in said
            ]
            inside = any(os.path.realpath(rule.path) in parents for rule, _ in said)
            out.document({"file": str(file), "inside": inside, "folders": document})
            return
        for _, found in said:
            out.line(found.text)
            for check in found.checks:
                sign = {True: "yes", False: "NO", None: "-"}[check.passed]
                out.line(f"  {sign:<4}{check.rule:<10} {check.said}")
        if not said:
            out.note("there is no drop folder")


def _files(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.durations import size
        from jobdesk.ledger import folders

        folder = None if args.path is None else _find(desk, args.path)
        found = folders.files(desk.ledger, folder, args.state, args.limit)
        if out.json:
            out.document(found)
            return
        out.table(
            (
                Column("state", tone=lambda cell: _TONES.get(cell, "")),
                Column("file", least=16),
                Column("size", right=True, drop=2),
                Column("job", drop=3),
                Column("why", least=12, drop=1),
            ),
            [
                (
                    row["state"],
                    row["path"] if folder or len(desk.folder_rules()) == 1 else f"{row['folder']}/{row['path']}",
                    size(row["size"]) if out.terminal else str(row["size"] if row["size"] is not None else ""),
                    row["job"] or out.nothing,
                    ": ".join(part for part in (row["reason"], row["message"]) if part),
                )
                for row in found
            ],
        )
        if not found:
            out.note("no file fits" if args.state or args.path else "no file was dropped yet")
