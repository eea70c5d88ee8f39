"""`jobdesk payments`: payments that are tried again, and how far they are."""

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number

_TONES = {"succeeded": "ok", "refused": "bad", "invalid": "bad", "declined": "warn", "charging": "warn"}


def add(commands: Group) -> None:
    noun = commands.noun("payments", "payments that are tried again: which attempt, and what came of it")
    listing = noun.command("list", "payments, the last changed first", _list)
    listing.add_argument(
        "word", metavar="WORD", nargs="?", default="", help="only those with it in name, state or code"
    )
    listing.add_argument("--limit", type=number(1), default=100, metavar="N", help="at most so many (default: 100)")


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.amounts import written
        from jobdesk.core.clock import iso
        from jobdesk.ledger import payments

        found = payments.every(desk.ledger, args.word, args.limit)
        if out.json:
            times = ("created_at", "changed_at", "next_at")
            left_out = {"decimals", "key_at", *times}
            out.document(
                [
                    {key: value for key, value in one.items() if key not in left_out}
                    | {"amount": written(one["amount"], one["decimals"])}
                    | {key: iso(one[key]) for key in times}
                    for one in found
                ]
            )
            return
        now = desk.clock.now()
        out.table(
            (
                Column("payment", least=12),
                Column("provider", drop=3),
                Column("amount", right=True),
                Column("currency"),
                Column("state", tone=lambda cell: _TONES.get(cell, "")),
                Column("attempt", right=True, drop=2),
                Column("changed", drop=4),
                Column("why", least=12, drop=1),
            ),
            [
                (
                    one["payment"], one["provider"], written(one["amount"], one["decimals"]), one["currency"],
                    one["state"], str(one["attempt"]), out.when(one["changed_at"], now),
                    " ".join(filter(None, (one["code"], one["message"]))),
                )
                for one in found
            ],
        )  # fmt: skip
        if not found:
            out.note("no payment yet: submit a payment-retry")
