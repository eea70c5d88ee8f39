"""`jobdesk assets`: what processing recorded."""

from typing import Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number


def add(commands: Group) -> None:
    noun = commands.noun("assets", "look at what processing recorded: metadata, renditions, checksums")
    listing = noun.command("list", "assets, newest first", _list, rest="words")
    listing.add_argument("words", metavar="WORD", nargs="*", help="only those whose record contains it")
    listing.add_argument("--limit", type=number(1), default=100, metavar="N", help="at most so many (default: 100)")
    noun.command("show", "everything about an asset", _show).add_argument("id", metavar="ID")


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.durations import size
        from jobdesk.ledger import reads

        found = reads.assets(desk.ledger, " ".join(args.words), args.limit)
        if out.json:
            out.document(found)
            return
        out.table(
            (
                Column("id"),
                Column("name", least=12),
                Column("type", drop=3),
                Column("size", right=True, drop=2),
                Column("pixels", right=True, drop=4),
                Column("made", least=8, drop=1),
            ),
            [
                (
                    str(asset.get("id", "")),
                    str(asset.get("name", "")),
                    str(asset.get("type", "")),
                    size(asset.get("bytes")) if out.terminal else str(asset.get("bytes", "")),
                    _pixels(asset, out),
                    ", ".join(_names(asset.get("renditions"))),
                )
                for asset in found
            ],
        )
        if not found:
            out.note("no asset fits" if args.words else "no assets yet: drop a picture into the inbox")


def _pixels(asset: dict[str, Any], out: Out) -> str:
    about = asset.get("metadata")
    for one in (asset, about if isinstance(about, dict) else {}):
        if one.get("width") and one.get("height"):
            return f"{one['width']}×{one['height']}" if out.terminal else f"{one['width']}x{one['height']}"
    return out.nothing


def _names(renditions: Any) -> list[str]:
    if isinstance(renditions, dict):
        return [str(name) for name in renditions]
    if isinstance(renditions, list):
        return [str(one.get("name") or one.get("kind") or one.get("path", "")) for one in renditions if one]
    return []


def _show(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.ledger import reads

        asset = reads.asset(desk.ledger, args.id)
        if out.json:
            out.document(asset)
        else:
            out.fields(_flat(asset))


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested values as dotted names."""
    if isinstance(value, dict) and value:
        return [pair for key, one in value.items() for pair in _flat(one, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list) and value and any(isinstance(one, dict | list) for one in value):
        return [pair for at, one in enumerate(value) for pair in _flat(one, f"{name}[{at}]")]
    if isinstance(value, list):
        return [(name, ", ".join(map(str, value)))]
    return [(name, "" if value is None else str(value))]
