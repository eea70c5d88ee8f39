"""`jobdesk dead`: the dead letters, jobs that failed or expired."""

from jobdesk.cli import acting, jobs
from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group

DEAD = "state:failed,expired"


def add(commands: Group) -> None:
    noun = commands.noun("dead", "look at the dead letters: jobs that failed or expired")
    listing = noun.command("list", "dead letters, newest first", _list, rest="query", more=jobs.QUERY_HELP)
    jobs.add_listing(listing)
    for verb, action, about in (
        ("retry", "retry", "run dead letters again: all, or those that match"),
        ("purge", "delete", "remove dead letters for good: all, or those that match"),
    ):
        parser = noun.command(verb, about, _act, rest="query")
        parser.set_defaults(action=action, called=verb)
        parser.add_argument("query", metavar="QUERY", nargs="*", help="which of them")
        acting.add_bulk(parser)
        if action == "retry":
            acting.add_rate(parser)
    noun.command("groups", "dead letters by kind of error", _groups)


def _list(args: Args, out: Out) -> None:
    jobs.list_jobs(args, out, " ".join([DEAD, *args.query]))


def _act(args: Args, out: Out) -> int:
    with opened(args) as desk:
        return acting.act_on_query(
            desk, args, out, args.action, " ".join([DEAD, *args.query]).strip(), called=args.called
        )


def _groups(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.clock import iso
        from jobdesk.ledger import dead

        groups = dead.groups(desk.ledger)
        if out.json:
            out.document(
                [
                    {
                        "fingerprint": group.fingerprint,
                        "count": group.count,
                        "type": group.type,
                        "error": group.error,
                        "message": group.message,
                        "first_at": iso(group.first_at),
                        "last_at": iso(group.last_at),
                        "job": group.job,
                    }
                    for group in groups
                ]
            )
            return
        now = desk.clock.now()
        out.table(
            (
                Column("fingerprint"),
                Column("jobs", right=True),
                Column("type", least=10),
                Column("last", right=True, drop=2),
                Column("first", right=True, drop=3),
                Column("error", least=20),
            ),
            [
                (
                    group.fingerprint or out.nothing,
                    str(group.count),
                    group.type,
                    out.when(group.last_at, now),
                    out.when(group.first_at, now),
                    f"{group.error}: {group.message}",
                )
                for group in groups
            ],
        )
        if groups:
            out.note("one group again: jobdesk dead retry fingerprint:FINGERPRINT")
