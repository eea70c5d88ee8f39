"""`jobdesk logs`: the desk's own log, of all its consumers and terminal apps."""

from collections.abc import Mapping
from typing import Any

from jobdesk.cli.jobs import add_log_filters
from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, number

_TONES = {"error": "bad", "critical": "bad", "warning": "warn", "debug": "faint"}


def add(commands: Group) -> None:
    parser = commands.command(
        "logs",
        "what the desk itself logged, oldest first",
        _logs,
        more="\nIts files are in HOME/logs, one JSON object a line. For the log of a job: jobdesk jobs logs ID",
    )
    parser.add_argument("--follow", action="store_true", help="go on until interrupted (NDJSON with --json)")
    add_log_filters(parser)
    parser.add_argument("--limit", type=number(1), default=100, metavar="N", help="newest shown (default: 100)")


def _logs(args: Args, out: Out) -> None:
    with opened(args) as desk:
        lines = desk.own_log(follow=args.follow, level=args.level, since=args.since, last=args.limit)
        if out.json and not args.follow:
            out.document(list(lines))
            return
        for line in lines:
            if out.json:
                out.record(line)
            else:
                out.line(_shown(line, out), flush=args.follow)


def _shown(line: Mapping[str, Any], out: Out) -> str:
    from jobdesk.cli.output import plain
    from jobdesk.core.clock import instant

    level = str(line.get("level", "info"))
    more = [f"{name}={value}" for name, value in line.items() if name not in ("at", "level", "event", "logger")]
    said = plain("  ".join([str(line.get("event", "")), *more]))
    if not out.terminal:
        return "\t".join((str(line.get("at", "")), level, said))
    at = out.clock_time(instant(str(line["at"]))) if "at" in line else out.nothing
    return f"{out.paint(at, 'faint')}  {out.paint(f'{level:<7}', _TONES.get(level, ''))}  {said}"
