"""`jobdesk reset`: ends and removes all jobs."""

from jobdesk.cli.acting import confirmed
from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, duration


def add(commands: Group) -> None:
    parser = commands.command("reset", "end and remove all jobs; queues, schedules and settings stay", _reset)
    parser.add_argument("--queue", "--group", metavar="Q", help="only those of this queue")
    parser.add_argument(
        "--timeout", type=duration, default=30.0, metavar="30s", help="how long those that run have to end"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say how many it would be")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _reset(args: Args, out: Out) -> int:
    from jobdesk.resetting import reset, to_reset

    with opened(args) as desk:
        if args.queue is not None:
            desk.queue(args.queue)
        count = len(to_reset(desk, args.queue))
        if args.dry_run:
            if out.json:
                out.document({"removed": 0, "would_remove": count, "running": [], "dry_run": True})
            else:
                out.say(f"{count:,} jobs would be ended and removed; nothing was changed")
            return 0
        if count and not args.yes and not confirmed(out, f"end and remove {count:,} jobs?", must_ask=True):
            return 1
        done = reset(desk, args.queue, args.timeout)
    if out.json:
        out.document({"removed": done.removed, "running": done.running})
    else:
        out.say(f"{done.removed:,} jobs removed")
        for id_ in done.running:
            out.errors.write(f"jobdesk: {id_} has not ended yet and stays: it was asked to stop\n")
    return 1 if done.running else 0
