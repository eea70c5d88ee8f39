"""`jobdesk schedules`: list, add, remove, pause, resume, trigger, next."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, state_tone
from jobdesk.cli.parsing import Args, Group, number
from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from jobdesk.core.schedule import Schedule, ScheduleSpec
    from jobdesk.desk import Desk

_ADD_MORE = """
  jobdesk schedules add nightly --cron '30 2 * * *' --timezone Europe/Berlin --type DAILY_REPORT
  jobdesk schedules add launch --at 2027-01-31T18:00 --type email --data '{"to": "ada@example.org"}'

A cron expression has five fields: minute, hour, day, month, weekday. A time that a change of the clocks leaves
out comes right after it; one that comes twice counts once. Without --timezone cron is read in UTC, and --at
in this machine's time."""
_SHOWN = 5


def add(commands: Group) -> None:
    noun = commands.noun("schedules", "jobs that come by themselves: at times of a cron expression, or once")
    listing = noun.command("list", "every schedule with its next time, and the built-in ones that are off", _list)
    listing.add_argument("--all", action="store_true", help="with --json: also the built-in ones that are off")
    new = noun.command("add", "make jobs of a type by a schedule", _add, rest="pairs", more=_ADD_MORE)
    new.add_argument("name", metavar="NAME", help="what to call it")
    new.add_argument("pairs", metavar="key=value", nargs="*", help="the job's data")
    when = new.add_mutually_exclusive_group(required=True)
    when.add_argument("--cron", metavar="EXPR", help="like '30 2 * * mon-fri', or @daily")
    when.add_argument("--at", metavar="ISO", help="once, like 2027-01-31T18:00")
    new.add_argument("--timezone", metavar="TZ", help="like Europe/Berlin")
    new.add_argument("--type", metavar="T", required=True, help="the job type")
    new.add_argument("--data", metavar="JSON|@FILE|-", help="the job's data as a JSON object")
    new.add_argument("--queue", metavar="Q", help="its queue (default: the type's)")
    new.add_argument("--priority", metavar="P", help="urgent, high, normal, low or 0-100")
    new.add_argument(
        "--missed",
        choices=("skip", "once", "all"),
        default="once",
        help="times that passed while nobody worked: run none, one for all (default), or each",
    )
    new.add_argument(
        "--overlap",
        choices=("skip", "allow"),
        default="allow",
        help="while a job of it has not ended: run none, or another (default)",
    )
    new.add_argument("--replace", action="store_true", help="take the place of one that was added before")
    for verb, run, about in (
        ("remove", _remove, "forget a schedule; the jobs it made stay"),
        ("pause", _pause, "let a schedule make no jobs"),
        ("resume", _resume, "let a schedule make jobs again, from its next time on"),
        ("trigger", _trigger, "make its job now; prints its id"),
    ):
        noun.command(verb, about, run).add_argument("name", metavar="NAME")
    times = noun.command("next", "the next times of a schedule", _next)
    times.add_argument("name", metavar="NAME")
    times.add_argument("--count", type=number(1), default=_SHOWN, metavar="N", help=f"so many (default: {_SHOWN})")


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found, off = desk.schedules(), desk.schedules_off()
        if out.json:
            out.document([_json(desk, one) for one in found] + [_off(one) for one in off if args.all])
            return
        now = desk.clock.now()
        out.table(
            (
                Column("schedule", least=12),
                Column("when", least=12),
                Column("timezone", drop=3),
                Column("next", tone=lambda cell: "warn" if cell in ("paused", "off") else ""),
                Column("type", least=10),
                Column("last", drop=2),
                Column("", drop=2, tone=state_tone),
                Column("from", drop=4),
                Column("", least=10, tone=lambda cell: "bad"),
            ),
            [
                (
                    one.name,
                    one.spec.cron or out.when(one.spec.at, now),
                    one.spec.timezone,
                    "paused" if one.paused_at is not None else out.when(one.next_at, now),
                    one.spec.type,
                    out.when(one.last_at, now),
                    out.state(one.last_state) if one.last_state else "",
                    one.origin.value,
                    one.problem or "",
                )
                for one in found
            ]
            + [(one.name, one.cron or "", one.timezone, "off", one.type, "", "", "built in", "") for one in off],
        )
        if off:
            out.note("built-in ones are off until `jobdesk schedules resume NAME`")
        if not found:
            out.note("no schedule yet: see `jobdesk schedules add --help`, or [[schedules]] in jobdesk.toml")


