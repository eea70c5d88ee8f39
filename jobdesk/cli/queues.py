"""`jobdesk queues`: list, show, pause, resume, set, clean, drain."""

from typing import TYPE_CHECKING

from jobdesk.cli import acting
from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, duration, number

if TYPE_CHECKING:
    from jobdesk.ledger.reads import Queue

_FINAL = ("completed", "failed", "cancelled", "expired")


def add(commands: Group) -> None:
    noun = commands.noun("queues", "look at queues, pause and clean them")
    noun.command("list", "every queue with its counts", _list)
    for verb, run, about in (
        ("show", _show, "everything about a queue"),
        ("pause", _pause, "start no more jobs of a queue; what runs goes on"),
        ("resume", _resume, "start jobs of a queue again"),
    ):
        noun.command(verb, about, run).add_argument("name", metavar="NAME")
    clean = noun.command("clean", "remove ended jobs of a queue, with their history", _clean)
    clean.add_argument("name", metavar="NAME")
    clean.add_argument("--state", choices=_FINAL, default="completed", help="which (default: completed)")
    clean.add_argument(
        "--older-than", type=duration, default=0.0, metavar="1d", help="only those that ended that long ago"
    )
    clean.add_argument("--yes", action="store_true", help="do not ask")
    set_ = noun.command("set", "say how many jobs of a queue run at once; a queue that is new is made", _set)
    set_.add_argument("name", metavar="NAME")
    set_.add_argument("--concurrency", required=True, type=_at_once, metavar="N", help="so many; off: as many as can")
    drain = noun.command("drain", "cancel everything that waits in a queue; what runs goes on", _drain)
    drain.add_argument("name", metavar="NAME")
    acting.add_bulk(drain)


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.queues()
        if out.json:
            out.document([queue.to_json() for queue in found])
            return
        out.table(
            (
                Column("queue", least=20),
                Column("ready", right=True),
                Column("run", right=True),
                Column("later", right=True),
                Column("dead", right=True, tone=lambda cell: "bad" if cell not in ("0", "") else ""),
                Column("done", right=True, drop=3),
                Column("priority", right=True, drop=2),
                Column("at once", right=True, drop=4),
                Column("", tone=lambda cell: "warn"),
                Column("for", least=20, drop=5),
            ),
            [_row(queue, out) for queue in found],
        )


def _row(queue: "Queue", out: Out) -> list[str]:
    counts = queue.counts
    return [
        queue.name,
        *(str(count) for count in _numbers(queue)),
        str(sum(count for state, count in counts.items() if state == "completed")),
        _priority(queue.priority),
        out.nothing if queue.concurrency is None else str(queue.concurrency),
        "" if queue.paused_at is None else "paused",
        queue.description,
    ]


def _numbers(queue: "Queue") -> tuple[int, int, int, int]:
    by_word = {state.value: count for state, count in queue.counts.items()}
    return by_word["pending"], by_word["processing"], queue.later, queue.dead


def _priority(rank: int) -> str:
    from jobdesk.core.job import PRIORITIES

    return next((word for word, value in PRIORITIES.items() if value == rank), str(rank))


def _show(args: Args, out: Out) -> None:
    with opened(args) as desk:
        queue = desk.queue(args.name)
        if out.json:
            out.document(queue.to_json())
            return
        from jobdesk.core.durations import short

        paused = queue.paused_at is not None
        out.fields(
            [
                ("queue", queue.name),
                ("for", queue.description),
                ("paused", f"{out.when(queue.paused_at, desk.clock.now())} by {queue.paused_by}" if paused else ""),
                ("priority", _priority(queue.priority)),
                ("at once", "as many as there are workers" if queue.concurrency is None else str(queue.concurrency)),
                ("starts within", "" if queue.ttl_s is None else short(queue.ttl_s)),
                ("dead letters kept", "" if queue.dead_letter_ttl_s is None else short(queue.dead_letter_ttl_s)),
                ("starts at most", queue.rate_limit or ""),
                ("keeps completed", "" if queue.keep_completed is None else f"{queue.keep_completed:,}"),
                ("keeps dead letters", "" if queue.keep_failed is None else f"{queue.keep_failed:,}"),
                ("at most", "" if queue.max_size is None else f"{queue.max_size:,} jobs"),
                *((state.value, f"{count:,}") for state, count in queue.counts.items()),
            ]
        )


def _pause(args: Args, out: Out) -> None:
    with opened(args) as desk:
        desk.queue(args.name)
        changed = desk.pause(args.name)
        if out.json:
            out.document(desk.queue(args.name).to_json())
        else:
            out.say(f"{args.name} is paused" if changed else f"{args.name} was paused already")


def _resume(args: Args, out: Out) -> None:
    with opened(args) as desk:
        desk.queue(args.name)
        changed = desk.resume(args.name)
        if out.json:
            out.document(desk.queue(args.name).to_json())
        else:
            out.say(f"{args.name} works again" if changed else f"{args.name} was not paused")


def _at_once(text: str) -> int | None:
    """An argparse type: how many at once, None for no limit."""
    return None if text == "off" else number(1)(text)


def _set(args: Args, out: Out) -> None:
    with opened(args) as desk:
        desk.set_concurrency(args.name, args.concurrency)
        if out.json:
            out.document(desk.queue(args.name).to_json())
        else:
            limit = "as many as there are workers" if args.concurrency is None else f"{args.concurrency}"
            out.say(f"{args.name} runs {limit} at once")


def _clean(args: Args, out: Out) -> int:
    with opened(args) as desk:
        from jobdesk.core.durations import short
        from jobdesk.core.job import State

        queue = desk.queue(args.name)
        age = f" that ended over {short(args.older_than)} ago" if args.older_than else ""
        question = f"remove the {args.state} jobs of {queue.name}{age}, with their history?"
        if not args.yes and not acting.confirmed(out, question, must_ask=False):
            return 1
        before = desk.clock.now() - args.older_than
        removed = desk.clean(queue.name, State(args.state), before)
        if out.json:
            out.document({"queue": queue.name, "state": args.state, "removed": removed})
        else:
            out.say(f"{removed:,} removed")
        return 0


def _drain(args: Args, out: Out) -> int:
    with opened(args) as desk:
        queue = desk.queue(args.name)
        query = f'queue:"{queue.name}" state:pending,scheduled,retrying,blocked'
        return acting.act_on_query(desk, args, out, "cancel", query, called="drain")
