"""`jobdesk jobs edit`: another payload for a job that waits."""

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group
from jobdesk.core.errors import UsageError


def add(noun: Group) -> None:
    parser = noun.command("edit", "change the data of a job that waits", _edit, rest="pairs")
    parser.add_argument("id", metavar="ID", help="its id or a unique beginning of it")
    parser.add_argument("pairs", metavar="key=value", nargs="*", help="keys to change; key:=JSON for what is no text")
    parser.add_argument("--data", metavar="JSON|@FILE|-", help="keys given here replace the old ones")


def _edit(args: Args, out: Out) -> None:
    from jobdesk.cli.payload import data_of, merged

    if not args.pairs and args.data is None:
        raise UsageError("say what to change: key=value, or --data JSON")
    with opened(args) as desk:
        job = desk.job(args.id)
        schema = desk.registry.get(job.type).schema()
        changed = desk.edit(job.id, merged({**job.data, **data_of(args.data)}, args.pairs, schema))
    if out.json:
        out.document(changed.to_json())
    else:
        out.say(f"{changed.id} changed")