def _json(desk: "Desk", one: "Schedule") -> dict[str, Any]:
    from jobdesk.scheduling import in_words

    return one.to_json() | {"words": in_words(one.spec), "next": _times(desk, one.name, _SHOWN)}


def _off(one: "ScheduleSpec") -> dict[str, Any]:
    """A built-in schedule that makes no jobs."""
    from jobdesk.core.redaction import shown
    from jobdesk.scheduling import in_words

    said = {"name": one.name, "type": one.type, "cron": one.cron, "timezone": one.timezone, "data": shown(one.data)}
    return said | {"origin": "built-in", "off": True, "words": in_words(one), "next": []}


def _times(desk: "Desk", name: str, count: int) -> list[str | None]:
    from jobdesk.core.clock import iso

    try:
        return [iso(at) for at in desk.next_times(name, count)]
    except UsageError:  # its timezone is not known any more: its row says so
        return []


def _add(args: Args, out: Out) -> None:
    from jobdesk.cli.payload import data_of, merged

    data = data_of(args.data)
    with opened(args) as desk:
        schema = desk.registry.get(args.type).schema() if args.pairs else {}
        made = desk.add_schedule(
            args.name,
            args.type,
            cron=args.cron,
            at=args.at,
            timezone=args.timezone,
            data=merged(data, args.pairs, schema),
            queue=args.queue,
            priority=args.priority,
            missed=args.missed,
            overlap=args.overlap,
            replace=args.replace,
        )
        if out.json:
            out.document(_json(desk, made))
            return
        out.say(f"{made.name} comes {out.when(made.next_at, desk.clock.now())}")
        _remind(desk, out)


def _remind(desk: "Desk", out: Out) -> None:
    if not desk.consumers():
        out.note("no consumer works on this home: start one with `jobdesk --consumer`, or open `jobdesk`")


def _remove(args: Args, out: Out) -> None:
    with opened(args) as desk:
        desk.remove_schedule(args.name)
        if out.json:
            out.document({"name": args.name, "removed": True})
        else:
            out.say(f"{args.name} is gone; the jobs it made stay")


def _pause(args: Args, out: Out) -> None:
    with opened(args) as desk:
        changed = desk.pause_schedule(args.name)
        _told(desk, args, out, f"{args.name} is paused" if changed else f"{args.name} was paused already")


def _resume(args: Args, out: Out) -> None:
    with opened(args) as desk:
        changed = desk.resume_schedule(args.name)
        _told(desk, args, out, f"{args.name} goes on" if changed else f"{args.name} was not paused")


def _told(desk: "Desk", args: Args, out: Out, said: str) -> None:
    if out.json:
        out.document(_json(desk, desk.schedule(args.name)))
    else:
        out.say(said)


def _trigger(args: Args, out: Out) -> None:
    with opened(args) as desk:
        job = desk.trigger_schedule(args.name)
        if out.json:
            out.document(job.to_json())
            return
        out.line(job.id)
        _remind(desk, out)


def _next(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.schedule(args.name)
        times = desk.next_times(args.name, args.count)
        if out.json:
            from jobdesk.core.clock import iso

            out.document([iso(at) for at in times])
            return
        from jobdesk.scheduling import local

        out.table(
            (Column("at", least=16), Column("in", right=True)),
            [
                (local(at, found.spec), out.when(at, desk.clock.now())) if out.terminal else (out.when(at, 0),)
                for at in times
            ],
        )
        if found.paused_at is not None:
            out.note(f"{args.name} is paused: it makes no job at these times until `jobdesk schedules resume`")
        elif not times:
            out.note(f"{args.name} does not come any more")
