"""`jobdesk events`: what happens, as lines or NDJSON."""

from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number

if TYPE_CHECKING:
    from jobdesk.core.events import Event
    from jobdesk.desk import Desk

_TONES = {
    "job_completed": "ok",
    "job_failed": "bad",
    "job_expired": "bad",
    "job_stalled": "warn",
    "job_retry": "warn",
    "job_started": "run",
    "file_rejected": "bad",
    "alert_raised": "warn",
    "alert_cleared": "ok",
}
COLUMNS = (
    Column("time"),
    Column("event", tone=lambda cell: _TONES.get(cell, "")),
    Column("queue", least=10, drop=2),
    Column("job", drop=1),
    Column("what", least=16),
)


def add(commands: Group) -> None:
    parser = commands.command(
        "events",
        "what happened, oldest first",
        _events,
        more="\nWithout --since it shows the newest; --follow alone starts with what happens from now on.",
    )
    parser.add_argument("--follow", action="store_true", help="go on until interrupted (NDJSON with --json)")
    parser.add_argument(
        "--updates",
        action="store_true",
        help="changes of jobs only, as NDJSON of job_update messages with their status",
    )
    parser.add_argument("--since", type=number(), metavar="ID", help="those with a higher id")
    parser.add_argument("--limit", type=number(1), default=100, metavar="N", help="newest shown (default: 100)")


def _events(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.ledger import reads

        if args.updates:
            _updates(desk, args, out)
            return
        if args.follow:
            desk.wake.listen()
            since = args.since
            if since is None:
                newest = reads.last_events(desk.ledger, limit=1)
                since = newest[-1].id if newest else 0
            for event in desk.events(after=since, follow=True):
                if out.json:
                    out.record(event.to_json())
                else:
                    out.line(line(event, out), flush=True)
        if args.since is None:
            found = reads.last_events(desk.ledger, limit=args.limit)
        else:
            found = list(desk.events(after=args.since))
        if out.json:
            out.document([event.to_json() for event in found])
        else:
            out.table(COLUMNS, [row(event, out) for event in found])


def _updates(desk: "Desk", args: Args, out: Out) -> None:
    from jobdesk.ledger import reads

    if args.follow:
        desk.wake.listen()
    since = args.since
    if since is None:
        found = reads.last_events(desk.ledger, limit=1 if args.follow else args.limit)
        since = 0 if not found else found[-1].id if args.follow else found[0].id - 1
    for update in desk.updates(after=since, follow=args.follow):
        out.record(update)


def row(event: "Event", out: Out) -> tuple[str, str, str, str, str]:
    """The cells of `COLUMNS`."""
    return (
        out.clock_time(event.at),
        event.kind.value,
        event.queue or out.nothing,
        event.job_id or str(event.data.get("job_id") or out.nothing),
        what(event),
    )


def line(event: "Event", out: Out) -> str:
    """An event as one line of a stream."""
    from jobdesk.cli.output import plain

    at, kind, queue, job, said = (plain(cell) for cell in row(event, out))
    if not out.terminal:
        return "\t".join((at, kind, queue, job, said))
    return f"{out.paint(at, 'faint')}  {out.paint(f'{kind:<16}', _TONES.get(kind, ''))}  {job:<30}  {said}".rstrip()


def what(event: "Event") -> str:
    """What an event carries, for a person."""
    import json

    from jobdesk.core.text import without_colours

    parts = []
    for key, value in event.data.items():
        if value is None or key in ("job_id", "traceback") or (key, value) == ("level", "info"):
            continue
        if key == "message":
            parts.append(without_colours(str(value)))
        else:
            parts.append(f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    return "  ".join(parts)
