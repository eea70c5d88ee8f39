"""`jobdesk service`: let the system start a consumer, watch it, and start it again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group

if TYPE_CHECKING:
    from jobdesk.autostart import Plan

_NOT_RUNNING, _NOT_INSTALLED = 1, 4


def add(commands: Group) -> None:
    noun = commands.noun("service", "a consumer that the system starts and watches (systemd, launchd)")
    for verb, run, about in (
        ("install", _install, "let the system run a consumer of this home, now and from now on"),
        ("remove", _remove, "stop it, and let the system forget it"),
        ("status", _status, "how it is; exits 1 if it does not run, 4 if there is none"),
    ):
        command = noun.command(verb, about, run)
        command.add_argument("--name", metavar="NAME", default="jobdesk", help="of the service (default: jobdesk)")
        if verb != "status":
            command.add_argument("--dry-run", action="store_true", help="only show what would be done")


def _plan(args: Args) -> "Plan":
    import os

    from jobdesk.autostart import plan
    from jobdesk.home import locate

    return plan(locate(getattr(args, "home", None)), args.name, os.environ)


def _install(args: Args, out: Out) -> None:
    from jobdesk import autostart

    wanted = _plan(args)
    if not args.dry_run:
        with opened(args) as desk:
            desk.config  # noqa: B018 -- settings that are wrong are refused now, not at every start
        autostart.install(wanted)
    if out.json:
        out.document(_document(wanted, wanted.install, args.dry_run) | {"content": wanted.content})
    elif args.dry_run:
        out.line(f"# {wanted.file}")
        out.line(wanted.content)
        _show(wanted.install, out)
    else:
        out.say(f"{wanted.name} is installed and runs: {wanted.file}")
        out.note(wanted.hint)


def _remove(args: Args, out: Out) -> int:
    from jobdesk import autostart

    wanted = _plan(args)
    if not wanted.file.exists():
        return _missing(wanted, out)
    if not args.dry_run:
        autostart.remove(wanted)
    if out.json:
        out.document(_document(wanted, wanted.remove, args.dry_run))
    elif args.dry_run:
        _show([*wanted.remove[:1], ("rm", str(wanted.file)), *wanted.remove[1:]], out)
    else:
        out.say(f"{wanted.name} is gone")
    return 0


def _status(args: Args, out: Out) -> int:
    from jobdesk import autostart

    wanted = _plan(args)
    if not wanted.file.exists():
        return _missing(wanted, out)
    said = autostart.status(wanted)
    active = autostart.is_active(said)
    if out.json:
        out.document({"name": wanted.name, "file": str(wanted.file), "installed": True, "active": active, "says": said})
    else:
        out.line(out.paint("it runs" if active else "it does not run", "ok" if active else "bad"))
        out.fields([("service", wanted.name), ("file", str(wanted.file)), *said.items()])
    return 0 if active else _NOT_RUNNING


def _missing(wanted: "Plan", out: Out) -> int:
    if out.json:
        out.document({"name": wanted.name, "file": str(wanted.file), "installed": False, "active": False, "says": {}})
    else:
        out.line(f"there is no service {wanted.name}: `jobdesk service install` makes one")
    return _NOT_INSTALLED


def _document(wanted: "Plan", commands: Sequence[Sequence[str]], dry_run: bool) -> dict[str, object]:
    return {"name": wanted.name, "file": str(wanted.file), "commands": commands, "dryRun": dry_run}


def _show(commands: Sequence[Sequence[str]], out: Out) -> None:
    import shlex

    for words in commands:
        out.line(shlex.join(words))
