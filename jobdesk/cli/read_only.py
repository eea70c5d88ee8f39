"""`--read-only`: refuses every command that changes something before it opens anything.

A command that is not known to look only is refused; what slips through is refused by the ledger.
"""

from jobdesk.cli.parsing import Args
from jobdesk.core.errors import ReadOnly

LOOKS = frozenset(
    {
        "list", "show", "logs", "history", "why", "wait", "groups", "next", "files", "define", "check", "schema",
        "status", "events", "metrics", "health", "doctor", "audit", "completion", "folders test", "preview",
        "templates", "folders quarantine", "alerts rules", "targets", "routes", "referrals stats", "watch", "serve",
        "web",
    }
)  # fmt: skip
"""Commands that look only, by their last word."""


def refuse_changes(args: Args) -> None:
    """Refuse the command if --read-only was given and it could change something.

    Raises:
        ReadOnly: it could.
    """
    if not getattr(args, "read_only", False):
        return
    _, _, words = args.parser.prog.partition(" ")
    if not words:  # the app, or a consumer
        if args.consumer or args.drain or args.metrics_port is not None:
            raise ReadOnly("a consumer runs jobs, and --read-only changes nothing: leave one of them out")
    elif words == "serve" and getattr(args, "consumer", False):
        raise ReadOnly("--consumer runs jobs, and --read-only changes nothing: leave one of them out")
    elif not only_looks(args) and not getattr(args, "dry_run", False):
        raise ReadOnly(f"`{args.parser.prog}` changes something, and --read-only forbids that: leave it out")
    elif getattr(args, "fix", False):
        raise ReadOnly("--fix mends what it finds, and --read-only changes nothing: leave one of them out")


def only_looks(args: Args) -> bool:
    """Whether the command of these arguments changes nothing."""
    return changes_nothing(args.parser.prog.partition(" ")[2])


def changes_nothing(words: str) -> bool:
    """Whether a command, as typed without `jobdesk`, changes nothing."""
    return words in LOOKS or words.rpartition(" ")[2] in LOOKS
