"""`jobdesk secrets`: whether all that is encrypted can be opened, and a new key for it."""

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group


def add(commands: Group) -> None:
    noun = commands.noun("secrets", "what is encrypted in the ledger, and its keys")
    noun.command("check", "whether every secret can be opened; exits 1 if one cannot", _check)
    noun.command(
        "rotate",
        "make a new key and encrypt every secret anew",
        _rotate,
        more="\nJobs go on meanwhile. Cut short, it goes on where it was when it is run again; the former key stays in"
        "\nthe file until the next rotation. With $JOBDESK_SECRET_KEY, put the new key in front there first.",
    )


def _check(args: Args, out: Out) -> int:
    from jobdesk import rekeying

    with opened(args) as desk:
        found = rekeying.check(desk.ledger, desk.vault)
        keys = desk.vault.keys()
        names = list(keys.names) if keys is not None else []
    if out.json:
        out.document(
            {
                "ok": not found.lost,
                "secrets": found.secrets,
                "lost": found.lost,
                "keys": names,
                "by_key": dict(found.keys),
                "rotating": keys is not None and keys.rotating,
                "problems": found.problems,
            }
        )
    else:
        for problem in found.problems:
            out.line(problem)
        out.line(f"{found.secrets:,} secrets, {found.secrets - found.lost:,} can be opened")
        if keys is not None and keys.rotating:
            out.note("a rotation was cut short: `jobdesk secrets rotate` goes on with it")
    return 1 if found.lost else 0


def _rotate(args: Args, out: Out) -> int:
    from jobdesk import rekeying

    with opened(args) as desk:
        done = rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets"))
    if out.json:
        out.document({"key": done.key, "changed": done.changed, "lost": done.lost})
    else:
        out.line(f"{done.changed:,} secrets are under the key {done.key} now")
        if done.lost:
            out.line(f"{done.lost:,} could not be opened and are as they were: see `jobdesk secrets check`")
    return 1 if done.lost else 0
